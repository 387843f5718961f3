"""`hongyan serve`: run the server until it is told to stop."""

import argparse
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from hongyan.cli import workers
from hongyan.cli.options import Commands, add_place, settings_of
from hongyan.cli.refused import Refused

if TYPE_CHECKING:
    from hongyan.config import Settings


def add(commands: Commands) -> None:
    parser = commands.add_parser(
        "serve",
        help="run the server",
        description="Run the server until SIGTERM or Ctrl-C. A second signal does not wait for the clients.",
        allow_abbrev=False,
    )
    add_place(parser, again=True)
    parser.add_argument("--http", metavar="HOST:PORT", help="where to listen (default: 127.0.0.1:8440); port 0 takes a free one")
    parser.add_argument("--cim", metavar="HOST:PORT", help="where to listen for clients of CIM (default: nowhere)")
    parser.add_argument("--cim-route", metavar="HOST:PORT", help="the HTTP API of the CIM gateway (default: 127.0.0.1:8083)")
    parser.add_argument("--xmpp-c2s", metavar="HOST:PORT", help="where to listen for XMPP clients (default: nowhere)")
    parser.add_argument("--xmpp-c2s-tls", metavar="HOST:PORT", help="the same, encrypted from the first byte (default: nowhere)")
    parser.add_argument("--xmpp-s2s", metavar="HOST:PORT", help="where to listen for XMPP servers (default: nowhere)")
    parser.add_argument(
        "--xmpp-allow-plaintext",
        action="store_const",
        const="true",
        help="log-ins of XMPP without TLS, on a loopback address only",
    )
    parser.add_argument("--bus", metavar="URL", help="how nodes of one store wake one another: nats://HOST:PORT (default: none)")
    parser.add_argument("--node", metavar="NAME", help="what this node is called among others (default: machine and port)")
    parser.add_argument("--workers", metavar="N", help="so many processes behind one port; needs --store and --bus (default: 1)")
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
        cim__listen=given.cim,
        cim__route=given.cim_route,
        xmpp__c2s=given.xmpp_c2s,
        xmpp__c2s_tls=given.xmpp_c2s_tls,
        xmpp__s2s=given.xmpp_s2s,
        xmpp__allow_plaintext=given.xmpp_allow_plaintext,
        domain=given.domain,
        bus=given.bus,
        node__name=given.node,
        node__workers=given.workers,
    )
    if settings.node.workers > 1:
        import hongyan.server  # noqa: F401  # once for all workers: a new one is there in a fifth of the time

        return workers.run(settings, partial(_serve, demo=given.demo))
    return _serve(settings, lambda: None, demo=given.demo)


def _serve(settings: "Settings", ready: Callable[[], None], *, demo: bool) -> int:
    from hongyan import server

    try:
        return server.run(settings, demo=demo, ready=ready)
    except server.CannotStart as error:
        raise Refused(str(error)) from error
