"""What it is all for: people in terminals and on other transports talk to each other, and each sees each message once."""

import asyncio
import contextlib
import fcntl
import os
import re
import struct
import subprocess
import termios
from collections.abc import AsyncIterator
from pathlib import Path

from tests.e2e.devices import Crowd, Device
from tests.serving import HONGYAN, SECONDS, Server

NAMES = {"lihua": "李华", "zhangwei": "张伟", "lina": "李娜", "wanglei": "王磊"}

_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[a-zA-Z]|\][^\x07]*\x07|[=>()][0B]?)")
_WHERE_IS_THE_CURSOR = b"\x1b[6n"


class Terminal:
    """`hongyan chat` of one person, in a pipe or at a terminal of 200 columns."""

    def __init__(self, server: Server, user: str, state: Path) -> None:
        self.user = user
        self._words = [*HONGYAN, "chat", "--server", server.url, "--user", user, "--password-stdin", "--no-color"]
        self._words += ["--state", str(state / user)]
        self._environment = os.environ | {"LC_ALL": "zh_CN.UTF-8", "PYTHONUTF8": "1", "TERM": "xterm", "TZ": "UTC"}
        self._raw = b""
        self._changed = asyncio.Event()
        self._in = self._out = -1

    @contextlib.asynccontextmanager
    async def piped(self, password: str) -> AsyncIterator["Terminal"]:
        theirs_in, self._in = os.pipe()
        self._out, theirs_out = os.pipe()
        async with self._running(theirs_in, theirs_out, password):
            yield self

    @contextlib.asynccontextmanager
    async def at_a_terminal(self, password: str) -> AsyncIterator["Terminal"]:
        self._out, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self._in = os.dup(self._out)
        async with self._running(theirs, os.dup(theirs), password):
            yield self

    @contextlib.asynccontextmanager
    async def _running(self, theirs_in: int, theirs_out: int, password: str) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        process = subprocess.Popen(
            self._words, stdin=theirs_in, stdout=theirs_out, stderr=theirs_out, env=self._environment, start_new_session=True
        )
        os.close(theirs_in)
        os.close(theirs_out)
        loop.add_reader(self._out, self._read)
        try:
            self.type(password)
            yield
            self.type(":q")
            self.exit_code = await asyncio.to_thread(process.wait, SECONDS)
        finally:
            process.kill()
            process.wait()
            loop.remove_reader(self._out)
            os.close(self._in)
            os.close(self._out)

    def type(self, line: str) -> None:
        os.write(self._in, f"{line}\n".encode())

    @property
    def shown(self) -> str:
        return _ESCAPES.sub("", self._raw.decode(errors="replace")).replace("\r\n", "\n")

    def times(self, words: str) -> int:
        return self.shown.count(words)

    async def until(self, words: str) -> None:
        """Wait until this is shown."""
        try:
            async with asyncio.timeout(2 * SECONDS):
                while words not in self.shown:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{self.user} was not shown {words!r}, but:\n{self.shown}") from None

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # a terminal whose program has ended
            data = os.read(self._out, 65_536)
            self._raw += data
            if _WHERE_IS_THE_CURSOR in data:
                os.write(self._in, b"\x1b[1;1R")
            if not data:
                asyncio.get_running_loop().remove_reader(self._out)
        self._changed.set()


async def test_two_terminals_an_event_stream_and_a_long_poll_talk_chinese(tmp_path: Path) -> None:
    with Server(tmp_path / "data", "--demo") as server:
        password = (server.data / "demo.txt").read_text(encoding="utf-8").split()[-1]
        lina, wanglei = (server.login(name, password) for name in ("lina", "wanglei"))
        async with (
            Crowd(server) as crowd,
            Terminal(server, "lihua", tmp_path).piped(password) as lihua,
            Terminal(server, "zhangwei", tmp_path).at_a_terminal(password) as zhangwei,
        ):
            stream = await crowd.device(lina, "sse")
            poll = await crowd.device(wanglei, "longpoll")
            await zhangwei.until("大厅 ›")
            await joined(crowd, stream, {"lihua", "zhangwei"})

            said: list[tuple[str, str]] = []
            for round in ("一", "二", "三"):
                if round == "二":
                    zhangwei.type(":transport sse")
                    lihua.type(":transport longpoll")
                for who in ("lihua", "zhangwei", "lina", "wanglei"):
                    text = f"{NAMES[who]}说：周五下午三点开会，第{round}遍 👍"
                    said.append((who, text))
                    if who in ("lina", "wanglei"):
                        await crowd.send(lina if who == "lina" else wanglei, "lobby", text)
                    else:
                        (lihua if who == "lihua" else zhangwei).type(text)
                    for terminal in (lihua, zhangwei):
                        if terminal.user != who:
                            await terminal.until(f"{NAMES[who]}: {text}\n")
                    for device in (stream, poll):
                        await device.given(len(said))
            zhangwei.type("lihua;;预算表发你邮箱了")
            await lihua.until("预算表发你邮箱了")
            lihua.type("zhangwei;;收到，谢谢！")
            await zhangwei.until("收到，谢谢！")
            last = await crowd.send(lina, "lobby", "散会")
            await asyncio.gather(lihua.until("李娜: 散会\n"), zhangwei.until("李娜: 散会\n"))
            for device in (stream, poll):
                await device.reached(last["position"])

        assert (lihua.exit_code, zhangwei.exit_code) == (0, 0)
        assert stream.texts() == poll.texts() == [*(text for _, text in said), "散会"]
        for who, text in said:
            assert lihua.times(f"{NAMES[who]}: {text}\n") == (who != "lihua")  # in a pipe one knows what one sent
            assert zhangwei.times(f"{'我' if who == 'zhangwei' else NAMES[who]}: {text}\n") == 1
        assert lihua.times("张伟: 预算表发你邮箱了\n") == 1
        assert zhangwei.times("李华: 收到，谢谢！\n") == 1
        assert [who for who, _ in said] == [event["sender"] for event in stream.events[: len(said)]]


async def joined(crowd: Crowd, device: Device, users: set[str]) -> None:
    """Wait until these people have a stream open."""
    async with asyncio.timeout(2 * SECONDS):
        while True:
            online = await crowd.call(device.person, "GET", "/v1/online")
            if users <= {user["id"] for user in online["users"]}:
                return
            await asyncio.sleep(0.05)
