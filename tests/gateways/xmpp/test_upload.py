"""Files of XMPP clients (XEP-0363), by clients that others wrote: put over HTTP, told in a message, had by everybody."""

import asyncio
import hashlib
import random
from pathlib import Path
from typing import Any

import httpx
import pytest
from slixmpp.exceptions import IqError

from hongyan.client import Client as Sdk
from tests.counterparts.profanity import Profanity
from tests.gateways.xmpp.client import Client, client
from tests.gateways.xmpp.rooms import ROOMS
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.serving import PASSWORD, Person, new_client_id, wait_for

UPLOAD = f"upload.{DOMAIN}"
NS = "urn:xmpp:http:upload:0"
PLUGINS = ("xep_0363", "xep_0066", "xep_0045", "xep_0313")


def _jid(person: Person) -> str:
    return f"{person.id}@{DOMAIN}"


def _shared(person: Person, lane: str) -> list[dict[str, Any]]:
    """Contents of the messages that are addresses of files."""
    events = person.call("GET", f"/v1/conversations/{lane}/events")["events"]
    return [one["content"] for one in events if one["type"] == "message" and one["content"].get("oob")]


async def _share(one: Client, to: str, address: str, type: Any = "chat") -> None:
    message = one.make_message(to, address, mtype=type)
    message["oob"]["url"] = address
    message.send()


async def test_a_file_goes_from_one_client_to_another_and_to_the_web(site: Site, tmp_path: Path) -> None:
    alice, bob = site.people("alice", "bob")
    content = random.randbytes(1_500_000)
    photo = tmp_path / "照片 1.jpg"
    photo.write_bytes(content)
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        address = await a.plugin["xep_0363"].upload_file(photo, domain=None)
        assert address.endswith("/%E7%85%A7%E7%89%87%201.jpg")
        await _share(a, _jid(bob), address)
        await b.has(address)
        assert b.messages[0]["oob"]["url"] == address
        async with httpx.AsyncClient() as http:
            got = await http.get(address)
        assert (got.content, got.headers["content-type"]) == (content, "image/jpeg")
        lane = alice.direct(bob.id)
        assert _shared(bob, lane) == [{"type": "text", "text": address, "oob": True}]
        bob.send(lane, f"看 {address}")
        said = await a.until(lambda: next((one for one in a.messages if one["body"] == f"看 {address}"), None))
        assert not said["oob"]["url"]  # it is more than the address


async def test_it_is_found_with_its_bound_and_refuses_what_is_larger(own: Site) -> None:
    (alice,) = own.people("alice")
    async with client(own, alice.id, plugins=PLUGINS) as a:
        info = await a.plugin["xep_0030"].get_info(UPLOAD)
        assert ("store", "file") in {(one[0], one[1]) for one in info["disco_info"]["identities"]}
        found = await a.plugin["xep_0363"].find_upload_service()
        assert found["from"] == UPLOAD
        with pytest.raises(IqError) as refused:
            await a.plugin["xep_0363"].request_slot(UPLOAD, "x.bin", 104_857_601, "application/octet-stream")
        assert refused.value.iq["error"]["condition"] == "not-acceptable"
        assert "<max-file-size>104857600</max-file-size>" in str(refused.value.iq)
        for name, size in (("", 5), ("x.bin", 0)):
            with pytest.raises(IqError) as wrong:
                await a.plugin["xep_0363"].request_slot(UPLOAD, name, size)
            assert wrong.value.iq["error"]["condition"] == "bad-request"


async def test_a_room_shows_the_file_and_its_archive_does(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    lane = alice.group("大家", bob.id)
    room = f"{lane}@{ROOMS}"
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        for one in (a, b):
            await one.plugin["xep_0045"].join_muc_wait(room, one.boundjid.user, maxstanzas=0)
        address = await _put(a, b"hello")
        await _share(a, room, address, "groupchat")
        shown = await b.until(lambda: next((one for one in b.messages if one["body"] == address), None))
        assert shown["oob"]["url"] == address
        archive = await b.plugin["xep_0313"].retrieve(room)
        forwarded = [one["mam_result"]["forwarded"]["stanza"] for one in archive["mam"]["results"]]
        assert [one["oob"]["url"] for one in forwarded if one["body"] == address] == [address]


async def test_a_file_whose_address_was_corrected_is_none_any_more(site: Site) -> None:
    """Who comes in later is told what it says now: it could be anything."""
    alice, bob = site.people("alice", "bob")
    lane = alice.group("大家", bob.id, history="all")
    room = f"{lane}@{ROOMS}"
    content = {"type": "text", "text": "https://a.example/x", "oob": True}
    sent = alice.call("POST", f"/v1/conversations/{lane}/messages", {"client_id": new_client_id(), "content": content})
    edit = {"type": "edit", "seq": sent["seq"], "text": "javascript:alert(1)"}
    alice.call("POST", f"/v1/conversations/{lane}/acts", {"act": edit})
    async with client(site, bob.id, plugins=PLUGINS) as b:
        await b.plugin["xep_0045"].join_muc_wait(room, bob.id, maxstanzas=9)
        await b.has("javascript:alert(1)")
        assert not any(one["oob"]["url"] for one in b.messages)


async def _put(one: Client, content: bytes) -> str:
    slot = await one.plugin["xep_0363"].request_slot(UPLOAD, "a.txt", len(content), "text/plain")
    address = slot["http_upload_slot"]["put"]["url"]
    async with httpx.AsyncClient() as http:
        assert (await http.put(address, content=content)).status_code == 201
    return str(slot["http_upload_slot"]["get"]["url"])


async def test_an_address_that_is_none_stays_text(site: Site) -> None:
    alice, bob = site.people("alice", "bob")
    async with client(site, alice.id, plugins=PLUGINS) as a, client(site, bob.id, plugins=PLUGINS) as b:
        for body, url in (("javascript:alert(1)", "javascript:alert(1)"), ("看 https://a.example/x", "https://a.example/x")):
            message = a.make_message(_jid(bob), body, mtype="chat")
            message["oob"]["url"] = url
            message.send()
        await b.has("javascript:alert(1)", "看 https://a.example/x")
        assert not any(one["oob"]["url"] for one in b.messages)
        assert _shared(bob, alice.direct(bob.id)) == []


async def _removes(site: Site, person: Person, name: str) -> None:
    """By the SDK."""
    async with Sdk(site.server.url) as sdk:
        await sdk.login(person.id, PASSWORD, "laptop")
        listed = await sdk.files()
        (file,) = [one for one in listed.files if one.name == name]
        assert listed.used >= file.size
        await sdk.remove_file(file.id)
        assert file not in (await sdk.files()).files


def test_profanity_sends_a_file(site: Site, tmp_path: Path) -> None:
    alice, bob = site.people("alice", "bob")
    content = random.randbytes(100_000)
    file = tmp_path / "report.bin"
    file.write_bytes(content)
    home = tmp_path / "home"
    home.mkdir()
    with Profanity(home, _jid(alice), "127.0.0.1", site.port, site.certificate) as window:
        window.type(f"/disco info {UPLOAD}")
        window.shows(NS)  # it has asked for the same at log-in, before
        window.type(f"/msg {_jid(bob)}")
        window.type(f"/sendfile {file}")
        lane = bob.direct(alice.id)
        wait_for(lambda: _shared(bob, lane), what="the address of the file")
    (shared,) = _shared(bob, lane)
    got = httpx.get(shared["text"])
    asyncio.run(_removes(site, alice, "report.bin"))
    assert httpx.get(shared["text"]).status_code == 404
    assert hashlib.sha256(got.content).digest() == hashlib.sha256(content).digest()
