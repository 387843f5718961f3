"""What somebody missed comes once, in order; and nothing is lost, whatever ends the connection."""

import concurrent.futures
import signal
import socket
from pathlib import Path

from tests.gateways.cim.client import MESSAGE, OFFLINE
from tests.gateways.cim.site import Site
from tests.serving import wait_for


def test_missed_texts_come_in_batches_in_order_and_once(site: Site) -> None:
    ann, bob = site.people(2)
    cai = site.person().login()
    site.quit(cai)
    sent = []
    for number in range(260):
        sender = ann if number < 250 else (bob, ann)[number % 2]
        sender.group(f"m{number}") if number % 50 else sender.tell(cai.number, f"m{number}")
        sent.append(f"m{number}")
    cai.login()
    ann.group("live")
    cai.wire.text("live")
    assert cai.wire.texts(OFFLINE) == [], "only when it is asked for"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: site.api().code("/fetchOfflineMsgs", receiveUserId=cai.number), range(8)))
    assert set(codes) == {"9000"}
    cai.wire.text("m259", OFFLINE)
    assert cai.wire.texts(OFFLINE) == sent
    batches = [one for one in cai.wire.received if one.command == OFFLINE]
    assert max(len(one.batch) for one in batches) == 100
    assert {one.id for one in batches} == {cai.number}
    assert {one.properties["receiveUserId"] for one in batches} == {str(cai.number)}
    assert [one.properties["sendUserId"] for one in batches[:3]] == [str(ann.number)] * 3
    wait_for(lambda: site.missed(cai) == 0, what="that it is kept no more")
    assert cai.fetch() == "9000"
    cai.wire.ping()
    site.quit(cai)
    cai.login()
    assert cai.fetch() == "9000"
    ann.group("end")
    cai.wire.text("end")
    assert cai.wire.texts(OFFLINE) == []


def test_parts_that_were_not_fetched_add_up_without_what_was_live(site: Site) -> None:
    ann = site.people(1)[0]
    bob = site.person()
    for round in range(3):
        ann.tell(bob.number, f"away{round}")
        bob.login()
        ann.tell(bob.number, f"live{round}")
        bob.wire.text(f"live{round}")
        site.quit(bob)
    bob.login()
    bob.fetch()
    bob.wire.text("away2", OFFLINE)
    assert bob.wire.texts(OFFLINE) == ["away0", "away1", "away2"]


def test_what_was_missed_is_no_secret_of_others(site: Site) -> None:
    """A group that they were let into, and out of again, while away: from the one to the other and nothing else."""
    person = site.people(1)[0]
    (web,) = site.server.people("owner")
    site.quit(person)
    lane = web.group("组")
    web.send(lane, "before")
    web.call("POST", f"/v1/conversations/{lane}/members", {"users": [person.name]})
    web.send(lane, "inside")
    web.call("DELETE", f"/v1/conversations/{lane}/members/{person.name}")
    web.send(lane, "after")
    person.login()
    person.fetch()
    person.wire.text("[组] inside", OFFLINE)
    assert person.wire.texts(OFFLINE) == ["[组] inside"]


def test_first_log_in_of_somebody_with_a_history_has_missed_nothing(site: Site) -> None:
    (web, writer) = site.server.people("elder", "writer")
    writer.send("lobby", "ages ago")
    number = site.api().call("/registerAccount", userName="elder")["userId"]
    name = f"elder {web.token}"
    wire = site.wire()
    wire.login(number, name)
    wire.ping()
    assert site.api().code("/fetchOfflineMsgs", receiveUserId=number) == "9000"
    writer.send("lobby", "now")
    wire.text("now")
    assert wire.texts(OFFLINE) == []


def test_restart_loses_and_repeats_nothing(own: Site) -> None:
    ann, bob = own.people(2)
    (web,) = own.server.people("web")
    for number in range(20):
        web.send("lobby", f"live{number}")
    for one in (ann, bob):
        one.wire.text("live19")
    own.server.signal(signal.SIGTERM)
    ann.wire.wait_closed()
    bob.wire.wait_closed()
    assert own.server.wait() == 0
    own.server.start()
    web.send("lobby", "missed")
    for one in (ann, bob):
        one.login()
        one.fetch()
        one.wire.text("missed", OFFLINE)
        assert one.wire.texts(OFFLINE) == ["missed"]


def test_kill_loses_nothing_and_repeats_only_what_was_not_stored_yet(own: Site) -> None:
    bob = own.people(1)[0]
    (web,) = own.server.people("web")
    for number in range(50):
        last = web.send("lobby", f"stored{number}")
    bob.wire.text("stored49")
    own.stored(bob, last["position"])
    own.server.freeze()
    own.server.thaw()
    for number in range(50):
        web.send("lobby", f"fresh{number}")
    own.server.kill()
    bob.wire.wait_closed()
    live = [text for text in bob.wire.texts(MESSAGE) if text.startswith("fresh")]
    own.server.start()
    web.send("lobby", "missed")
    bob.login()
    bob.fetch()
    bob.wire.text("missed", OFFLINE)
    again = bob.wire.texts(OFFLINE)
    fresh = [f"fresh{number}" for number in range(50)]
    assert not [text for text in again if text.startswith("stored")]
    assert again == [*fresh[50 - (len(again) - 1) :], "missed"]
    assert set(fresh) <= {*live, *again}


def test_kill_while_missed_texts_are_pushed(own: Site) -> None:
    """The part that had arrived and was stored does not come again, the rest does, in order."""
    bob = own.people(1)[0]
    (web,) = own.server.people("web")
    own.quit(bob)
    sent = [f"m{number}" for number in range(40)]
    for text in sent:
        web.send("lobby", text)
    bob.login()
    bob.fetch()
    bob.wire.text("m39", OFFLINE)
    wait_for(lambda: own.missed(bob) == 0, what="that it is stored")
    own.server.kill()
    own.server.start()
    web.send("lobby", "later")
    bob.login()
    bob.fetch()
    bob.wire.text("later", OFFLINE)
    assert bob.wire.texts(OFFLINE) == ["later"]


def test_peer_that_reads_nothing_is_bounded_cut_and_misses_nothing(tmp_path: Path) -> None:
    settings = {"LIMITS_DRAIN_SECONDS": "1", "LIMITS_WRITE_BUFFER": "16384", "LIMITS_SESSION_QUEUE": "20"}
    with Site(tmp_path / "data", **settings) as site:
        (web,) = site.server.people("web")
        lazy = site.person()
        wire = site.wire()
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.login(lazy.number, lazy.name)
        wire.ping()
        before = site.server.metric("process_resident_memory_bytes")
        lane = web.direct(lazy.name)
        sent = [f"{number:03d} " + "长" * 18_000 for number in range(80)]
        for text in sent:
            web.send(lane, text)
        wait_for(lambda: _metric(site, "hongyan_cim_closed_total", reason="stuck") == 1, what="its end")
        wait_for(lambda: site.record(lazy)[0] is None, what="the end of its log-in")
        grown = site.server.metric("process_resident_memory_bytes") - before
        assert grown < 40e6, "the newest texts are kept once, for everybody"
        lazy.login()
        lazy.fetch()
        lazy.wire.text(sent[-1], OFFLINE)
        again = lazy.wire.texts(OFFLINE)
        wire.wait_closed()
        first = wire.texts()
        assert again == sent[-len(again) :]
        assert set(first) | set(again) == set(sent)
        assert first == sent[: len(first)]


def _metric(site: Site, name: str, **labels: str) -> float:
    try:
        return site.server.metric(name, **labels)
    except KeyError:
        return 0.0


def test_stop_right_behind_a_burst_repeats_nothing(own: Site) -> None:
    bob = own.people(1)[0]
    (web,) = own.server.people("web")
    for number in range(100):
        web.send("lobby", f"m{number}")
    own.server.signal(signal.SIGTERM)
    bob.wire.wait_closed()
    live = bob.wire.texts()
    assert own.server.wait() == 0
    own.server.start()
    web.send("lobby", "missed")
    bob.login()
    bob.fetch()
    bob.wire.text("missed", OFFLINE)
    assert [*live, *bob.wire.texts(OFFLINE)] == [*[f"m{number}" for number in range(100)], "missed"]
