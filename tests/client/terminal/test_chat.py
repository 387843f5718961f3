"""What lines do and what is shown, in both languages, against a client that only notes what it is asked."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from hongyan.client import Client, Conversation, Event, Link, Member, Online, Snapshot, State, Unreachable, User
from hongyan.client.callbacks import Callbacks
from hongyan.client.model import Device, History, Me, Watcher, WatcherList
from hongyan.client.outbox import Entry
from hongyan.client.terminal.chat import Chat
from hongyan.client.terminal.screen import text_of
from hongyan.client.terminal.show import Line
from hongyan.client.terminal.words import Language, Words
from hongyan.core.errors import Forbidden, NotFound, Overloaded

ME = Me("lihua", "李华")
LOBBY = Conversation(
    "lobby", "group", "大厅", head_seq=3, members=[Member("lihua", "李华"), Member("wangfang", "王芳"), Member("wf2", "王芳")]
)
TEAM = Conversation("c7", "group", "项目组", unread=2, members=[Member("lihua", "李华")])
DIRECT = Conversation("d1", "direct", None, members=[Member("lihua", "李华"), Member("wangfang", "王芳")])


class FakeClient:
    """Notes calls; `answers` are given, or raised, in order before anything else."""

    server = "http://server"
    servers: tuple[str, ...] = ("http://server",)
    transport = "websocket"
    cursor = "e.5"
    outbox_size = 0

    def __init__(self) -> None:
        self.me = ME
        self.state = State()
        self.state.apply_snapshot(Snapshot("e.5", ME, [LOBBY, TEAM, DIRECT]))
        self.link = Link("online", "websocket")
        self.people = [User("wangfang", "王芳"), User("wf2", "王芳"), User("zhang", "张 伟")]
        self.calls: list[tuple[str, Any]] = []
        self.answers: list[Exception] = []
        self.events: list[Event] = []
        self.watching: list[Watcher] = []
        self.callbacks = Callbacks()

    def on_event(self, function: Callable[..., Any]) -> None:
        self.callbacks.add("event", function)

    def on_state(self, function: Callable[..., Any]) -> None:
        self.callbacks.add("state", function)

    def on_reload(self, function: Callable[..., Any]) -> None:
        self.callbacks.add("reload", function)

    def on_send_failed(self, function: Callable[..., Any]) -> None:
        self.callbacks.add("failed", function)

    def post(self, conversation: str, text: str) -> None:
        self.calls.append((conversation, text))

    def force_transport(self, name: str | None) -> None:
        self.calls.append(("transport", name))

    def _answer(self) -> None:
        if self.answers:
            raise self.answers.pop(0)

    async def users(self, prefix: str, limit: int | None = None) -> list[User]:
        self._answer()
        fold = prefix.casefold()
        return [user for user in self.people if user.id.startswith(fold) or user.name.casefold().startswith(fold)]

    async def user(self, user: str) -> User:
        self.calls.append(("user", user))
        self.state.learn_name(user, f"Name of {user}")
        return User(user, f"Name of {user}")

    async def create_direct(self, user: str) -> Conversation:
        self._answer()
        self.calls.append(("direct", user))
        return Conversation(f"new-{user}", "direct", None, members=[Member("lihua", "李华"), Member(user, user)])

    async def history(self, conversation: str, *, limit: int) -> History:
        self._answer()
        self.calls.append(("history", limit))
        return History([event for event in self.events if event.conversation == conversation][-limit:])

    async def watchers(self) -> WatcherList:
        self._answer()
        return WatcherList(self.watching, "e.6")

    async def read(self, conversation: str, seq: int) -> None:
        self.calls.append(("read", (conversation, seq)))

    async def online(self) -> list[Online]:
        self._answer()
        return [
            Online("lihua", "李华", "online", None, [Device("laptop", "websocket"), Device("手机", "sse")]),
            Online("wangfang", "王芳", "busy", "开会", [Device("desk", "poll")]),
        ]

    async def ping(self) -> float:
        self._answer()
        return 0.00321


class Room:
    """A chat, what it showed, and the verbs of a test."""

    def __init__(self, *, interactive: bool = True, language: Language = "zh") -> None:
        self.client = FakeClient()
        self.lines: list[str] = []
        self.chat = Chat(
            cast(Client, self.client), Words(language), self._show, hook=None, interactive=interactive, columns=lambda: 80
        )
        self.chat.choose(None)

    def _show(self, line: Line) -> None:
        self.lines.append(text_of(line, colour=False))

    async def type(self, *lines: str) -> list[str]:
        """What is shown after these lines."""
        self.lines.clear()
        for line in lines:
            await self.chat.line(line)
        return self.lines

    async def happen(self, event: Event) -> list[str]:
        self.lines.clear()
        self.client.state.apply_event(event)
        await self.client.callbacks.call("event", event)
        return self.lines

    async def link(self, *links: Link) -> list[str]:
        self.lines.clear()
        for link in links:
            self.client.link = link
            await self.client.callbacks.call("state", link)
        return self.lines


def said(text: str, conversation: str = "lobby", sender: str = "wangfang", position: int = 6) -> Event:
    return Event(f"e.{position}", conversation, position, "message", sender, 0, {"type": "text", "text": text})


# Sending


async def test_text_goes_to_the_current_conversation_at_first_the_lobby() -> None:
    room = Room()
    assert await room.type("你好", "::q", "", ":open 项目组", "大家好") == ["当前会话：项目组", "还没有消息。"]
    assert [call for call in room.client.calls if call[0] in ("lobby", "c7")] == [
        ("lobby", "你好"),
        ("lobby", ":q"),
        ("c7", "大家好"),
    ]


@pytest.mark.parametrize("person", ["wangfang", "WangFang"])
async def test_private_text_by_id_needs_no_question_when_the_two_know_each_other(person: str) -> None:
    room = Room()
    room.client.answers = [AssertionError("asked the server")]  # type: ignore[list-item]
    assert await room.type(f"{person};;周五见") == []
    assert room.client.calls == [("d1", "周五见")]


async def test_who_answers_privately_has_read() -> None:
    room, pipe = Room(), Room(interactive=False)
    for one in (room, pipe):
        one.client.post = lambda conversation, text: _Done()  # type: ignore[method-assign, assignment, misc]
        await one.happen(said("在吗", "d1", position=9))
        await one.type("wangfang;;在")
    assert ("read", ("d1", 9)) in room.client.calls
    assert pipe.client.calls == []


async def test_private_text_by_name_makes_the_conversation() -> None:
    room = Room()
    assert await room.type("张 伟;;你好") == []
    assert room.client.calls == [("direct", "zhang"), ("new-zhang", "你好")]


async def test_name_of_two_people_is_sent_to_neither() -> None:
    room = Room()
    assert await room.type("王芳;;你好") == ["“王芳”有多位：wangfang（王芳）、wf2（王芳）。请用编号。"]
    assert (room.client.calls, room.chat.failures) == ([], 1)


@pytest.mark.parametrize(("language", "sentence"), [("zh", "没有找到“nobody”。"), ("en", "Nobody is called “nobody”.")])
async def test_name_of_nobody_is_said(language: Language, sentence: str) -> None:
    assert await Room(language=language).type("nobody;;x") == [sentence]


async def test_person_is_told_at_once_and_a_pipe_tries_again() -> None:
    room = Room()
    room.client.answers = [Unreachable("no server")]
    assert await room.type("张 伟;;一") == ["未能完成：no server"]
    pipe = Room(interactive=False)
    pipe.client.answers = [Unreachable(), Overloaded(retry_after=0.01)]
    pipe.client.post = lambda conversation, text: pipe.client.calls.append((conversation, text)) or _Done()  # type: ignore[method-assign, assignment, func-returns-value]
    assert await pipe.type("张 伟;;一") == []
    assert pipe.client.calls[-1] == ("new-zhang", "一")
    pipe.client.answers = [Forbidden("不行")]
    assert await pipe.type("张 伟;;二") == ["未能完成：不行"]
    assert pipe.chat.failures == 1


class _Done:
    def __await__(self) -> Any:
        return iter(())


async def test_what_is_typed_without_a_connection_is_not_silently_gone() -> None:
    room = Room()
    await room.link(Link("waiting", "websocket", 3.0, "refused"))
    assert await room.type("在吗\n在吗") == ["未连接，连上后发送：在吗␊在吗"]
    assert room.client.calls == [("lobby", "在吗\n在吗")]


async def test_refused_message_is_shown_with_its_text() -> None:
    room = Room(language="en")
    entry = Entry("lihua", "c", "lobby", {"type": "text", "text": "too \x1b long"})
    room.lines.clear()
    await room.client.callbacks.call("failed", entry, NotFound("gone"))
    assert room.lines == ["Not sent: gone  Text: too ␛ long  Press ↑ to get it back."]
    assert room.chat.failures == 1


# Commands


@pytest.mark.parametrize(
    ("language", "line", "shown"),
    [
        ("zh", ":lsit", ["没有命令 :lsit。您是要 :list 吗？"]),
        ("en", ":lsit", ["There is no command :lsit. Did you mean :list?"]),
        ("zh", ":xyz\x1b", ["没有命令 :xyz␛。输入 :all 查看全部命令。"]),
        ("zh", ":transport smoke", ["传输方式只能是 auto、websocket、sse、longpoll、poll。"]),
        ("en", ":pu", ["Write the beginning of a name or id, for example :pu an"]),
        ("zh", ":pu 张", ["zhang            张 伟"]),
        ("zh", ":pu 无", ["没有找到“无”。"]),
        ("en", ":open", ["Write a title or a number, for example :open 1"]),
        ("en", ":open nowhere", ["There is no conversation “nowhere”. :list shows them."]),
        ("zh", ":open 王芳", ["当前会话：王芳", "还没有消息。"]),
        ("zh", ":emoji 9999999999999", None),
        ("zh", ":list", ["   1 项目组                   2 条未读", "   2 王芳", "*  3 大厅"]),
        (
            "zh",
            ":olu",
            [
                "lihua          李华           在线   laptop (websocket)、手机 (sse)",
                "wangfang       王芳           忙碌   desk (poll)  “开会”",
            ],
        ),
        (
            "en",
            ":info",
            [
                "user      lihua (李华)",
                "server    http://server",
                "transport websocket, connected",
                "cursor    e.5",
                "delay     3.2 ms",
                "unsent    0",
            ],
        ),
    ],
)
async def test_commands(language: Language, line: str, shown: list[str] | None) -> None:
    room = Room(language=language)
    got = await room.type(line)
    assert got
    assert shown is None or got == shown


async def test_transport_is_forced_and_auto_chooses_again() -> None:
    room = Room()
    await room.type(":transport SSE", ":transport auto")
    assert room.client.calls == [("transport", "sse"), ("transport", None)]


async def test_number_means_the_conversation_that_the_list_showed() -> None:
    room = Room()
    shown = await room.type(":list")
    number = next(line.split()[0].strip("*") for line in shown if "项目组" in line)
    await room.happen(said("新的消息把它排到前面", "d1"))
    assert await room.type(f":open {number}") == ["当前会话：项目组", "还没有消息。"]


async def test_opening_a_person_makes_the_conversation() -> None:
    room = Room()
    assert (await room.type(":open zhang"))[0] == "当前会话：zhang"
    assert room.chat.current == "new-zhang"


async def test_history_shows_marks_as_read_and_asks_no_more_than_allowed() -> None:
    room = Room()
    room.client.events = [said("一", position=1), said("二", sender="lihua", position=2), said("三", sender="old", position=3)]
    shown = await room.type(":history 100000")
    assert [line.split(" ", 2)[2] for line in shown] == ["#1 王芳: 一", "#2 我: 二", "#3 Name of old: 三"]
    assert ("history", 500) in room.client.calls
    assert ("read", ("lobby", 3)) in room.client.calls


async def test_failing_command_is_said() -> None:
    room = Room()
    room.client.answers = [Unreachable("no answer \x07")]
    assert await room.type(":olu") == ["未能完成：no answer ␇"]


async def test_quit_ends_a_conversation_and_a_pipe_only_when_all_was_sent() -> None:
    room, pipe = Room(), Room(interactive=False)
    await room.type(":q")
    await pipe.type(":q")
    assert (room.chat.ended.is_set(), room.chat.has_quit) == (True, True)
    assert (pipe.chat.ended.is_set(), pipe.chat.has_quit) == (False, True)


# Events


async def test_messages_here_elsewhere_and_private() -> None:
    room = Room()
    assert (await room.happen(said("早", position=6)))[0].endswith(" 王芳: 早")
    assert (await room.happen(said("一\n二", "c7", position=7)))[0].endswith(" [项目组] 王芳: 一\n                 二")
    assert (await room.happen(said("悄悄", "d1", position=8)))[0].endswith(" [私聊] 王芳: 悄悄")
    assert (await room.happen(said("好", "d1", "lihua", position=9)))[0].endswith(" [私聊 王芳] 我: 好")
    assert [call for call in room.client.calls if call[0] == "read"] == [("read", ("lobby", 6))]


async def test_pipe_prints_others_marks_nothing_as_read_and_not_the_own() -> None:
    room = Room(interactive=False)
    assert len(await room.happen(said("早", position=6))) == 1
    assert await room.happen(said("自己的", sender="lihua", position=7)) == []
    assert room.client.calls == []


async def test_stranger_is_asked_for_once() -> None:
    room = Room()
    await room.happen(said("一", sender="new", position=6))
    assert (await room.happen(said("二", sender="new", position=7)))[0].endswith(" Name of new: 二")
    assert room.client.calls.count(("user", "new")) == 1


@pytest.mark.parametrize(
    ("kind", "content", "sender", "sentence"),
    [
        ("create", {"kind": "group", "title": "新组", "members": []}, "wangfang", "王芳 创建了会话"),
        ("create", {"kind": "direct", "members": []}, "wangfang", None),
        ("create", {"kind": "group", "members": []}, None, None),
        ("settings", {"title": "新\n名"}, "wangfang", "会话改名为“新␊名”"),
        ("settings", {"history": "all"}, "wangfang", None),
        ("member", {"action": "add", "users": [{"id": "x", "name": "小\x1b明"}]}, "wangfang", "王芳 邀请 小␛明 加入"),
        ("member", {"action": "add", "users": [{"id": "x", "name": "小明"}]}, None, "小明 加入"),
        ("member", {"action": "add", "users": [{"id": f"u{at}"} for at in range(30)]}, None, "等 30 人 加入"),
        ("member", {"action": "leave", "users": [{"id": "wf2", "name": "王芳"}]}, "wf2", "王芳 离开了会话"),
        ("member", {"action": "role", "users": []}, "wangfang", None),
        ("member", {"action": "remove", "users": "?"}, "wangfang", "王芳 移出了"),
        ("poll", {}, "wangfang", None),
    ],
)
async def test_other_events(kind: str, content: dict[str, Any], sender: str | None, sentence: str | None) -> None:
    shown = await Room().happen(Event("e.6", "lobby", 6, kind, sender, 0, content))
    if sentence is None:
        assert shown == []
    else:
        assert len(shown) == 1
        assert sentence in shown[0]


# The connection


async def test_connection_is_spoken_of_when_it_changes_and_not_at_each_try() -> None:
    room = Room()
    waits = [Link("waiting", "websocket", wait, "refused \x1b") for wait in (0.3, 0.8, 1.7, 3.0, 9.0)]
    assert await room.link(Link("connecting", "websocket"), Link("online", "websocket")) == ["已连接（websocket）"]
    assert await room.link(*waits) == ["连接中断，会自动重连：refused ␛"]
    assert room.chat.trouble() == "（未连接）"
    assert await room.link(Link("online", "sse")) == ["已连接（sse）"]
    assert room.chat.trouble() == ""
    assert await room.link(waits[0], Link("online", "sse")) == []


async def test_one_of_several_servers_is_named_with_the_transport() -> None:
    room = Room(language="en")
    room.client.servers = ("http://a", "http://b")
    assert await room.link(Link("online", "sse", server="http://b")) == ["Connected (sse, http://b)"]


async def test_pipe_says_nothing_of_the_connection() -> None:
    room = Room(interactive=False)
    assert await room.link(Link("online", "websocket"), Link("waiting", "websocket", 9.0), Link("online", "sse")) == []


@pytest.mark.parametrize(("connection", "logged_out"), [("login", True), ("stopped", False)])
async def test_end_by_the_server_ends_the_chat(connection: Any, logged_out: bool) -> None:
    room = Room(interactive=False)
    assert len(await room.link(Link(connection, "websocket", 0.0, "revoked"))) == 1
    assert (room.chat.ended.is_set(), room.chat.logged_out, room.chat.failures) == (True, logged_out, 1)


async def test_welcome_shows_the_last_messages_that_are_not_new() -> None:
    room = Room()
    room.client.events = [
        said("旧", position=4),
        Event("e.5", "lobby", 5, "settings", "wangfang", 0, {"title": "大厅"}),
        said("新", position=6),
    ]
    room.lines.clear()
    await room.chat.welcome(10)
    assert room.lines[0] == "鸿雁 · 李华 · 输入 :all 查看命令，:q 退出"
    assert room.lines[1].endswith(" 王芳: 旧")
    assert room.lines[2:] == ["1 个会话有未读消息，输入 :list 查看"]


async def test_who_asks_to_see_one_is_told_at_the_start_and_when_it_happens() -> None:
    room = Room()
    room.client.watching = [Watcher("ben@other.example", "sees"), Watcher("romeo@other.example", "asks")]
    room.lines.clear()
    await room.chat.welcome(10)
    assert room.lines[-1] == "1 人请求查看您的在线状态，输入 :requests 查看"
    lane = f"user:{ME.id}"
    asks = Event("e.7", lane, 1, "watcher", None, 0, {"id": "eve@other.example", "state": "asks"})
    (line,) = await room.happen(asks)
    assert line.endswith(
        " eve@other.example 请求查看您的在线状态；输入 :allow eve@other.example 允许，:refuse eve@other.example 拒绝"
    )
    assert "[" not in line
    assert await room.happen(Event("e.8", lane, 2, "watcher", None, 0, {"id": "eve@other.example"})) == []


async def test_without_any_conversation_one_is_told_how_to_begin() -> None:
    room = Room()
    room.client.state.apply_snapshot(Snapshot("e.9", ME, []))
    room.chat.choose(None)
    assert await room.type("你好", ":list", ":history") == ["还没有会话。请用“姓名;;文字”开始。"] * 3
    assert room.chat.title() == ""


async def test_pipe_with_too_many_on_their_way_waits() -> None:
    room = Room(interactive=False)
    first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done = [first]

    def post(conversation: str, text: str) -> Any:
        room.client.calls.append((conversation, text))
        return done[0]

    room.client.post = post  # type: ignore[method-assign]
    typing = asyncio.create_task(room.type(*(str(at) for at in range(1500))))
    while len(room.client.calls) < 1001:
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(room.client.calls) == 1001
    first.set_result(None)
    await typing
    assert len(room.client.calls) == 1500


async def test_after_a_reload_the_last_messages_are_shown_again() -> None:
    room = Room()
    room.client.events = [said("错过的", position=4), said("还会来的", position=6)]
    await room.client.callbacks.call("reload", room.client.state)
    assert len(room.lines) == 2
    assert room.lines[1].endswith("王芳: 错过的"), "what is behind the cursor comes as an event"
    assert room.client.calls == [("history", 10), ("read", ("lobby", 4))]


async def test_after_a_reload_a_pipe_is_not_told_again() -> None:
    room = Room(interactive=False)
    room.client.events = [said("错过的", position=4)]
    await room.client.callbacks.call("reload", room.client.state)
    assert room.lines == []
