"""A stream of another server: who it may speak for, and what it says (RFC 6120, XEP-0178, XEP-0220)."""

import asyncio
from base64 import b64decode
from binascii import Error as NoBase64
from typing import TYPE_CHECKING

from hongyan.core.ids import id_from_bits
from hongyan.gateways.door.peers import site
from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, quote
from hongyan.gateways.xmpp.dialects import SASL
from hongyan.gateways.xmpp.faults import StreamFault
from hongyan.gateways.xmpp.jid import BadJid
from hongyan.gateways.xmpp.s2s.dialback import is_right
from hongyan.gateways.xmpp.s2s.dialing import CannotReach, dial
from hongyan.gateways.xmpp.s2s.link import DIALBACK, Link, LinkLost
from hongyan.gateways.xmpp.stream import STREAMS, TLS

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.s2s.federation import Federation

_ANSWER_SECONDS = 20.0
_IDLE_SECONDS = 1_800.0
_PAIRS = 20
_UNPROVEN = 3
_VERIFIED = 200
_ID = 256
_STANZAS = frozenset({"jabber:server message", "jabber:server presence", "jabber:server iq"})


class Incoming:
    def __init__(self, federation: "Federation", link: Link) -> None:
        self._federation = federation
        self._link = link
        self.id = ""
        self._from: str | None = None
        """Who it says it is, and may prove by a certificate."""
        self._asked = self._verified = 0
        self.pairs: set[tuple[str, str | None]] = set()
        """Theirs and ours: whom it speaks for, to whom; None is all of ours."""

    @property
    def address(self) -> str:
        return self._link.address

    async def run(self) -> None:
        link = self._link
        try:
            await self._head()
            began = asyncio.get_running_loop().time()
            while True:
                await link.drained()
                await asyncio.sleep(0)  # others have their turn, however much has come
                left = began + 2 * self._federation.settings.login_seconds - asyncio.get_running_loop().time()
                await self._one(await link.next(_IDLE_SECONDS if self.pairs else max(left, 0.0)))
        except LinkLost:
            pass
        except TimeoutError:
            link.fail(StreamFault("connection-timeout"))
        except StreamFault as fault:
            self._federation.counts.closed[fault.condition] += 1
            link.fail(fault)
        except Exception:
            self._federation.log.exception("a stream of another server failed")
            link.fail(StreamFault("internal-server-error"))
        finally:
            link.close()

    def close(self) -> None:
        self._link.fail(StreamFault("system-shutdown"))

    async def _head(self) -> None:
        head = await self._link.next(self._federation.settings.login_seconds)
        if head.name != f"{STREAMS} stream":
            raise StreamFault("invalid-namespace")
        self.id = id_from_bits(self._federation.random(20))
        theirs = head.attributes.get("from")
        try:
            self._from = None if theirs is None else jid.domain_part(theirs)
            ours = jid.domain_part(head.get("to", self._federation.domain))
        except BadJid:
            raise StreamFault("improper-addressing") from None
        attributes = {"from": ours, "id": self.id, "version": "1.0"}
        self._link.open(attributes if theirs is None else {**attributes, "to": theirs})
        if ours not in self._federation.domains:
            raise StreamFault("host-unknown")
        if self._from is not None and not self._federation.allows(self._from):
            raise StreamFault("policy-violation", "This server does not talk to yours")
        if head.get("version"):
            self._link.write(f"<stream:features>{self._features()}</stream:features>")

    def _features(self) -> str:
        federation = self._federation
        if not self._link.secure:
            return f"<starttls xmlns='{TLS}'>{'<required/>' if federation.settings.s2s_tls else ''}</starttls>"
        parts = ""
        if not self.pairs and self._from is not None and self._link.proves(self._from):
            parts = f"<mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>"
        if federation.settings.s2s_dialback:
            parts += "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
        return parts

    async def _one(self, element: Element) -> None:
        federation, link = self._federation, self._link
        if element.name == f"{TLS} starttls" and not link.secure:
            link.write(f"<proceed xmlns='{TLS}'/>")
            await link.start_tls(federation.context, calls=None)
            await self._head()
        elif element.name == f"{DIALBACK} verify":
            self._verified += 1
            if self._verified > _VERIFIED:
                raise StreamFault("policy-violation", "Too many keys")
            self._verify(element)  # no secret is told: anybody may ask
        elif federation.settings.s2s_tls and not link.secure:
            raise StreamFault("policy-violation", "Encrypt first")
        elif element.name == f"{SASL} auth":
            await self._external(element)
        elif element.name == f"{DIALBACK} result":
            await self._result(element)
        elif element.name in _STANZAS:
            await self._stanza(element)
        else:
            raise StreamFault("unsupported-stanza-type")

    async def _external(self, auth: Element) -> None:
        try:
            said = b64decode("" if auth.text == "=" else auth.text, validate=True).decode()
            wanted = jid.domain_part(said) if said else self._from
        except (NoBase64, ValueError):  # BadJid, too
            wanted = None
        proven = wanted is not None and wanted == self._from and self._link.proves(wanted)
        if auth.get("mechanism") != "EXTERNAL" or wanted is None or not proven:
            self._link.write(f"<failure xmlns='{SASL}'><not-authorized/></failure>")
            return
        self._proven(wanted, None)
        self._link.write(f"<success xmlns='{SASL}'/>")
        self._link.restart()
        await self._head()

    async def _result(self, element: Element) -> None:
        """They say who they are: ask the server of that name."""
        theirs, ours = self._named(element)
        if not self._federation.settings.s2s_dialback:
            raise StreamFault("policy-violation", "This server asks for a certificate that is believed")
        if not self._federation.allows(theirs):
            raise StreamFault("policy-violation", "This server does not talk to yours")
        self._asked += 1
        if self._asked > _PAIRS or (not self.pairs and self._asked > _UNPROVEN):
            raise StreamFault("policy-violation", "Too many domains")
        right = self._link.proves(theirs) or await self._ask(theirs, ours, element.text)  # XEP-0344: a certificate is enough
        if right:
            self._proven(theirs, ours)
        said = "valid" if right else "invalid"
        self._link.write(f"<db:result from='{quote(ours)}' to='{quote(theirs)}' type='{said}'/>")

    def _proven(self, theirs: str, ours: str | None) -> None:
        self.pairs.add((theirs, ours))
        self._link.proven(self._federation.settings.stanza_bytes)

    async def _ask(self, theirs: str, ours: str, key: str) -> bool:
        try:
            reached = await dial(self._federation, ours, theirs)
        except CannotReach as error:
            self._federation.log.info("%s cannot be asked about its key: %s", theirs, error)
            return False
        link = reached.link
        try:
            asked = f"from='{quote(ours)}' to='{quote(theirs)}' id='{quote(self.id)}'"
            link.write(f"<db:verify {asked}>{quote(key)}</db:verify>")
            answer = await link.next(_ANSWER_SECONDS)
            return (
                answer.name == f"{DIALBACK} verify"
                and answer.get("type") == "valid"
                and (answer.get("from"), answer.get("to"), answer.get("id")) == (theirs, ours, self.id)
            )
        except (LinkLost, StreamFault, TimeoutError):
            return False
        finally:
            link.close()

    def _verify(self, element: Element) -> None:
        """Another server asks whether a key is one of ours."""
        theirs, ours = self._named(element)
        stream = element.get("id")
        if len(stream) > _ID or len(element.text) > _ID:
            raise StreamFault("policy-violation", "This is no key")
        right = is_right(element.text, self._federation.secret, theirs, ours, stream)
        said = "valid" if right else "invalid"
        self._link.write(f"<db:verify from='{quote(ours)}' to='{quote(theirs)}' id='{quote(stream)}' type='{said}'/>")

    def _named(self, element: Element) -> tuple[str, str]:
        """Their domain and ours."""
        try:
            theirs, ours = jid.domain_part(element.get("from")), jid.domain_part(element.get("to"))
        except BadJid:
            raise StreamFault("improper-addressing") from None
        if ours not in self._federation.domains:
            raise StreamFault("host-unknown")
        if theirs in self._federation.domains:
            raise StreamFault("invalid-from")
        return theirs, ours

    async def _stanza(self, stanza: Element) -> None:
        try:
            sender, to = jid.parse(stanza.get("from")), jid.parse(stanza.get("to"))
        except BadJid:
            raise StreamFault("improper-addressing") from None
        if not {(sender.domain, None), (sender.domain, to.domain)} & self.pairs:
            raise StreamFault("invalid-from" if self.pairs else "not-authorized")
        if to.domain not in self._federation.domains:
            raise StreamFault("host-unknown")
        await self._federation.visitors.received(stanza, sender, to, site(self.address))
