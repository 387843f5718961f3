"""A stream of a client until a resource is bound: features, TLS, SASL, binding or resumption (RFC 6120, sections 4 to 7).

What comes while something is being asked waits in order. Afterwards every stanza is the resource's.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Literal

from hongyan.core.errors import HongyanError, NotAuthenticated
from hongyan.core.ids import id_from_bits
from hongyan.gateways.xmpp import binding, jid
from hongyan.gateways.xmpp.codec import Element, error_of, escape, quote
from hongyan.gateways.xmpp.dialects import SASL, Classic, Dialect, Second, identifier, offer
from hongyan.gateways.xmpp.faults import STREAM_ERRORS, StanzaFault, StreamFault, of
from hongyan.gateways.xmpp.sasl import Challenge, Mechanisms, Negotiation, SaslFailure, Step, Success, decoded
from hongyan.gateways.xmpp.smacks import SM
from hongyan.gateways.xmpp.wire import UNIQUE, Wire

if TYPE_CHECKING:
    from hongyan.features.identity import Proven
    from hongyan.gateways.xmpp.house import House
    from hongyan.gateways.xmpp.resource import Resource

TLS = "urn:ietf:params:xml:ns:xmpp-tls"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION = "urn:ietf:params:xml:ns:xmpp-session"
STREAMS = "http://etherx.jabber.org/streams"
_TRIES = 5
"""Clients try every mechanism before they say that the password is wrong: as many as are offered (RFC 6120, 6.4.5: 2 to 5)."""
_WAITING = 64

State = Literal["head", "strange", "known", "bound", "closed"]
"""Waiting for the head of a stream; not logged in; logged in without a resource; with one; over."""


class Stream:
    def __init__(self, house: "House", wire: Wire) -> None:
        self._house = house
        self._wire = wire
        self._state: State = "head"
        self._proven: Proven | None = None
        self._resource: Resource | None = None
        self._negotiation: Negotiation | None = None
        self._dialect: Dialect = Classic
        self._request: Element | None = None
        """What began the log-in."""
        self._tries = _TRIES
        self._waiting: deque[Element] = deque()
        self._task: asyncio.Task[None] | None = None
        self._deaf: set[Literal["full", "busy"]] = set()
        """Why nothing is read: the other end takes nothing, or too much that came is not done."""

    @property
    def bound(self) -> bool:
        return self._state == "bound"

    @property
    def address(self) -> str:
        """Where the other end is."""
        return self._wire.address

    @property
    def secure(self) -> bool:
        return self._wire.secure

    # What comes

    def head(self, element: Element) -> None:
        try:
            self._head(element)
        except StreamFault as fault:
            self.fail(fault)

    def received(self, element: Element) -> None:
        if self._resource is not None and self._state == "bound":
            self._resource.received(element)
        elif self._state == "closed":
            pass
        elif self._task is not None:
            self._waiting.append(element)
            if len(self._waiting) > _WAITING:
                self.fail(StreamFault("policy-violation", "Wait for the answer"))
        else:
            self._one(element)

    def ended(self) -> None:
        if self._resource is not None and self._state == "bound":
            self._resource.ended(self)  # which closes it, when what came is done
        else:
            self.close()

    def full(self) -> None:
        self._hear_no_more("full")
        if self._resource is not None:
            self._resource.full(self)

    def room(self) -> None:
        self._hear_again("full")
        if self._resource is not None:
            self._resource.room(self)

    def lost(self) -> None:
        self._over()
        if self._resource is not None:
            self._resource.parted(self)

    # What is told

    def fail(self, fault: StreamFault) -> None:
        """The stream ends with an error."""
        if self._state == "closed":
            return
        self._house.counts.closed[fault.condition] += 1
        if self._state == "head":
            self._wire.open(self._attributes(None))
        text = f"<text xmlns='{STREAM_ERRORS}' xml:lang='en'>{escape(fault.text)}</text>" if fault.text else ""
        self._wire.write(
            f"<stream:error xmlns:stream='{STREAMS}'><{fault.condition} xmlns='{STREAM_ERRORS}'/>{text}</stream:error>"
        )
        self.close()

    def close(self) -> None:
        if self._state != "closed":
            self._over()
            self._wire.close()

    def write(self, xml: str) -> None:
        if self._state != "closed":
            self._wire.write(xml)

    def ask(self) -> None:
        """Whether anybody is there."""
        if self._resource is not None:
            self._resource.ask()

    def pause(self) -> None:
        """Read nothing until `go_on`."""
        self._hear_no_more("busy")

    def go_on(self) -> None:
        self._hear_again("busy")

    def _hear_no_more(self, why: Literal["full", "busy"]) -> None:
        if not self._deaf:
            self._wire.pause()
        self._deaf.add(why)

    def _hear_again(self, why: Literal["full", "busy"]) -> None:
        if why in self._deaf:
            self._deaf.discard(why)
            if not self._deaf:
                self._wire.resume()

    def _over(self) -> None:
        self._state = "closed"
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    # The head of a stream, and what it may do

    def _head(self, element: Element) -> None:
        if self._state not in ("head", "known"):
            raise StreamFault("invalid-xml", "One stream at a time")
        if element.name not in (f"{STREAMS} stream", "urn:ietf:params:xml:ns:xmpp-framing open"):
            raise StreamFault("invalid-namespace")
        if element.get("version") != "1.0":
            raise StreamFault("unsupported-version")
        try:
            wanted = jid.domain_part(element.get("to"))
        except jid.BadJid:
            raise StreamFault("host-unknown") from None
        if wanted != self._house.domain:
            raise StreamFault("host-unknown", f"This server is {self._house.domain}")
        self._wire.open(self._attributes(element.attributes.get("from")))
        if self._state == "head":
            self._state = "strange"
        self._tell_features()

    def _tell_features(self) -> None:
        self._wire.write(f"<stream:features xmlns:stream='{STREAMS}'>{self._features()}</stream:features>")

    def _attributes(self, to: str | None) -> dict[str, str]:
        found = {"from": self._house.domain, "id": id_from_bits(self._house.random(15)), "version": "1.0", "xml:lang": "en"}
        return found if to is None else {**found, "to": to}

    def _features(self) -> str:
        if self._proven is not None:
            more = "".join(feature(self._house) for feature in self._house.table.stream_features)
            if self._resource is not None:
                return more
            return f"<bind xmlns='{BIND}'/><sm xmlns='{SM}'/><session xmlns='{SESSION}'><optional/></session>{more}"
        parts = []
        if self._wire.tls_offered:
            parts.append(f"<starttls xmlns='{TLS}'>{'' if self._wire.secure else '<required/>'}</starttls>")
        if self._wire.secure and (names := self._mechanisms().offered()):
            listed = "".join(f"<mechanism>{name}</mechanism>" for name in names)
            parts.append(f"<mechanisms xmlns='{SASL}'>{listed}</mechanisms>{offer(listed)}")
            bindings = "".join(f"<channel-binding type='{name}'/>" for name in self._wire.bindings if name != UNIQUE)
            if bindings:
                parts.append(f"<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>{bindings}</sasl-channel-binding>")
        return "".join(parts)

    def _mechanisms(self) -> Mechanisms:
        return Mechanisms(self._house.identity, self._wire.bindings, secure=self._wire.secure)

    # One element before there is a resource

    def _one(self, element: Element) -> None:
        try:
            if self._state == "strange":
                self._stranger(element)
            elif self._state == "known" and self._proven is not None:
                self._known(element, self._proven)
            else:
                raise StreamFault("not-well-formed")
        except StreamFault as fault:
            self.fail(fault)

    def _stranger(self, element: Element) -> None:
        match element.name:
            case "urn:ietf:params:xml:ns:xmpp-tls starttls" if self._wire.tls_offered and self._negotiation is None:
                self._state = "head"
                self._wire.start_tls()
            case "urn:ietf:params:xml:ns:xmpp-sasl auth" if self._negotiation is None:
                self._dialect = Classic
                self._ask(self._auth(element))
            case "urn:xmpp:sasl:2 authenticate" if self._negotiation is None:
                self._dialect = Second
                self._ask(self._auth(element))
            case _ if self._negotiation is None or element.space != self._dialect.space:
                raise StreamFault("not-authorized", "Log in first")
            case _ if element.local == "response":
                self._ask(self._respond(self._negotiation, element))
            case _ if element.local == "abort":
                self._refuse(self._negotiation.abort())
            case _:
                raise StreamFault("not-authorized", "Log in first")

    def _known(self, element: Element, proven: "Proven") -> None:
        bind = element.child(f"{BIND} bind")
        if element.name == "jabber:client iq" and element.get("type") == "set" and bind is not None:
            self._ask(self._bind(proven, element, bind))
        elif element.name == f"{SM} resume":
            self._ask(self._resume(proven, element))
        else:
            raise StreamFault("not-authorized", "Bind a resource first")

    def _ask(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = self._house.task(self._asked(work))

    async def _asked(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except StreamFault as fault:
            self.fail(fault)
        except Exception:
            self._house.log.exception("a stream failed")
            self.fail(StreamFault("internal-server-error"))
        self._task = None
        while self._waiting and self._task is None:
            self.received(self._waiting.popleft())

    # Logging in

    async def _auth(self, element: Element) -> None:
        house = self._house
        self._request = element
        if not self._wire.secure:
            self._refuse(SaslFailure("encryption-required"))
            return
        negotiation = self._negotiation = Negotiation(house.identity, self._mechanisms(), house.domain, self._wire.address)
        try:
            step = await negotiation.begin(element.get("mechanism"), decoded(self._dialect.initial(element)))
        except SaslFailure as failure:
            self._refuse(failure)
            return
        await self._stepped(step)

    async def _respond(self, negotiation: Negotiation, element: Element) -> None:
        try:
            step = await negotiation.respond(decoded(element.text) or b"")
        except SaslFailure as failure:
            self._refuse(failure)
            return
        await self._stepped(step)

    async def _stepped(self, step: Step) -> None:
        if self._state == "closed":  # it went away meanwhile
            return
        if isinstance(step, Challenge):
            self._wire.write(self._dialect.challenge(step.data))
            return
        self._negotiation = None
        if step.proven.credentials.change_password:
            self._house.log.info("log-in refused: account %s has to choose a password of its own first", step.proven.user)
            self._refuse(SaslFailure("credentials-expired", "Choose a password of your own first, in the web client"))
            return
        request, self._request = self._request, None
        if self._dialect is Second and request is not None:
            await self._inside(step, request)
            return
        self._proven = step.proven
        self._state = "known"
        self._wire.write(Classic.success(step.data))
        self._wire.logged_in()
        self._wire.restart()

    async def _inside(self, step: Success, request: Element) -> None:
        """Logged in by SASL2 (XEP-0388), with what stands in the request: resumption, or else a resource (XEP-0386)."""
        resume, bind = binding.inline(request)
        proven, inside = step.proven, ""
        address = self._house.jid(proven.user)

        def tell(inside: str) -> None:
            self._proven = proven
            self._wire.write(Second.success(step.data, identifier(address) + inside))
            self._wire.logged_in()
            self._tell_features()

        if resume is not None:
            found = await binding.resumable(self._house, proven, resume)
            if found is not None:
                address = found[0].jid
                self._resource = found[0]
                self._state = "bound"
                found[0].resume(self, found[1], tell)
                return
            inside = binding.FAILED
        if bind is not None:
            try:
                resource = await self._bound(proven, binding.wanted(self._house, request, bind, proven.user))
            except (HongyanError, jid.BadJid):
                self._refuse(SaslFailure("temporary-auth-failure"))
                return
            address = resource.jid
            inside += binding.bound(resource, bind)
        self._state = "known" if bind is None else "bound"
        tell(inside)

    def _refuse(self, failure: SaslFailure) -> None:
        self._negotiation = None
        self._tries -= 1
        self._wire.write(self._dialect.failure(failure.condition, failure.detail))
        if self._tries <= 0:
            self.fail(StreamFault("policy-violation", "Too many log-ins failed"))

    # Getting a resource

    async def _bind(self, proven: "Proven", iq: Element, bind: Element) -> None:
        asked = bind.said(f"{BIND} resource")
        head = f"<iq id='{quote(iq.get('id'))}' type="
        try:
            wanted = jid.resource_part(asked) if asked else id_from_bits(self._house.random(10))
            resource = await self._bound(proven, wanted)
        except jid.BadJid as error:
            fault = StanzaFault("bad-request", str(error))
        except NotAuthenticated as error:
            raise StreamFault("not-authorized", error.detail) from None
        except HongyanError as error:
            fault = of(error)
        else:
            self._wire.write(f"{head}'result'><bind xmlns='{BIND}'><jid>{escape(str(resource.jid))}</jid></bind></iq>")
            self._state = "bound"
            return
        self._wire.write(f"{head}'error'>{error_of(fault)}</iq>")

    async def _bound(self, proven: "Proven", name: str) -> "Resource":
        resource = await self._house.bind(proven, name, self._wire.address)
        if self._state == "closed":  # it went away meanwhile
            resource.end()
            raise StreamFault("connection-timeout")
        self._resource = resource
        resource.attach(self)
        return resource

    async def _resume(self, proven: "Proven", element: Element) -> None:
        found = await binding.resumable(self._house, proven, element)
        if found is None:
            self._wire.write(binding.FAILED)
            return
        self._resource = found[0]
        self._state = "bound"
        found[0].resume(self, found[1], self._wire.write)
