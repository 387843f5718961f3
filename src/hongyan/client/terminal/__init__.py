"""`hongyan chat`: the client for a terminal, by line, and in a pipe.

`add_arguments(parser)` and `run(args)` are what the command line needs; the rest is the inside.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator

from hongyan.client.client import Client
from hongyan.client.errors import ClientError, Unreachable
from hongyan.client.model import Session, TransportName
from hongyan.client.rest import Rest
from hongyan.client.servers import Servers
from hongyan.client.terminal.chat import TRANSPORTS, Chat
from hongyan.client.terminal.hook import Hook
from hongyan.client.terminal.lines import Lines
from hongyan.client.terminal.places import Place, last_user, open_client, remember_user
from hongyan.client.terminal.plain import harmless
from hongyan.client.terminal.screen import Above, Plain, ask_password, converse, read_pipe
from hongyan.client.terminal.words import Words, language
from hongyan.core.errors import HongyanError, NotAuthenticated, WrongPassword

_TRIES = 3
_RECENT = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hongyan chat`."""
    parser.add_argument(
        "--server",
        default="http://127.0.0.1:8440",
        metavar="URL",
        help="the server, several with commas between them, or a domain (%(default)s)",
    )
    parser.add_argument("--user", metavar="NAME", help="who you are (who logged in last)")
    parser.add_argument("--password-stdin", action="store_true", help="the first line of standard input is the password")
    parser.add_argument("--device", default=None, metavar="NAME", help="a label for this device (the host's name)")
    parser.add_argument("--transport", default="auto", choices=TRANSPORTS, help="how events come (%(default)s)")
    parser.add_argument(
        "--on-message", metavar="COMMAND", help="run for each message: JSON on standard input, HONGYAN_* in the environment"
    )
    parser.add_argument("--state", metavar="DIR", help="where token, cursor and unsent messages are kept")
    parser.add_argument("--no-color", action="store_true", help="no colours (also when NO_COLOR is set)")
    parser.add_argument("--conversation", metavar="NAME", help="the conversation to open: title, id or number")
    parser.add_argument("--tui", action="store_true", help="the whole screen: conversations, messages and people side by side")


def run(args: argparse.Namespace) -> int:
    """Chat until the end. 0 when all was sent, 1 when something was not, 2 when one could not log in (any more)."""
    words = Words(language())
    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    lines = Lines(sys.stdin.fileno())
    for stream in (sys.stdout, sys.stderr):  # a locale without Chinese is no reason to fail
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        if interactive and (problem := asyncio.run(_missing(args.server, words))):  # before anything is asked
            return _refuse(problem)
        password = lines.first() if args.password_stdin else None
        user = args.user or last_user(args.server, args.state) or (input(words("user")).strip() if interactive else "")
        if not user:
            return _refuse(words("need_user"))
        return asyncio.run(_run(args, words, user, password, lines, interactive=interactive))
    except (KeyboardInterrupt, EOFError, asyncio.CancelledError):
        return 0
    finally:
        _forget_closed_output()


async def _missing(server: str, words: Words) -> str | None:
    """A sentence when nobody answers there. What a server answers, even a refusal, is for later."""
    try:
        servers = Servers(server, dns=_dns())
    except ValueError as error:
        return words("failed", reason=error)
    rest = Rest(servers)
    try:
        await rest.call("GET", "/health")
    except Unreachable as error:
        reason = harmless(str(error).removeprefix(f"{servers.name}: "), lines=False)
        return words("no_server", server=servers.name, reason=reason)
    except (HongyanError, ClientError):
        pass
    finally:
        await rest.close()
    return None


def _dns() -> str | None:
    """The name server to ask for a domain; the same variable as the server's."""
    return os.environ.get("HONGYAN_DNS_SERVER") or None


async def _run(
    args: argparse.Namespace, words: Words, user: str, password: str | None, lines: Lines, *, interactive: bool
) -> int:
    transport: TransportName | None = None if args.transport == "auto" else args.transport
    try:
        client, place = open_client(args.server, user, args.state, transport, _dns())
    except (ClientError, ValueError) as error:
        return _refuse(words("failed", reason=error))
    async with client:
        this = asyncio.current_task()
        with _signals(lambda: this.cancel() if this is not None else None):
            problem = await _log_in(client, args, user, password, words)
        if problem is not None:
            return _refuse(problem)
        if not args.state:
            remember_user(args.server, user)
        for other in place.others:
            with contextlib.suppress(ClientError):
                client.adopt(other)
        return await _chat(client, args, words, place, lines, interactive=interactive)


async def _chat(client: Client, args: argparse.Namespace, words: Words, place: Place, lines: Lines, *, interactive: bool) -> int:
    colour = interactive and not args.no_color and not os.environ.get("NO_COLOR")
    above = Above(colour=colour)
    chat: Chat
    show = above.show if interactive else Plain(lambda: chat.ended.set()).show
    hook = None
    if args.on_message:

        def output(text: str) -> None:
            show([("note", text)])

        def failed(command: str, reason: str) -> None:
            show([("bad", words("hook_failed", command=command, reason=reason))])

        try:
            hook = Hook(args.on_message, output, failed)
        except ValueError as error:
            return _refuse(words("hook_failed", command=args.on_message, reason=error))
    columns = above.columns if interactive else lambda: 0
    chat = Chat(client, words, show, hook=hook, interactive=interactive, columns=columns)
    with _signals(chat.ended.set):
        chat.choose(args.conversation)
        if args.conversation and chat.current is None:
            above.flush()
            return 1
        if args.tui and interactive:
            return await _full_screen(client, words, place, chat)
        await client.start(resume=place.first)
        if interactive:
            await chat.welcome(_RECENT)

            async def people(prefix: str) -> list[str]:
                return await _people(client, prefix)

            await converse(chat, above, people, place.directory / "history", colour=colour)
        else:
            await read_pipe(chat, lines, client.sent_all)
        left = client.outbox_size
        await client.close()
        above.flush()
    if left:
        print(words("not_sent", count=left), file=sys.stderr)
    if chat.logged_out:
        return 2
    return 1 if (chat.failures or left) and not interactive else 0


async def _full_screen(client: Client, words: Words, place: Place, chat: Chat) -> int:
    """The same client on the whole screen. Its library takes 0.3 s to import, which the line mode does not need."""
    from hongyan.client.terminal.full import run as show

    chosen = chat.current
    chat.leave()
    await client.start(resume=place.first)
    return await show(client, words, chosen)


async def _log_in(client: Client, args: argparse.Namespace, user: str, password: str | None, words: Words) -> str | None:
    """Use the kept token, or log in; then load. Gives a sentence when that is refused."""
    try:
        if password is not None or not await _knows(client, user):
            if password is None and not (sys.stdin.isatty() and sys.stderr.isatty()):
                return words("need_password")
            device = args.device or socket.gethostname()[:64] or "terminal"
            if (await _log_in_with(client, user, password, device, words)).change_password:
                print(words("change_password", server=client.server), file=sys.stderr)
        await client.load()
    except (HongyanError, ClientError) as error:
        return words("failed", reason=harmless(str(error), lines=False))
    return None


async def _knows(client: Client, user: str) -> bool:
    """Whether the kept token is this user's and still good."""
    try:
        return client.has_token and (await client.whoami()).id == user.casefold()
    except NotAuthenticated:
        return False


async def _log_in_with(client: Client, user: str, password: str | None, device: str, words: Words) -> Session:
    """A person who mistypes may try again."""
    for _ in range(_TRIES - 1):
        given = password or await ask_password(words("password", user=harmless(user, lines=False)))
        try:
            return await client.login(user, given, device)
        except WrongPassword as error:
            if password is not None:
                raise
            _refuse(words("failed", reason=harmless(str(error), lines=False)))
    return await client.login(user, await ask_password(words("password", user=harmless(user, lines=False))), device)


async def _people(client: Client, prefix: str) -> list[str]:
    """Ids and names to complete: those seen so far, and the server's."""
    names = client.state.names
    with contextlib.suppress(HongyanError, ClientError):
        names |= {user.id: user.name for user in await client.users(prefix, 20)}
    return sorted({*names, *names.values()})


@contextlib.contextmanager
def _signals(function: Callable[[], object]) -> Iterator[None]:
    """SIGTERM and Ctrl-C call the function meanwhile."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, function)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _forget_closed_output() -> None:
    """When nobody reads standard output any more, the interpreter must not fail over it at its end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2
