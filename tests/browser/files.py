"""Files on a server, as their owners put them there with a client of XMPP."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from urllib.parse import quote

import httpx
from PIL import Image

from hongyan.config import Settings
from hongyan.core.model import Caller
from hongyan.features.files import Files
from hongyan.messaging import now_ms
from hongyan.operation.opening import store_of
from tests.serving import Person, new_client_id


def put(person: Person, name: str, content: bytes, media_type: str = "application/octet-stream") -> str:
    """Announced by this process, beside the server, which gets the content. The address that people are told."""
    settings = Settings(data=person.server.data)

    async def announce() -> str:
        store = store_of(settings)
        owner = Caller(person.id, person.session["name"], False, person.token_id, "test")
        await store.start(lambda batch: None)
        try:
            files = Files(store, settings, clock=now_ms, random=os.urandom)
            file = await files.announce(owner, name, len(content), media_type)
        finally:
            await store.close()
        return f"{person.server.url}/files/{file.id}/{quote(file.name, safe='')}"

    with ThreadPoolExecutor(1) as pool:  # the test's thread has the loop of the browser
        address: str = pool.submit(asyncio.run, announce()).result()
    answer = httpx.put(address, content=content)
    assert answer.status_code == 201, answer.text
    return address


def share(person: Person, conversation: str, address: str) -> int:
    """A message that is the address. Its `seq`."""
    body = {"client_id": new_client_id(), "content": {"type": "text", "text": address, "oob": True}}
    return int(person.call("POST", f"/v1/conversations/{conversation}/messages", body)["seq"])


def picture(width: int = 900, height: int = 600) -> bytes:
    """A PNG."""
    drawn = BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(drawn, "PNG")
    return drawn.getvalue()
