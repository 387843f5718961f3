"""How a log-in is said: as in RFC 6120, section 6, or by SASL2 (XEP-0388) with what may stand in it. What is said is the same."""

from base64 import b64encode
from hashlib import sha256

from hongyan.gateways.xmpp import jid
from hongyan.gateways.xmpp.codec import Element, escape
from hongyan.gateways.xmpp.smacks import SM

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
SASL2 = "urn:xmpp:sasl:2"
BIND2 = "urn:xmpp:bind:0"
CARBONS = "urn:xmpp:carbons:2"
CSI = "urn:xmpp:csi:0"

_TAG = 64


class Classic:
    space = SASL

    @staticmethod
    def initial(request: Element) -> str:
        return request.text

    @staticmethod
    def challenge(data: bytes) -> str:
        return f"<challenge xmlns='{SASL}'>{encoded(data)}</challenge>"

    @staticmethod
    def success(data: bytes | None) -> str:
        return f"<success xmlns='{SASL}'>{encoded(data) if data is not None else ''}</success>"

    @staticmethod
    def failure(condition: str, text: str = "") -> str:
        said = f"<text xml:lang='en'>{escape(text)}</text>" if text else ""
        return f"<failure xmlns='{SASL}'><{condition}/>{said}</failure>"


class Second:
    space = SASL2

    @staticmethod
    def initial(request: Element) -> str:
        """Base64; an element that is there and empty is empty data."""
        said = request.said(f"{SASL2} initial-response")
        return "=" if said == "" else said or ""

    @staticmethod
    def challenge(data: bytes) -> str:
        return f"<challenge xmlns='{SASL2}'>{encoded(data)}</challenge>"

    @staticmethod
    def success(data: bytes | None, inside: str) -> str:
        more = f"<additional-data>{encoded(data)}</additional-data>" if data is not None else ""
        return f"<success xmlns='{SASL2}'>{more}{inside}</success>"

    @staticmethod
    def failure(condition: str, text: str = "") -> str:
        said = f"<text>{escape(text)}</text>" if text else ""
        return f"<failure xmlns='{SASL2}'><{condition} xmlns='{SASL}'/>{said}</failure>"


Dialect = type[Classic] | type[Second]


def offer(listed: str) -> str:
    """The feature of SASL2. `listed` are the mechanisms as XML."""
    inside = "".join(f"<feature var='{name}'/>" for name in (SM, CARBONS, CSI))
    bind = f"<bind xmlns='{BIND2}'><inline>{inside}</inline></bind>"
    return f"<authentication xmlns='{SASL2}'>{listed}<inline>{bind}<sm xmlns='{SM}'/></inline></authentication>"


def identifier(address: object) -> str:
    """As whom they are logged in."""
    return f"<authorization-identifier>{escape(str(address))}</authorization-identifier>"


def resource_name(request: Element, bind: Element, user: str, fresh: str) -> str:
    """What a client that binds by Bind 2 is called: its own tag, and the same for the same installation (XEP-0386, section 4).

    Raises BadJid.
    """
    agent = request.child(f"{SASL2} user-agent")
    installation = agent.get("id")[:256] if agent is not None else ""
    mark = sha256(f"{user}\n{installation}".encode()).hexdigest()[:16] if installation else fresh
    tag = (bind.said(f"{BIND2} tag") or "")[:_TAG]
    return jid.resource_part(f"{tag}.{mark}" if tag else mark)


def encoded(data: bytes) -> str:
    return b64encode(data).decode() if data else "="
