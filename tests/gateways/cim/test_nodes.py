"""Two nodes on PostgreSQL and NATS, clients on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import MakeShared
from tests.gateways.cim.client import OFFLINE, Person
from tests.gateways.cim.site import Site
from tests.serving import Shared, wait_for


class Two:
    """Node one and node two."""

    def __init__(self, one: Site, other: Site) -> None:
        self.one = one
        self.other = other

    def know_each_other(self) -> None:
        wait_for(lambda: all(site.server.metric("hongyan_nodes") == 2 for site in (self.one, self.other)), what="the nodes")

    def at(self, person: Person, site: Site) -> Person:
        """The same person, who asks the route of this node."""
        return site.known(person.name, person.number)


def two(shared: Shared, directory: Path, **settings: str) -> Iterator[Two]:
    with (
        Site(directory / "one", shared=shared, node="one", start=False, **settings) as one,
        Site(directory / "other", shared=shared, node="other", start=False, **settings) as other,
    ):
        for site in (one, other):
            site.server.launch()
        for site in (one, other):
            site.server.until_ready()
        pair = Two(one, other)
        pair.know_each_other()
        yield pair


@pytest.fixture(scope="module")
def pair(make_shared: MakeShared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with make_shared() as shared:
        yield from two(shared, tmp_path_factory.mktemp("pair"), CIM_BALANCE="round-robin")


@pytest.fixture
def own(shared: Shared, tmp_path: Path) -> Iterator[Two]:
    yield from two(shared, tmp_path)


def placed(site: Site, person: Person) -> Person:
    """Log in on this node, whatever the route would choose."""
    wire = site.wire()
    wire.login(person.number, person.name)
    wire.ping()
    person.wire = wire
    return person


def test_clients_are_dealt_out_and_hear_each_other(pair: Two) -> None:
    one, other = pair.one, pair.other
    ann, bob = one.person().login(), one.person().login()
    assert {person.wire.socket.getpeername()[1] for person in (ann, bob)} == {one.port, other.port}
    ann.group("across")
    bob.wire.text("across")
    assert bob.tell(ann.number, "and back") == "9000"
    ann.wire.text("and back")
    (web,) = one.server.people("webuser")
    lane = web.direct(bob.name)
    web.send(lane, "from the web")
    bob.wire.text("from the web")
    wait_for(lambda: {ann.name, bob.name} <= set(other.api().online().values()), what="that both are seen there")


def test_any_route_answers_for_everybody(pair: Two) -> None:
    person, friend = placed(pair.one, pair.one.person()), placed(pair.one, pair.one.person())
    there = pair.at(person, pair.other)
    there.group("by the other route")
    friend.wire.text("by the other route")
    assert there.tell(friend.number, "privately") == "9000"
    friend.wire.text("privately")
    stranger = pair.other.api(local="127.0.0.2")
    assert stranger.code("/groupRoute", userId=person.number, msg="x") == "9100"
    friend.wire.close()
    wait_for(lambda: there.tell(friend.number, "missed") == "7000", what="that they are gone there too")
    placed(pair.one, friend)
    assert pair.at(friend, pair.other).fetch() == "9000"
    friend.wire.text("missed", OFFLINE)
    assert there.api.code("/offLine", userId=person.number, msg="x") == "9000"
    person.wire.wait_closed()


def test_second_log_in_on_another_node_is_refused(pair: Two) -> None:
    person = placed(pair.one, pair.one.person())
    assert pair.other.api().code("/login", userId=person.number, userName=person.name) == "5000"
    with pair.other.wire() as wire:
        wire.login(person.number, person.name)
        wire.wait_closed()
    person.wire.ping()


def test_disabling_and_the_end_of_a_token_reach_every_node(pair: Two) -> None:
    person = placed(pair.one, pair.one.person())
    (web,) = pair.other.server.people("tokenholder")
    number = pair.other.number("tokenholder")
    held = placed(pair.one, pair.one.known(f"tokenholder {web.token}", number))
    assert pair.other.server.command("user", "disable", person.name).returncode == 0
    person.wire.wait_closed()
    held.wire.ping()
    web.call("POST", "/v1/logout")
    held.wire.wait_closed()


def test_clients_of_a_node_that_stops_or_is_killed_go_to_the_other_and_miss_nothing(own: Two) -> None:
    one, other = own.one, own.other
    ann, bob = placed(one, one.person()), placed(other, one.person())
    ann.group("before")
    bob.wire.text("before")
    other.server.signal(15)
    bob.wire.wait_closed()
    ann.group("meanwhile")
    bob.login()
    assert bob.wire.socket.getpeername()[1] == one.port
    bob.fetch()
    bob.wire.text("meanwhile", OFFLINE)
    assert bob.wire.texts(OFFLINE) == ["meanwhile"], "what had arrived was stored before it ended"
    assert other.server.wait() == 0
    other.server.start()
    own.know_each_other()
    ann = placed(one, one.person())
    bobs = [placed(other, one.person()) for _ in range(3)]
    for number in range(20):
        ann.group(f"m{number}")
    for bob in bobs:
        bob.wire.text("m19")
    other.server.kill()
    for bob in bobs:
        bob.wire.wait_closed()
    ann.group("meanwhile")
    assert ann.tell(bobs[0].number, "privately") in ("7000", "9000"), "the silence of a node is noticed after three seconds"
    for bob in bobs:
        assert bob.api.code("/offLine", userId=bob.number, msg="offLine") == "9000"  # as clients do before they come again
        bob.login()
        assert bob.wire.socket.getpeername()[1] == one.port, "a node that does not answer is given to nobody"
    ann.group("again together")
    for bob in bobs:
        bob.wire.text("again together")
        bob.fetch()
        bob.wire.text("privately" if bob is bobs[0] else "meanwhile", OFFLINE)
        missed = bob.wire.texts(OFFLINE)
        again = [text for text in missed if text.startswith("m") and text != "meanwhile"]
        assert missed == [*again, "meanwhile", *(["privately"] if bob is bobs[0] else [])]
        assert again == [f"m{number}" for number in range(20 - len(again), 20)], "at most what was not stored yet comes again"


def test_newer_log_in_ends_the_older_on_another_node(shared: Shared, tmp_path: Path) -> None:
    for pair in two(shared, tmp_path, CIM_REPEATED="replace"):
        person = placed(pair.one, pair.one.person())
        first = person.wire
        friend = placed(pair.one, pair.one.person())
        placed(pair.other, person)
        first.wait_closed()
        friend.group("to the newer")
        person.wire.text("to the newer")
        assert first.texts() == []


def test_workers_share_both_ports(shared: Shared, tmp_path: Path) -> None:
    with Site(tmp_path / "data", shared=shared, NODE_WORKERS="2") as site:
        wait_for(lambda: site.server.metric("hongyan_nodes") == 2)
        people = site.people(8)
        for person in people:
            person.group(f"of {person.name}")
        for person in people:
            for other in people:
                if other is not person:
                    person.wire.text(f"of {other.name}")
