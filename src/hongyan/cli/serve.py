"""`hongyan serve`: run the server until it is told to stop."""

import argparse

from hongyan.cli.options import Commands, add_place, settings_of
from hongyan.cli.refused import Refused


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "serve",
        help="run the server",
        description="Run the server until SIGTERM or Ctrl-C. A second signal does not wait for the clients.",
        allow_abbrev=False,
    )
    add_place(parser, again=True)
    parser.add_argument("--http", metavar="HOST:PORT", help="where to listen (default: 127.0.0.1:8440); port 0 takes a free one")
    parser.add_argument("--domain", metavar="NAME", help="the organisation's own domain name (default: localhost)")
    parser.add_argument("--certificate", metavar="FILE", help="TLS certificate with its chain, PEM")
    parser.add_argument("--key", metavar="FILE", help="its private key, PEM")
    parser.add_argument("--demo", action="store_true", help="in a new data directory, make a demonstration organisation first")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    settings = settings_of(
        given,
        http__listen=given.http,
        http__certificate=given.certificate,
        http__key=given.key,
        domain=given.domain,
    )
    from hongyan import server

    try:
        return server.run(settings, demo=given.demo)
    except server.CannotStart as error:
        raise Refused(str(error)) from error
