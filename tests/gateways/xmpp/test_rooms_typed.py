"""Rooms that are made, and people who are removed, by clients that others wrote: profanity and poezio."""

from pathlib import Path
from typing import Any

from tests.counterparts.poezio import Poezio
from tests.counterparts.profanity import Profanity
from tests.gateways.xmpp.rooms import ROOMS
from tests.gateways.xmpp.site import DOMAIN, Site
from tests.serving import Person


def _profanity(site: Site, folder: Path, person: Person) -> Profanity:
    folder.mkdir()
    return Profanity(folder, f"{person.id}@{DOMAIN}", "127.0.0.1", site.port, site.certificate)


def _poezio(site: Site, folder: Path, person: Person) -> Poezio:
    folder.mkdir()
    return Poezio(folder, f"{person.id}@{DOMAIN}", "127.0.0.1", site.port, site.certificate)


def _made(person: Person, title: str) -> dict[str, Any]:
    """The conversation of this title."""
    return next((one for one in person.snapshot()["conversations"] if one["title"] == title), {})


def _members(person: Person, lane: str) -> set[str]:
    return {one["id"] for one in person.call("GET", f"/v1/conversations/{lane}/members")["members"]}


def test_profanity_makes_an_instant_room_and_removes_people(site: Site, tmp_path: Path) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    name = f"tea-of-{alice.id}"
    with _profanity(site, tmp_path / "a", alice) as a, _profanity(site, tmp_path / "b", bob) as b:
        a.type(f"/join {name}@{ROOMS}")
        a.shows("Room locked, requires configuration")
        a.type("/room accept")
        a.shows("Room unlocked")
        a.until(lambda: _made(alice, name))
        lane = _made(alice, name)["id"]
        for person in (bob, carol):
            a.type(f"/affiliation set member {person.id}@{DOMAIN}")
        a.until(lambda: _members(alice, lane) == {alice.id, bob.id, carol.id})
        b.type(f"/join {name}@{ROOMS}")
        b.shows(f"You have joined the room as {bob.id}")
        b.type("你好")
        a.shows("你好")
        a.type(f"/kick {bob.id}")
        a.shows(f"{bob.id} has been kicked from the room by {alice.id}")
        b.shows("Kicked from")
        a.type(f"/ban {carol.id}@{DOMAIN}")
        a.until(lambda: _members(alice, lane) == {alice.id})
        b.type(f"/join {name}@{ROOMS}")
        b.shows("registration")


def test_profanity_makes_a_room_by_its_form(site: Site, tmp_path: Path) -> None:
    (alice,) = site.people("alice")
    with _profanity(site, tmp_path / "a", alice) as a:
        a.type(f"/join tea-of-{alice.id}@{ROOMS}")
        a.shows("Room locked, requires configuration")
        a.type("/room config")
        a.shows("[field4] Only who is brought in")
        a.type("/field1 茶馆")
        a.shows("[field1] Title: 茶馆")
        a.type("/field3 on")
        a.shows("[field3] Only the owner and admins write: TRUE")
        a.type("/form submit")
        a.until(lambda: _made(alice, "茶馆"))
    made = _made(alice, "茶馆")
    assert (made["kind"], made["writers"]) == ("group", "admins")


def test_poezio_makes_a_room_and_removes_people(site: Site, tmp_path: Path) -> None:
    alice, bob, carol = site.people("alice", "bob", "carol")
    name = f"tea-of-{alice.id}"
    with _poezio(site, tmp_path / "a", alice) as a, _poezio(site, tmp_path / "b", bob) as b:
        a.order(f"join {name}@{ROOMS}")
        a.shows("The room has been created")
        a.type("/configure")
        a.shows("Only the owner and admins write")
        a.key("-l", "茶")  # in front of what is there
        a.shows(f"茶{name}")
        a.key("C-y")
        a.until(lambda: _made(alice, f"茶{name}"))
        lane = _made(alice, f"茶{name}")["id"]
        for person in (bob, carol):
            a.type(f"/affiliation {person.id}@{DOMAIN} member")
        a.until(lambda: _members(alice, lane) == {alice.id, bob.id, carol.id})
        b.order(f"join {name}@{ROOMS}")
        b.shows(f"[{name}@{ROOMS}]{{2}}")  # it is in the room, which is what is typed into
        b.type("你好")
        a.shows("你好")
        a.type(f"/kick {bob.id}")
        a.shows(f"{bob.id} has been kicked by {alice.id}")
        b.shows(f"You have been kicked by {alice.id}")
        a.type(f"/ban {carol.id}@{DOMAIN}")
        a.until(lambda: _members(alice, lane) == {alice.id})
