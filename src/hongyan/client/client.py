"""The client: log in, send, read, and follow what happens, on whichever transport gets through."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from ssl import SSLContext
from types import TracebackType
from typing import Literal, Self

import msgspec

from hongyan.client.backoff import Backoff
from hongyan.client.callbacks import Callback, Callbacks
from hongyan.client.calls import Acting, Conversing, Filing, Owning, Timing, Watching, Writing
from hongyan.client.deliver import Delivery, Pending
from hongyan.client.errors import ClientError, Closed, TransportBroken, is_elsewhere, is_temporary, wait_of
from hongyan.client.follow import Follower, Link
from hongyan.client.ids import ClientIds
from hongyan.client.intake import Intake
from hongyan.client.ladder import ORDER, Ladder
from hongyan.client.marks import Marks
from hongyan.client.model import (
    Event,
    Json,
    Me,
    Online,
    Sent,
    Session,
    Snapshot,
    Status,
    TransportName,
    User,
)
from hongyan.client.outbox import Entry
from hongyan.client.rest import Rest, at
from hongyan.client.saved import Saved
from hongyan.client.search import Found, search
from hongyan.client.servers import Servers
from hongyan.client.state import State
from hongyan.client.transports import Transport
from hongyan.client.transports.poll import Polling
from hongyan.client.transports.sse import EventStream
from hongyan.client.transports.websocket import WebSocket
from hongyan.core.cursor import parse_cursor
from hongyan.core.errors import HongyanError, InvalidCursor, NotAuthenticated

log = logging.getLogger("hongyan.client")

_GRACE = 1.0
"""Seconds that a callback which is running has to its end when the client is closed."""


class _Users(msgspec.Struct):
    users: list[User] = []


class _Online(msgspec.Struct):
    users: list[Online] = []


class Client:
    """One user on one device.

        async with Client("http://127.0.0.1:8440") as client:
            await client.login("bob", password, "laptop")
            client.on("message", lambda event: print(event.sender, event.text))
            await client.start()
            await client.send("lobby", "大家好")

    `server` is a URL, several (a sequence, or with commas between them; a token from one is good for all), or a domain whose
    SRV records say where its servers are. One is used at a time, and the next one at once when it does not serve.

    `state` is a directory where token, cursor and unsent messages are kept between runs; without it all is in memory.
    Calls raise the typed errors of `hongyan.core.errors`, or Unreachable when there was no answer.
    """

    def __init__(
        self,
        server: str | Sequence[str],
        *,
        dns: str | None = None,
        token: str | None = None,
        state: Path | str | None = None,
        transport: TransportName | None = None,
        ssl: SSLContext | None = None,
        poll_pause: float = 2.0,
        longpoll_wait: int = 25,
        ladder: Ladder | None = None,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self.state = State()
        """What is known: conversations, members, unread counts, read marks."""
        self.me: Me | None = None
        self._servers = Servers(server, dns=dns)
        self._rest = Rest(self._servers, token=token, tls=ssl)
        self._saved = Saved(Path(state) if state is not None else None, self._servers.name)
        if token is None and (session := self._saved.session()) is not None:
            self._rest.token = session.token
            self.me = Me(session.user_id, session.name)
        self._ids = ClientIds()
        self._offer_calls()
        self._callbacks = Callbacks()
        self._socket = WebSocket(self._rest)
        self._ladder = ladder or Ladder(ORDER)
        self._ladder.force(transport)
        self._transports: dict[TransportName, Transport] = {
            "websocket": self._socket,
            "sse": EventStream(self._rest),
            "longpoll": Polling(self._rest, wait=longpoll_wait),
            "poll": Polling(self._rest, pause=poll_pause),
        }
        self._backoff = backoff
        self._intake = Intake(
            self.state,
            self._callbacks,
            load=self._load,
            fetch=self.conversation,
            restart=lambda cursor: self._follower.restart(cursor),
            keep=self._keep_cursor,
        )
        self._follower = Follower(
            self._transports,
            self._ladder,
            self._servers,
            backoff=backoff(),
            take=self._intake.take,
            changed=self._link_changed,
        )
        self._delivery = Delivery(self._saved.outbox, self._deliver, sent=self._on_sent, failed=self._on_failed, backoff=backoff)
        self._marks = Marks(self._tell_read)
        self.on("profile", self._renamed)
        self.on("unread", lambda event: self._marks.forget(event.content["conversation"]))
        self._loaded: Snapshot | None = None
        self._presence: tuple[Status, str | None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._at_login = asyncio.Event()
        """Nothing comes before somebody has logged in."""

    def _offer_calls(self) -> None:
        """The calls of `calls/`, which are this client's own to whoever uses it."""
        conversing, acting = Conversing(self._rest), Acting(self._rest, self._ids.next)
        self.create_direct, self.create_group = conversing.create_direct, conversing.create_group
        self.create_channel, self.channels, self.join = conversing.create_channel, conversing.channels, conversing.join
        self.change = conversing.change
        self.conversations, self.conversation, self.rename = conversing.conversations, conversing.conversation, conversing.rename
        self.members, self.add_members = conversing.members, conversing.add_members
        self.set_role, self.remove_member = conversing.set_role, conversing.remove_member
        self.bans, self.ban, self.lift_ban = conversing.bans, conversing.ban, conversing.lift_ban
        self.act, self.edit, self.recall, self.react, self.unreact = (
            acting.act, acting.edit, acting.recall, acting.react, acting.unreact
        )  # fmt: skip
        self.pin, self.unpin, self.vote, self.close_poll = acting.pin, acting.unpin, acting.vote, acting.close_poll
        self.history, self.message, self.edits, self.thread = acting.history, acting.message, acting.edits, acting.thread
        self.pins, self.readers = acting.pins, acting.readers
        writing = Writing(self.post_content)
        self.reply, self.reply_in_thread, self.mention = writing.reply, writing.reply_in_thread, writing.mention
        self.forward, self.poll = writing.forward, writing.poll
        owning, timing = Owning(self._rest, self._ids.next), Timing(self._rest, self._ids.next)
        self.own, self.draft, self.bookmark, self.unbookmark = owning.own, owning.draft, owning.bookmark, owning.unbookmark
        self.hide, self.unhide, self.mark_unread, self.mute = owning.hide, owning.unhide, owning.mark_unread, owning.mute
        self.arrange, self.prefer, self.say = owning.arrange, owning.prefer, owning.say
        self.follow, self.unfollow, self.read_thread = owning.follow, owning.unfollow, owning.read_thread
        self.bookmarks, self.threads = owning.bookmarks, owning.threads
        self.schedule, self.schedule_content, self.remind = timing.schedule, timing.schedule_content, timing.remind
        self.timers, self.change_timer, self.cancel_timer = timing.timers, timing.change_timer, timing.cancel_timer
        watching, filing = Watching(self._rest), Filing(self._rest)
        self.watchers, self.allow_watcher, self.refuse_watcher = (
            watching.watchers,
            watching.allow_watcher,
            watching.refuse_watcher,
        )
        self.files, self.remove_file = filing.files, filing.remove_file

    # Life

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def login(self, name: str, password: str, device: str) -> Session:
        """Log in with a password; the token is kept. `device` is a label of one's own.

        One client is one user's: a log-in of somebody else after `start` is refused with ClientError.
        """
        body = {"username": name, "password": password, "device": device}
        session = await self._rest.call("POST", "/v1/login", body, answer=Session, token="")
        if self._following is not None and self.me is not None and session.user_id != self.me.id:
            await self._rest.call("POST", "/v1/logout", token=session.token)
            raise ClientError(f"This client is {self.me.id}'s; make another one for {session.user_id}")
        if self._loaded is not None and self._loaded.user.id != session.user_id:
            self._loaded = None
        self._rest.token = session.token
        self.me = Me(session.user_id, session.name)
        self._saved.save_session(session)
        self._at_login.clear()
        self._intake.logged_in()
        self._follower.restart()
        self._delivery.hurry()
        return session

    async def logout(self) -> None:
        """End the token, here and at the server."""
        with contextlib.suppress(NotAuthenticated):
            await self._rest.call("POST", "/v1/logout")
        self._forget(self._rest.token)

    async def change_password(self, old: str, new: str) -> None:
        """Every other token of this user ends."""
        await self._rest.call("POST", "/v1/password", {"old": old, "new": new})

    @property
    def has_token(self) -> bool:
        """Whether there is a token, which need not be a good one: `whoami` tells."""
        return self._rest.token is not None

    async def whoami(self) -> Me:
        """Ask the server whose token this is. Raises NotAuthenticated."""
        token = self._rest.token
        try:
            self.me = await self._rest.call("GET", "/v1/me", answer=Me)
        except NotAuthenticated:
            self._forget(token)
            raise
        return self.me

    async def start(self, *, resume: bool = True) -> None:
        """Load the snapshot, hand over what happened since the last run (unless not to `resume`), and follow until `close`.

        Sends that an earlier run left behind go out now. Waits for the server as long as it takes; raises NotAuthenticated.
        """
        async with self._starting:
            if self._closing is not None:
                raise Closed("the client is closed")
            if self._following is not None:
                return
            snapshot = self._loaded or await self.load()
            if self._closing is not None:
                raise Closed("the client is closed")
            kept = self._saved.cursor(snapshot.user.id) if resume else None
            cursor = snapshot.cursor
            with contextlib.suppress(InvalidCursor):
                if kept is not None:
                    parse_cursor(kept)
                    cursor = kept
            self._intake.begin(cursor)
            self._delivery.start(snapshot.user.id)
            self._following = asyncio.create_task(self._follower.run(cursor), name="hongyan follower")

    async def load(self) -> Snapshot:
        """Load the snapshot into `state` without following yet; `start` goes on from it."""
        self._loaded = await self._load()
        return self._loaded

    async def wait_closed(self) -> None:
        """Return when following has ended: after `close`, or after the server said `stop`.

        Raises NotAuthenticated when the token has ended. The client still follows, so who has a password may `login` and wait on.
        """
        if self._following is not None:
            ending = asyncio.create_task(self._at_login.wait())
            try:
                await asyncio.wait({self._following, ending}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                ending.cancel()
            if self._closing is None and not self._following.done():
                raise NotAuthenticated(self.link.reason or "The token has ended")
            await asyncio.wait({self._following})
        if self._closing is not None:
            await asyncio.shield(self._closing)

    async def close(self) -> None:
        """End everything: afterwards no task, socket or file is left. What is not sent yet stays in the state directory.

        A callback that is running is let to its end for a second. Called by a callback it returns at once, and the rest
        happens when that callback has returned: `wait_closed` waits for it.
        """
        if self._closing is None:
            self._intake.stop()
            self._closing = asyncio.create_task(self._end(), name="hongyan closing")
        if not self._callbacks.inside(asyncio.current_task()):
            await asyncio.shield(self._closing)

    async def _end(self) -> None:
        await self._callbacks.quiet(_GRACE)
        await self._marks.close()
        tasks = [task for task in (self._following, self._telling) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._delivery.close()
        await self._rest.close()
        self._saved.close()
        await self._callbacks.call("state", Link("closed", self._ladder.current, server=self.server))

    # Callbacks

    def on(self, kind: str, function: Callback) -> Callable[[], None]:
        """Call `function(event)` for each event of a type (`message`, `member`, ...). Gives a function that ends it."""
        return self._callbacks.add(f"event:{kind}", function)

    def on_event(self, function: Callback) -> Callable[[], None]:
        """Call `function(event)` for each event of any type, before those of `on`."""
        return self._callbacks.add("event", function)

    def on_signal(self, function: Callback) -> Callable[[], None]:
        """Call `function(map)` for typing, presence and others' read marks: what may be lost."""
        return self._callbacks.add("signal", function)

    def on_state(self, function: Callback) -> Callable[[], None]:
        """Call `function(link)` whenever the connection changes."""
        return self._callbacks.add("state", function)

    def on_reload(self, function: Callback) -> Callable[[], None]:
        """Call `function(state)` when events in between were lost for good and everything was loaded again."""
        return self._callbacks.add("reload", function)

    def on_sent(self, function: Callback) -> Callable[[], None]:
        """Call `function(entry, sent)` when a message of the outbox is durable at the server."""
        return self._callbacks.add("sent", function)

    def on_send_failed(self, function: Callback) -> Callable[[], None]:
        """Call `function(entry, error)` when the server refused a message for good; it has left the outbox."""
        return self._callbacks.add("failed", function)

    # Messages

    async def send(self, conversation: str, text: str) -> Sent:
        """Send a text; returns once it is durable. Cancelling the wait does not take the message back."""
        return await self.post(conversation, text)

    def post(self, conversation: str, text: str) -> Pending:
        """Put a text in the outbox and return; await the result for its place. Raises Closed, or NotAuthenticated."""
        return self.post_content(conversation, {"type": "text", "text": text})

    def post_content(self, conversation: str, content: Json) -> Pending:
        """The same for any content."""
        if self.me is None:
            raise NotAuthenticated("log in before sending")
        return self._delivery.post(Entry(self.me.id, self._ids.next(), conversation, content))

    async def sent_all(self) -> None:
        """Return when the outbox is settled: every message acknowledged or refused."""
        if self.me is not None:
            self._delivery.start(self.me.id)
            await self._delivery.drained(self.me.id)

    @property
    def outbox_size(self) -> int:
        """Messages that are not settled."""
        return 0 if self.me is None or self._closing is not None else self._saved.outbox.count(self.me.id)

    def adopt(self, state: Path | str) -> int:
        """Take over what a client with another state directory left unsent; gives how many. Raises StateInUse if it runs."""
        if self.me is None:
            raise NotAuthenticated("log in before sending")
        other = Saved(Path(state), self._servers.name)
        try:
            left = other.outbox.waiting(self.me.id)
            for entry in left:
                with contextlib.suppress(ValueError):  # taken over before, but not struck out there
                    self._delivery.post(entry)
                other.outbox.remove(entry)
        finally:
            other.close()
        return len(left)

    async def search(
        self,
        text: str = "",
        *,
        conversation: str | None = None,
        sender: str | None = None,
        before: str | None = None,
        after: str | None = None,
        has: str | None = None,
        order: Literal["time", "relevance"] = "time",
        limit: int | None = None,
        page: str | None = None,
    ) -> Found:
        """Messages in which everything is that `text` asks for, as people type it (docs/guide/search.md), the newest first.

        `conversation` is an id or a part of a title, `sender` an id or a part of a name, `before` and `after` are days,
        months or years; `page` is `next` of the answer before.
        """
        filters = {"conversation": conversation, "sender": sender, "before": before, "after": after, "has": has}
        return await search(self._rest, text, **filters, order=order, limit=limit, page=page)

    async def read(self, conversation: str, seq: int) -> None:
        """Everything up to `seq` was read. Told to the server soon, several at once."""
        self._marks.read(conversation, seq)

    async def typing(self, conversation: str, typing: bool = True) -> None:
        body = {"op": "typing", "conversation": conversation, "typing": typing}
        if not await self._over_socket(body):
            await self._rest.call("POST", at("conversations", conversation, "typing"), {"typing": typing})

    async def presence(self, status: Status, text: str | None = None) -> None:
        """Say how one is; said again after each reconnect."""
        self._presence = (status, text)
        body = {"status": status} if text is None else {"status": status, "text": text}
        if not await self._over_socket({"op": "presence", **body}):
            await self._rest.call("PUT", "/v1/presence", body)

    # Conversations

    async def leave(self, conversation: str) -> None:
        me = self.me or await self.whoami()
        await self.remove_member(conversation, me.id)

    # People

    async def users(self, prefix: str, limit: int | None = None) -> list[User]:
        """People whose id or name begins with `prefix`."""
        return (await self._rest.call("GET", "/v1/users", answer=_Users, query={"prefix": prefix, "limit": limit})).users

    async def user(self, user: str) -> User:
        found = await self._rest.call("GET", at("users", user), answer=User)
        self.state.learn_name(found.id, found.name)
        return found

    async def online(self) -> list[Online]:
        """Who is there, with their devices."""
        return (await self._rest.call("GET", "/v1/online", answer=_Online)).users

    async def snapshot(self) -> Snapshot:
        """Ask for a snapshot, without putting it into `state`."""
        return await self._rest.call("GET", "/v1/snapshot", answer=Snapshot)

    # The connection

    @property
    def server(self) -> str:
        """The URL of the server in use."""
        return self._servers.current.url

    @property
    def servers(self) -> tuple[str, ...]:
        """The URLs of all that are known, in the order in which they are tried. Of a domain none before the first call."""
        return tuple(server.url for server in self._servers.all)

    @property
    def transport(self) -> TransportName:
        """The transport in use, or the next to be tried."""
        return self._ladder.current

    @property
    def link(self) -> Link:
        """How the connection is."""
        return self._follower.link

    @property
    def cursor(self) -> str | None:
        """Where the callbacks have got to."""
        return str(self._intake.seen) if self._intake.seen else None

    @property
    def delay(self) -> float | None:
        """Seconds to the server and back, as measured last."""
        return self._socket.delay if self._socket.ready and self._socket.delay is not None else self._rest.delay

    async def ping(self) -> float:
        """Measure the way to the server and back, in seconds."""
        if self._socket.ready:
            return await self._socket.ping()
        await self._rest.call("GET", "/v1/me", answer=Me)
        return self._rest.delay or 0.0

    def force_transport(self, name: TransportName | None) -> None:
        """Use this transport from now on; None goes back to choosing the best that gets through."""
        self._ladder.force(name)
        self._follower.restart()

    # How it works inside

    async def _load(self) -> Snapshot:
        """The snapshot, asked for until it comes."""
        backoff = self._backoff()
        while True:
            token = self._rest.token
            try:
                snapshot = await self.snapshot()
            except Exception as error:
                if isinstance(error, NotAuthenticated):
                    self._forget(token)
                if not is_temporary(error):
                    raise
                wait = backoff.next(wait_of(error))
                await self._link_changed(Link("waiting", self._ladder.current, wait, str(error), self.server))
                await asyncio.sleep(wait)
            else:
                self.me = snapshot.user
                self.state.apply_snapshot(snapshot)
                return snapshot

    def _keep_cursor(self, cursor: str) -> None:
        if self.me is not None:
            self._saved.save_cursor(self.me.id, cursor)

    def _renamed(self, _: Event) -> None:
        self.me = self.state.user

    async def _deliver(self, entry: Entry) -> Sent:
        if self.me is None or self.me.id != entry.sender:
            raise NotAuthenticated(f"this message goes out when {entry.sender} has logged in again")
        if self._socket.ready:
            try:
                return await self._socket.send(entry.conversation, entry.client_id, entry.content)
            except TransportBroken:
                pass  # the same client_id goes by REST: it is one message whatever the server has of it
            except HongyanError as error:
                if not is_elsewhere(error) or len(self._servers.all) < 2:
                    raise  # otherwise REST finds the server that takes it
        body = {"client_id": entry.client_id, "content": entry.content}
        path = at("conversations", entry.conversation, "messages")
        return await self._rest.call("POST", path, body, answer=Sent, repeatable=True)

    async def _on_sent(self, entry: Entry, sent: Sent) -> None:
        await self._callbacks.call("sent", entry, sent)

    async def _on_failed(self, entry: Entry, error: Exception) -> None:
        await self._callbacks.call("failed", entry, error)

    async def _tell_read(self, conversation: str, seq: int) -> None:
        if not await self._over_socket({"op": "read", "conversation": conversation, "seq": seq}):
            await self._rest.call("POST", at("conversations", conversation, "read"), {"seq": seq}, repeatable=True)

    async def _over_socket(self, body: Json) -> bool:
        """Say it on the WebSocket, if there is one."""
        if not self._socket.ready:
            return False
        try:
            await self._socket.tell(body)
        except TransportBroken:
            return False
        return True

    def _forget(self, token: str | None) -> None:
        """This token has ended: it is not used again, nor after a restart. One that a log-in has given meanwhile stays."""
        if token == self._rest.token:
            self._rest.token = None
        kept = self._saved.session()
        if kept is not None and kept.token == token:
            try:
                self._saved.forget_session()
            except OSError as error:
                log.error("the token that has ended could not be taken out of the state directory: %s", error)

    async def _link_changed(self, link: Link) -> None:
        if link.connection == "login":
            self._forget(self._rest.token)
            self._at_login.set()
        elif link.connection in ("connecting", "online"):
            self._at_login.clear()
        if link.connection == "online":
            self._delivery.hurry()
            if self._presence is not None and (self._telling is None or self._telling.done()):
                self._telling = asyncio.create_task(self._tell_presence(), name="hongyan presence")
        await self._callbacks.call("state", link)

    async def _tell_presence(self) -> None:
        try:
            if self._presence is not None:
                await self.presence(*self._presence)
        except Exception as error:
            log.debug("presence was not told: %r", error)
