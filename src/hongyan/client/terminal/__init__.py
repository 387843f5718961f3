"""`hongyan chat`: the client for a terminal, by line, and in a pipe.

`add_arguments(parser)` and `run(args)` are what the command line needs; the rest is the inside.
"""

import argparse
import asyncio
import contextlib
import getpass
import hashlib
import os
import re
import signal
import socket
import sys
from pathlib import Path

from hongyan.client.client import Client
from hongyan.client.errors import ClientError, StateInUse
from hongyan.client.model import TransportName
from hongyan.client.terminal.chat import Chat
from hongyan.client.terminal.hook import Hook
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.screen import converse, printer, read_pipe
from hongyan.client.terminal.words import Words, language
from hongyan.core.errors import HongyanError, NotAuthenticated

_SLOTS = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hongyan chat`."""
    parser.add_argument("--server", default="http://127.0.0.1:8440", metavar="URL", help="the server (%(default)s)")
    parser.add_argument("--user", metavar="NAME", help="who you are")
    parser.add_argument("--password-stdin", action="store_true", help="the first line of standard input is the password")
    parser.add_argument("--device", default=None, metavar="NAME", help="a label for this device (the host's name)")
    transports = ["auto", "websocket", "sse", "longpoll", "poll"]
    parser.add_argument("--transport", default="auto", choices=transports, help="how events come (%(default)s)")
    parser.add_argument(
        "--on-message", metavar="COMMAND", help="run for each message: JSON on standard input, HONGYAN_* in the environment"
    )
    parser.add_argument("--state", metavar="DIR", help="where token, cursor and unsent messages are kept")
    parser.add_argument("--no-color", action="store_true", help="no colours (also when NO_COLOR is set)")
    parser.add_argument("--conversation", metavar="NAME", help="the conversation to open: title, id or number")


def run(args: argparse.Namespace) -> int:
    """Chat until the end. 0 when all was sent, 1 when something was refused, 2 when one could not log in."""
    words = Words(language())
    with contextlib.suppress(KeyboardInterrupt):
        return asyncio.run(_run(args, words))
    return 0


async def _run(args: argparse.Namespace, words: Words) -> int:
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    password = sys.stdin.readline().rstrip("\r\n") if args.password_stdin else None
    user = args.user
    if not user:
        if not interactive:
            return _refuse(words("need_user"))
        user = input(words("user")).strip()
    transport: TransportName | None = None if args.transport == "auto" else args.transport
    try:
        client, directory = _open(args, user, transport)
    except (StateInUse, OSError) as error:
        return _refuse(words("failed", reason=error))
    async with client:
        stop = asyncio.create_task(_log_in_and_start(client, args, user, password, words))
        handled = _on_termination(stop)
        try:
            if (problem := await stop) is not None:
                return _refuse(problem)
            colour = interactive and not args.no_color and not os.environ.get("NO_COLOR")
            return await _chat(client, args, words, directory, interactive=interactive, colour=colour)
        except asyncio.CancelledError:
            return 0
        finally:
            for number in handled:
                asyncio.get_running_loop().remove_signal_handler(number)


async def _chat(
    client: Client, args: argparse.Namespace, words: Words, directory: Path, *, interactive: bool, colour: bool
) -> int:
    show = printer(colour=colour)
    hook = None
    if args.on_message:

        def output(text: str) -> None:
            show([("note", harmless(text))])

        def failed(command: str, reason: str) -> None:
            show([("bad", words("hook_failed", command=command, reason=reason))])

        hook = Hook(args.on_message, output, failed)
    chat = Chat(client, words, show, hook=hook, interactive=interactive)
    loop = asyncio.get_running_loop()
    signals = [signal.SIGTERM] if interactive else [signal.SIGTERM, signal.SIGINT]
    for number in signals:
        loop.add_signal_handler(number, chat.ended.set)
    try:
        chat.choose(args.conversation)
        if args.conversation and chat.current is None:
            return 1
        await client.start()
        if interactive:
            chat.note(words("welcome"))
            await converse(chat, lambda: _names(client), directory / "history", colour=colour)
        else:
            await read_pipe(chat, client.sent_all)
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
        if hook is not None:
            await hook.close()
    if left := client.outbox_size:
        print(words("not_sent", count=left), file=sys.stderr)
    return 1 if chat.failures and not interactive else 0


async def _log_in_and_start(
    client: Client, args: argparse.Namespace, user: str, password: str | None, words: Words
) -> str | None:
    """Use the kept token, or log in; then load. Gives a sentence when that is refused."""
    try:
        if password is None and client.has_token:
            try:
                if (await client.whoami()).id == user.casefold():
                    await client.load()
                    return None
            except NotAuthenticated:
                pass
        if password is None:
            if not sys.stdin.isatty():
                return words("need_password")
            password = await asyncio.to_thread(getpass.getpass, words("password", user=user))
        await client.login(user, password, args.device or socket.gethostname()[:64] or "terminal")
        await client.load()
    except (HongyanError, ClientError) as error:
        return words("failed", reason=harmless(str(error), lines=False))
    return None


def _open(args: argparse.Namespace, user: str, transport: TransportName | None) -> tuple[Client, Path]:
    """The state directory, or the next one when another terminal of the same user has it."""
    base = Path(args.state) if args.state else _state_directory(args.server, user)
    slots = (
        [base] if args.state else [base if slot == 1 else base.with_name(f"{base.name}-{slot}") for slot in range(1, _SLOTS + 1)]
    )
    for directory in slots[:-1]:
        with contextlib.suppress(StateInUse):
            return Client(args.server, state=directory, transport=transport), directory
    return Client(args.server, state=slots[-1], transport=transport), slots[-1]


def _state_directory(server: str, user: str) -> Path:
    home = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    name = re.sub(r"[^a-z0-9.]+", "-", f"{server}-{user}".lower()).strip("-")[:80]
    return Path(home) / "hongyan" / f"{name}-{hashlib.sha256(f'{server} {user}'.encode()).hexdigest()[:8]}"


def _names(client: Client) -> list[str]:
    names = client.state.names
    return sorted({*names, *names.values()})


def _on_termination(task: "asyncio.Task[str | None]") -> list[signal.Signals]:
    """SIGTERM and Ctrl-C also end a log-in that waits for the server."""
    loop = asyncio.get_running_loop()
    numbers = [signal.SIGTERM, signal.SIGINT]
    for number in numbers:
        loop.add_signal_handler(number, task.cancel)
    return numbers


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2
