"""Pictures of people as stanzas have them."""

from hashlib import sha1
from typing import TYPE_CHECKING

from hongyan.core.model import Caller
from hongyan.features.xmpp import Picture

if TYPE_CHECKING:
    from hongyan.gateways.xmpp.house import House

TYPE = "image/webp"
_SIDE = 256


async def picture(house: "House", caller: Caller, user: str) -> tuple[bytes, str]:
    """Somebody's, with its hash. Raises NotFound."""
    content = (await house.avatars.get(caller, user)).content
    return content, sha1(content, usedforsecurity=False).hexdigest()


def metadata(found: Picture) -> str:
    """XEP-0084, section 4.2."""
    info = f"<info id='{found.sha1}' type='{TYPE}' bytes='{found.size}' width='{_SIDE}' height='{_SIDE}'/>"
    return f"<metadata xmlns='urn:xmpp:avatar:metadata'>{info}</metadata>"
