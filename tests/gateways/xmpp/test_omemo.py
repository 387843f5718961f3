"""OMEMO (XEP-0384) between two clients that others wrote: this server carries it and cannot read it."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.counterparts.profanity import Profanity
from tests.gateways.xmpp.rooms import ROOMS
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.serving import Person

_NS = "eu.siacs.conversations.axolotl"
_FALLBACK = "You received a message encrypted with OMEMO but your client doesn't support OMEMO."


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Site]:
    """Its data are looked through."""
    with Site(tmp_path / "data") as site:
        yield site


@contextlib.contextmanager
def _encrypting(site: Site, folder: Path, person: Person) -> Iterator[Profanity]:
    """A client with keys of its own that believes those of others."""
    folder.mkdir()
    with Profanity(folder, f"{person.id}@{DOMAIN}", "127.0.0.1", site.port, site.certificate) as window:
        window.type("/omemo gen")
        window.shows("materials generated")
        window.type("/omemo trustmode blind")
        window.shows("ALL OMEMO fingerprints will be")
        yield window


def _knows(window: Profanity, person: Person) -> None:
    """Wait until it has the keys of somebody."""

    def trusted() -> bool:
        window.type(f"/omemo fingerprint {person.id}@{DOMAIN}")
        time.sleep(0.2)
        return "(trusted)" in window.screen()

    window.until(trusted, f"the keys of {person.id}")


def _is_kept_encrypted(site: Site, reader: Person, lane: str, count: int) -> None:
    """What who has no keys is told, and what is on the disk."""
    kept = [event["content"] for event in reader.history(lane) if event["type"] == "message"]
    assert [(one["type"], one["text"]) for one in kept] == [("encrypted", _FALLBACK)] * count
    assert all(one["xml"].startswith(f"<encrypted xmlns='{_NS}'><header ") for one in kept)
    site.server.stop()
    files = [
        path.read_bytes() for path in [*site.server.data.rglob("*"), site.server.data.with_name("data.log")] if path.is_file()
    ]
    assert any(b"axolotl" in data for data in files)
    assert not any("鸿雁".encode() in data or b"\\u9e3f" in data for data in files)


def test_two_who_encrypt_read_each_other_and_nobody_else_does(own: Site, tmp_path: Path) -> None:
    alice, bob = own.people("alice", "bob")
    lane = alice.direct(bob.id)
    with _encrypting(own, tmp_path / "a", alice) as a, _encrypting(own, tmp_path / "b", bob) as b:
        for window, other in ((a, bob), (b, alice)):
            window.type(f"/omemo start {other.id}@{DOMAIN}")
            window.shows("[OMEMO]")
            _knows(window, other)
        a.type("你好，鸿雁")
        b.shows(f"~ {alice.id}: 你好，鸿雁")
        b.type("收到了，鸿雁")
        a.shows(f"~ {bob.id}: 收到了，鸿雁")
    _is_kept_encrypted(own, bob, lane, 2)


def test_a_group_encrypts_also_without_direct_conversations(own: Site, tmp_path: Path) -> None:
    alice, bob = own.people("alice", "bob")
    lane = alice.group("茶馆", bob.id)
    with _encrypting(own, tmp_path / "a", alice) as a, _encrypting(own, tmp_path / "b", bob) as b:
        for window in (a, b):
            window.type(f"/join {lane}@{ROOMS}")
            window.shows("茶馆")
        for window, other in ((a, bob), (b, alice)):
            window.type("/omemo start")
            window.shows("[OMEMO]")
            _knows(window, other)
        a.type("你好，鸿雁")
        b.shows(f"~ {alice.id}: 你好，鸿雁")
        b.type("收到了，鸿雁")
        a.shows(f"~ {bob.id}: 收到了，鸿雁")
    _is_kept_encrypted(own, bob, lane, 2)
