"""Following the log, as plays: transports that drop, lie down, end with verdicts, and are changed in the middle of a batch."""

import asyncio
import itertools
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hongyan.client.backoff import Backoff
from hongyan.client.callbacks import Callbacks
from hongyan.client.errors import Interposed, StreamEnded, TransportBroken, Unreachable
from hongyan.client.follow import Follower, Link
from hongyan.client.intake import Intake
from hongyan.client.ladder import Ladder
from hongyan.client.model import Batch, Conversation, Event, Me, Snapshot, TransportName
from hongyan.client.servers import Servers
from hongyan.client.state import State
from hongyan.client.transports import Transport
from hongyan.core.errors import HongyanError, InvalidCursor, NotAuthenticated, Overloaded, RateLimited

from .plays import EPOCH, HOLD, OPENED, Scripted, batch, cursor, message, now, play, until


class Stage:
    """A follower and what it hands over, with the transports of a play."""

    def __init__(
        self,
        *transports: Transport,
        draw: Callable[[], float] = lambda: 0.5,
        ladder: Ladder | None = None,
        servers: Sequence[str] = ("http://one",),
    ) -> None:
        self.transports = {transport.name: transport for transport in transports}
        self.ladder = ladder or Ladder([transport.name for transport in transports])
        self.servers = Servers(servers, draw=lambda: 0.0, clock=now)
        self.callbacks = Callbacks()
        self.state = State()
        self.links: list[Link] = []
        self.link_times: list[float] = []
        self.got: list[int] = []
        self.kept: list[str] = []
        self.reloads: list[int] = []
        self.signals: list[Any] = []
        self.snapshot: Callable[[], Snapshot] = lambda: Snapshot(cursor(0), Me("lihua", "李华"))
        self.callbacks.add("event", lambda event: self.got.append(event.position))
        self.callbacks.add("signal", self.signals.append)
        self.callbacks.add("reload", lambda state: self.reloads.append(state.position))
        self.intake = Intake(
            self.state,
            self.callbacks,
            load=self._load,
            fetch=self._fetch,
            restart=lambda cursor: self.follower.restart(cursor),
            keep=self.kept.append,
        )
        self.follower = Follower(
            self.transports,
            self.ladder,
            self.servers,
            backoff=Backoff(draw=draw),
            take=self.intake.take,
            changed=self._changed,
            clock=now,
        )

    async def _load(self) -> Snapshot:
        await asyncio.sleep(0.001)
        snapshot = self.snapshot()
        self.state.apply_snapshot(snapshot)
        return snapshot

    async def _fetch(self, conversation: str) -> Conversation:
        raise AssertionError(conversation)

    async def _changed(self, link: Link) -> None:
        self.links.append(link)
        self.link_times.append(now())

    @property
    def connections(self) -> list[str]:
        return [link.connection for link in self.links]


def perform(stage: Stage, act: Callable[[Stage], Coroutine[Any, Any, None]], begin: str = cursor(0)) -> None:
    async def scene() -> None:
        stage.intake.begin(begin)
        following = asyncio.create_task(stage.follower.run(begin))
        try:
            await act(stage)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        assert all(getattr(transport, "open", 0) == 0 for transport in stage.transports.values())

    play(scene())


def got(*positions: int) -> Callable[[Stage], Coroutine[Any, Any, None]]:
    async def act(stage: Stage) -> None:
        await until(lambda: stage.got == list(positions))
        assert stage.kept[-1] == cursor(positions[-1])

    return act


# Exactly once, in order


def test_events_come_in_order_and_the_cursor_is_kept_behind_each() -> None:
    stage = Stage(Scripted("websocket", [OPENED, batch(1, 2), batch(3), HOLD]))
    perform(stage, got(1, 2, 3))
    assert stage.kept == [cursor(at) for at in range(4)]
    assert stage.connections[:2] == ["connecting", "online"]


def test_drop_is_continued_at_the_cursor_of_what_came() -> None:
    socket = Scripted("websocket", [OPENED, batch(1, 2), TransportBroken()], [OPENED, batch(3), HOLD])
    perform(Stage(socket), got(1, 2, 3))
    assert socket.asked == [cursor(0), cursor(2)]


def test_overlapping_batches_are_handed_over_once() -> None:
    perform(
        Stage(Scripted("websocket", [OPENED, batch(1, 2, 3), batch(2, 3, 4), batch(1), batch(4, 5), HOLD])), got(1, 2, 3, 4, 5)
    )


def test_heartbeats_move_the_cursor() -> None:
    stage = Stage(Scripted("sse", [OPENED, Batch(cursor(40)), TransportBroken()], [OPENED, HOLD]))

    async def act(stage: Stage) -> None:
        await until(lambda: stage.kept[-1] == cursor(40))
        await until(lambda: stage.transports["sse"].asked == [cursor(0), cursor(40)])  # type: ignore[attr-defined]

    perform(stage, act)


def test_switch_in_the_middle_of_a_batch_hands_over_each_event_once() -> None:
    """The callback of event 2 of 4 asks for another transport, which begins behind the batch that is being worked on."""
    socket = Scripted("websocket", [OPENED, batch(1, 2, 3, 4), batch(5), HOLD])
    stream = Scripted("sse", [OPENED, batch(3, 4, 5), batch(6), HOLD])
    stage = Stage(socket, stream)

    async def switch(event: Event) -> None:
        if event.position == 2:
            stage.ladder.force("sse")
            stage.follower.restart()
            await asyncio.sleep(1)

    stage.callbacks.add("event", switch)
    perform(stage, got(1, 2, 3, 4, 5, 6))
    assert stream.asked in ([cursor(4)], [cursor(5)])


def test_slow_callback_holds_up_the_transport_and_not_the_memory() -> None:
    given_out: list[int] = []

    class Flood(Scripted):
        async def stream(self, cursor: str) -> AsyncGenerator[Batch, None]:
            yield OPENED
            for at in range(1, 100_000):
                given_out.append(at)
                yield batch(at)

    stage = Stage(Flood("websocket"))

    async def slow(_: Event) -> None:
        await asyncio.sleep(60)

    stage.callbacks.add("event", slow)

    async def act(stage: Stage) -> None:
        await until(lambda: len(stage.got) == 10)
        assert len(given_out) < 100

    perform(stage, act)
    assert stage.got == list(range(1, 11))


def test_signals_go_first_when_the_queue_is_full() -> None:
    typing = Batch(signals=[{"type": "typing"}])
    acts = [OPENED, *(batch(at) for at in range(1, 70)), *[typing] * 500, batch(70), HOLD]
    stage = Stage(Scripted("websocket", acts))

    async def slow(event: Event) -> None:
        if event.position == 1:
            await asyncio.sleep(10)

    stage.callbacks.add("event", slow)
    perform(stage, got(*range(1, 71)))
    assert len(stage.signals) < 100


class Unreliable:
    """Serves a log from any cursor and breaks, ends, repeats or stalls at any moment."""

    def __init__(self, name: TransportName, log: list[Event], dice: random.Random) -> None:
        self.name = name
        self.log = log
        self.dice = dice
        self.open = 0

    async def stream(self, cursor: str) -> AsyncGenerator[Batch, None]:
        dice, at = self.dice, int(cursor.partition(".")[2])
        if dice.random() < 0.2:
            raise dice.choice([Unreachable(), TransportBroken(), Overloaded(retry_after=1.0), Interposed(502), ValueError()])
        self.open += 1
        try:
            yield OPENED
            while True:
                await asyncio.sleep(dice.random() * dice.choice([0, 0, 1]))
                if dice.random() < 0.15:
                    raise dice.choice(
                        [TransportBroken(), StreamEnded("resume"), StreamEnded("later", 1.0), StreamEnded("later"), Unreachable()]
                    )
                end = min(len(self.log), at + dice.randint(0, 7))
                begin = max(0, at - dice.choice([0, 0, 3]))
                yield Batch(f"{EPOCH}.{max(end, at)}", self.log[begin:end])
                at = max(end, at)
        finally:
            self.open -= 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_any_weather_each_event_exactly_once_in_order(seed: int) -> None:
    dice = random.Random(seed)
    log = [message(at) for at in range(1, 121)]
    names: list[TransportName] = ["websocket", "sse", "longpoll", "poll"]
    servers = dice.choice([("http://a",), TWO, THREE])
    stage = Stage(*(Unreliable(name, log, dice) for name in names), draw=dice.random, servers=servers)

    async def callback(_: Event) -> None:
        if dice.random() < 0.1:
            await asyncio.sleep(dice.random() * 3)

    stage.callbacks.add("event", callback)

    async def act(stage: Stage) -> None:
        while len(stage.got) < len(log):
            await asyncio.sleep(dice.random() * 4)
            if dice.random() < 0.3:
                stage.ladder.force(dice.choice([None, *names]))
                stage.follower.restart()

    perform(stage, act)
    assert stage.got == list(range(1, 121))


# The ladder


def test_falls_back_rung_by_rung_and_climbs_again() -> None:
    refused = Interposed(403)
    socket = Scripted("websocket", [refused], [refused], [OPENED, batch(3), HOLD])
    stream = Scripted("sse", [refused], [OPENED, TransportBroken("nothing came through")])
    poll = Scripted("longpoll", [OPENED, batch(1), batch(2), HOLD])
    stage = Stage(socket, stream, poll)
    perform(stage, got(1, 2, 3))
    assert [link.transport for link in stage.links if link.connection == "online"] == ["sse", "longpoll", "websocket"]
    assert stage.link_times[-1] >= 60
    assert socket.asked == [cursor(0), cursor(0), cursor(2)]


def test_failed_climb_goes_on_below_without_loss() -> None:
    refused = Interposed(403)
    socket = Scripted("websocket", *[[refused]] * 20)
    stream = Scripted("sse", [OPENED, batch(1), HOLD], [OPENED, batch(2), HOLD], [OPENED, batch(3), HOLD])
    perform(Stage(socket, stream), got(1, 2, 3))
    assert stream.asked == [cursor(0), cursor(1), cursor(2)]


def test_server_that_is_away_is_no_reason_to_fall() -> None:
    socket = Scripted("websocket", *[[Unreachable()]] * 30, [OPENED, batch(1), HOLD])
    stage = Stage(socket, Scripted("sse"))
    perform(stage, got(1))
    assert asked(stage, "sse") == []


def asked(stage: Stage, name: TransportName) -> list[str]:
    """The cursors that this transport was opened with."""
    transport = stage.transports[name]
    assert isinstance(transport, Scripted)
    return transport.asked


def test_waits_begin_again_after_the_server_was_heard() -> None:
    away = [[Unreachable()]] * 3
    socket = Scripted("websocket", *away, [OPENED, batch(1), Unreachable()], [Unreachable()], [OPENED, batch(2), HOLD])
    stage = Stage(socket, draw=lambda: 1.0)
    perform(stage, got(1, 2))
    assert [link.wait for link in stage.links if link.connection == "waiting"] == [0.5, 1, 2, 0.5, 1]


def test_climb_that_succeeded_is_not_undone_by_one_failure() -> None:
    refused, broken = Interposed(403), TransportBroken()
    socket = Scripted("websocket", [refused], [refused], [OPENED, batch(2), broken], [refused], [OPENED, batch(3), HOLD])
    stream = Scripted("sse", [OPENED, batch(1), HOLD])
    perform(Stage(socket, stream), got(1, 2, 3))
    assert len(stream.asked) == 1
    assert len(socket.asked) == 5


def test_one_failure_of_its_own_after_many_of_others_is_no_reason_to_fall() -> None:
    socket = Scripted(
        "websocket", [TransportBroken()], [OPENED, batch(1), TransportBroken()], [TransportBroken()], [OPENED, batch(2), HOLD]
    )
    stage = Stage(socket, Scripted("sse"))
    perform(stage, got(1, 2))
    assert asked(stage, "sse") == []


def test_waits_grow_to_half_a_minute_while_the_server_is_away() -> None:
    stage = Stage(Scripted("websocket", *[[Unreachable()]] * 10, [OPENED, batch(1), HOLD]), draw=lambda: 1.0)
    perform(stage, got(1))
    assert [link.wait for link in stage.links if link.connection == "waiting"] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]


def test_transport_that_was_heard_is_tried_again_and_not_left() -> None:
    socket = Scripted("websocket", *[[OPENED, batch(at), TransportBroken()] for at in range(1, 9)], [HOLD])
    stage = Stage(socket, Scripted("sse"))
    perform(stage, got(*range(1, 9)))
    assert asked(stage, "sse") == []


def test_opened_and_never_heard_counts_as_broken() -> None:
    socket = Scripted("websocket", *[[OPENED, TransportBroken("silence")]] * 2)
    perform(Stage(socket, Scripted("sse", [OPENED, batch(1), HOLD])), got(1))


def test_forced_transport_is_kept_to() -> None:
    stream = Scripted("sse", *[[TransportBroken()]] * 5, [OPENED, batch(1), HOLD])
    stage = Stage(Scripted("websocket"), stream)
    stage.ladder.force("sse")
    perform(stage, got(1))
    assert {link.transport for link in stage.links} == {"sse"}


def test_forcing_does_not_sit_out_a_wait() -> None:
    stage = Stage(Scripted("websocket", *[[Unreachable()]] * 9), Scripted("sse", [OPENED, batch(1), HOLD]), draw=lambda: 1.0)

    async def act(stage: Stage) -> None:
        await until(lambda: any(link.wait >= 8 for link in stage.links))
        before = now()
        stage.ladder.force("sse")
        stage.follower.restart()
        await until(lambda: stage.got)
        assert now() - before < 0.1

    perform(stage, act)


# Verdicts and refusals


def test_resume_goes_on_at_once() -> None:
    socket = Scripted("websocket", [OPENED, batch(1), lambda: asyncio.sleep(5), StreamEnded("resume")], [OPENED, batch(2), HOLD])
    stage = Stage(socket)
    perform(stage, got(1, 2))
    assert "waiting" not in stage.connections


def test_server_that_resumes_everybody_at_once_is_not_asked_without_a_pause() -> None:
    stage = Stage(Scripted("websocket", *[[OPENED, batch(at), StreamEnded("resume")] for at in range(1, 30)], [HOLD]))
    perform(stage, got(*range(1, 30)))
    assert now_of(stage) > 3.0


def now_of(stage: Stage) -> float:
    return stage.link_times[-1]


def test_later_waits_as_told_with_jitter_on_top() -> None:
    socket = Scripted("websocket", [OPENED, batch(1), StreamEnded("later", 20.0, "full")], [OPENED, batch(2), HOLD])
    stage = Stage(socket)
    perform(stage, got(1, 2))
    (waiting,) = [link for link in stage.links if link.connection == "waiting"]
    assert 20.0 < waiting.wait <= 40.0
    assert waiting.reason == "full"


def test_later_without_a_number_backs_off() -> None:
    stage = Stage(Scripted("websocket", *[[StreamEnded("later")]] * 8, [OPENED, batch(1), HOLD]), draw=lambda: 1.0)
    perform(stage, got(1))
    assert [link.wait for link in stage.links if link.connection == "waiting"][-1] == 30


def test_overloaded_server_is_left_in_peace_and_the_transport_kept() -> None:
    socket = Scripted("websocket", *[[Overloaded("storm", retry_after=5.0)]] * 4, [OPENED, batch(1), HOLD])
    stage = Stage(socket, Scripted("sse"))
    perform(stage, got(1))
    assert all(link.wait >= 5 for link in stage.links if link.connection == "waiting")
    assert asked(stage, "sse") == []


@pytest.mark.parametrize("end", [StreamEnded("login", None, "revoked"), NotAuthenticated("revoked")])
def test_ended_token_waits_for_a_log_in(end: Exception) -> None:
    socket = Scripted("websocket", [OPENED, batch(1), end], [OPENED, batch(2), HOLD])
    stage = Stage(socket)

    async def act(stage: Stage) -> None:
        await until(lambda: stage.follower.link.connection == "login")
        await asyncio.sleep(3600)
        assert socket.asked == [cursor(0)]
        assert stage.follower.link.reason == "revoked"
        stage.follower.restart()
        await until(lambda: stage.got == [1, 2])

    perform(stage, act)


def test_stop_ends_following_after_everything_was_handed_over() -> None:
    stage = Stage(Scripted("websocket", [OPENED, batch(1, 2, 3), StreamEnded("stop", None, "a fault of yours")]))

    async def slow(_: Event) -> None:
        await asyncio.sleep(100)

    stage.callbacks.add("event", slow)

    async def scene() -> None:
        stage.intake.begin(cursor(0))
        await stage.follower.run(cursor(0))
        assert stage.got == [1, 2, 3]
        assert (stage.follower.link.connection, stage.follower.link.reason) == ("stopped", "a fault of yours")

    play(scene())


def test_fault_inside_stops_and_skips_nothing(caplog: pytest.LogCaptureFixture) -> None:
    bad = Batch(cursor(3), [message(2), Event("no cursor", "lobby", 3, "message")])
    stage = Stage(Scripted("websocket", [OPENED, batch(1), bad, batch(4), HOLD]))

    async def scene() -> None:
        stage.intake.begin(cursor(0))
        await stage.follower.run(cursor(0))
        assert stage.got == [1, 2]
        assert stage.kept[-1] == cursor(2)
        assert stage.follower.link.connection == "stopped"
        assert "following has ended" in caplog.text

    play(scene())


# Several servers

TWO = ("http://a", "http://b")
THREE = (*TWO, "http://c")


class Visits:
    """Functions for acts that note which server a stream was opened at, and when."""

    def __init__(self) -> None:
        self.stage: Stage | None = None
        self.urls: list[str] = []
        self.times: list[float] = []

    def note(self) -> None:
        assert self.stage is not None
        self.urls.append(self.stage.servers.current.url[-1])
        self.times.append(now())


def visit(*acts: Sequence[Any], servers: Sequence[str], draw: Callable[[], float] = lambda: 0.5) -> tuple[Stage, Visits]:
    visits = Visits()
    visits.stage = Stage(Scripted("websocket", *([visits.note, *act] for act in acts)), servers=servers, draw=draw)
    return visits.stage, visits


def test_stays_on_its_server_and_goes_to_the_next_at_once_when_that_is_gone() -> None:
    stage, visits = visit(
        [OPENED, batch(1), lambda: asyncio.sleep(600), TransportBroken()], [OPENED, batch(2), HOLD], servers=TWO
    )
    perform(stage, got(1, 2))
    assert visits.urls == ["a", "b"]
    assert "waiting" not in stage.connections
    assert stage.links[-1].server == "http://b"


@pytest.mark.parametrize(
    "end", [StreamEnded("resume"), StreamEnded("later", 20.0), Overloaded("storm", retry_after=5.0), Interposed(502)]
)
def test_verdict_of_a_server_that_stops_is_followed_at_once(end: Exception) -> None:
    stage, visits = visit([OPENED, batch(1), end], [OPENED, batch(2), HOLD], servers=TWO)
    perform(stage, got(1, 2))
    assert visits.urls == ["a", "b"]
    assert visits.times == [0, 0]
    assert "waiting" not in stage.connections


def test_all_are_tried_before_the_first_wait() -> None:
    stage, visits = visit(*[[Unreachable()]] * 6, [OPENED, batch(1), HOLD], servers=THREE, draw=lambda: 1.0)
    perform(stage, got(1))
    assert visits.urls == ["a", "b", "c", "a", "b", "c", "a"]
    assert visits.times == [0, 0, 0, 0.5, 0.5, 0.5, 1.5]
    assert [link.wait for link in stage.links if link.connection == "waiting"] == [0.5, 1]


def test_servers_that_send_everybody_to_one_another_are_not_asked_without_a_pause() -> None:
    acts = [[OPENED, batch(at), StreamEnded("resume")] for at in range(1, 60)]
    stage, visits = visit(*acts, [HOLD], servers=TWO)
    perform(stage, got(*range(1, 60)))
    assert visits.times[-1] > 3.0


def test_server_that_asked_for_time_has_it_while_the_others_are_away() -> None:
    away = [[Unreachable()]] * 5
    stage, visits = visit([OPENED, StreamEnded("later", 20.0)], *away, [OPENED, batch(1), HOLD], servers=TWO)
    perform(stage, got(1))
    assert not [at for url, at in zip(visits.urls, visits.times, strict=True) if url == "a" and 0 < at < 20]


def test_all_with_too_much_to_do_are_left_in_peace() -> None:
    acts = [[Overloaded("storm", retry_after=5.0)]] * 8
    stage, visits = visit(*acts, [OPENED, batch(1), HOLD], servers=TWO)
    perform(stage, got(1))
    for server in "ab":
        asked_at = [at for url, at in zip(visits.urls, visits.times, strict=True) if url == server]
        assert all(later - earlier >= 5 for earlier, later in itertools.pairwise(asked_at))


def test_refusal_of_the_user_is_no_reason_to_go_elsewhere() -> None:
    stage, visits = visit([RateLimited(retry_after=5.0)], [NotAuthenticated()], servers=TWO)

    async def act(stage: Stage) -> None:
        await until(lambda: stage.follower.link.connection == "login")

    perform(stage, act)
    assert visits.urls == ["a", "a"]


# limited


def epoch_changed(stage: Stage, after: int = 50) -> None:
    stage.snapshot = lambda: Snapshot(cursor(after, "e2"), Me("lihua", "李华"))


def test_limited_loads_everything_again_and_follows_from_the_snapshot() -> None:
    limited = Batch(cursor(48, "e2"), limited=True, reason="epoch")
    socket = Scripted(
        "websocket",
        [OPENED, batch(1), limited, batch(49, 50, 51, epoch="e2"), HOLD],
        [OPENED, batch(51, 52, epoch="e2"), HOLD],
    )
    stage = Stage(socket)
    epoch_changed(stage)
    perform(stage, lambda stage: until(lambda: stage.got == [1, 51, 52]))
    assert stage.reloads == [50]
    assert socket.asked == [cursor(0), cursor(50, "e2")]
    assert stage.kept[-1] == cursor(52, "e2")


def test_snapshot_of_a_node_that_lags_behind_leaves_no_hole() -> None:
    """The stream goes on from 48, the snapshot is of 45: 46 to 48 come again with the new stream, and first."""
    limited = Batch(cursor(48, "e2"), limited=True)
    socket = Scripted(
        "websocket",
        [OPENED, limited, batch(49, 50, epoch="e2"), batch(51, epoch="e2"), HOLD],
        [OPENED, batch(46, 47, 48, 49, 50, epoch="e2"), batch(51, 52, epoch="e2"), HOLD],
    )
    stage = Stage(socket)
    epoch_changed(stage, 45)
    perform(stage, lambda stage: until(lambda: stage.got == list(range(46, 53))))
    assert socket.asked[-1] == cursor(45, "e2")


def test_what_comes_in_the_moment_of_the_reload_does_not_move_its_cursor() -> None:
    loaded = asyncio.Event()
    socket = Scripted(
        "websocket",
        [OPENED, Batch(cursor(48, "e2"), limited=True), loaded.wait, batch(49, 50, epoch="e2"), HOLD],
        [OPENED, batch(46, 47, 48, 49, 50, epoch="e2"), HOLD],
    )
    stage = Stage(socket)

    def snapshot() -> Snapshot:
        loaded.set()
        return Snapshot(cursor(45, "e2"), Me("lihua", "李华"))

    stage.snapshot = snapshot
    perform(stage, lambda stage: until(lambda: stage.got == list(range(46, 51))))
    assert socket.asked == [cursor(0), cursor(45, "e2")]


def test_cursor_of_another_epoch_without_a_word_is_limited_too() -> None:
    stage = Stage(Scripted("websocket", [OPENED, batch(60, epoch="e2"), HOLD], [OPENED, batch(60, epoch="e2"), HOLD]))
    epoch_changed(stage)
    perform(stage, lambda stage: until(lambda: stage.got == [60]))
    assert stage.reloads == [50]


def test_refused_cursor_loads_again() -> None:
    socket = Scripted("websocket", [InvalidCursor()], [OPENED, batch(51, epoch="e2"), HOLD])
    stage = Stage(socket)
    epoch_changed(stage)
    perform(stage, lambda stage: until(lambda: stage.got == [51]))
    assert socket.asked == [cursor(0), cursor(50, "e2")]


def test_reload_with_an_ended_token_waits_for_the_log_in_and_hands_over_nothing_before() -> None:
    limited = Batch(cursor(48, EPOCH), limited=True, reason="too-old")
    socket = Scripted("websocket", [OPENED, limited, batch(49), HOLD], [OPENED, batch(51), HOLD])
    stage = Stage(socket)
    answers: list[HongyanError] = [NotAuthenticated(), NotAuthenticated()]

    def snapshot() -> Snapshot:
        if answers:
            raise answers.pop(0)
        return Snapshot(cursor(50), Me("lihua", "李华"))

    stage.snapshot = snapshot

    async def act(stage: Stage) -> None:
        for left in (1, 0):
            await until(lambda left=left: len(answers) == left)
            await asyncio.sleep(100)
            assert stage.got == []
            stage.intake.logged_in()
        await until(lambda: stage.got == [51])

    perform(stage, act)


# Callbacks and closing


def test_state_callback_is_not_cut_off_by_a_switch() -> None:
    stage = Stage(Scripted("websocket", [OPENED, HOLD]), Scripted("sse", [OPENED, batch(1), HOLD]))
    ended: list[str] = []
    first = stage._changed

    async def changed(link: Link) -> None:
        await first(link)
        if link.connection == "online":
            await asyncio.sleep(5)
            ended.append(link.transport)

    stage.follower._changed = changed

    async def act(stage: Stage) -> None:
        await until(lambda: "online" in stage.connections)
        stage.ladder.force("sse")
        stage.follower.restart()
        await until(lambda: stage.got == [1])
        assert ended == ["websocket", "sse"]

    perform(stage, act)


def test_stopped_intake_finishes_its_event_and_takes_no_other() -> None:
    stage = Stage(Scripted("websocket", [OPENED, batch(1, 2, 3), HOLD]))
    stage.callbacks.add("event", lambda event: stage.intake.stop())

    async def act(stage: Stage) -> None:
        await until(lambda: stage.got)
        await asyncio.sleep(10)
        assert stage.got == [1]
        assert stage.kept[-1] == cursor(1)

    perform(stage, act)
