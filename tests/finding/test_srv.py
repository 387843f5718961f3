"""SRV look-ups, against a real dnsmasq."""

import asyncio
import random
import socket
from collections import Counter

import pytest

from hongyan.finding import CannotFind, Target, aimed, find, parse_name_server, resolver, srv
from hongyan.finding.srv import by_weight

from .name_server import NameServer

NAME = "_nats._tcp.example.org"


def ask(dns: NameServer, seed: int = 1) -> list[str]:
    draw = random.Random(seed).random
    return [str(target) for target in asyncio.run(srv(NAME, resolver(dns.address), draw)).targets]


def refusal(dns: NameServer) -> CannotFind:
    with pytest.raises(CannotFind) as caught:
        ask(dns)
    return caught.value


def test_hosts_come_by_priority_with_their_ports_and_time_to_live(dns: NameServer) -> None:
    dns.says(
        f"srv-host={NAME},c.example.org,4224,20,0",
        f"srv-host={NAME},a.example.org,4222,5,0",
        f"srv-host={NAME},b.example.org,4223,10,0",
        "local-ttl=77",
    )
    found = asyncio.run(srv(NAME, resolver(dns.address)))
    assert found.targets == (Target("a.example.org", 4222), Target("b.example.org", 4223), Target("c.example.org", 4224))
    assert found.ttl == 77


def test_inside_a_priority_the_weights_decide(dns: NameServer) -> None:
    dns.says(
        f"srv-host={NAME},a.example.org,1,10,75",
        f"srv-host={NAME},b.example.org,1,10,25",
        f"srv-host={NAME},last.example.org,1,20,100",
    )
    assert ask(dns, 7) == ask(dns, 7)
    orders = [ask(dns, seed) for seed in range(100)]
    assert {order[2] for order in orders} == {"last.example.org:1"}
    assert 60 <= sum(order[0] == "a.example.org:1" for order in orders) <= 90


@pytest.mark.parametrize("weights", [(3, 1), (0, 1, 1), (10, 20, 70), (0, 0, 0), (65_535, 1)])
def test_order_by_weight_is_that_of_rfc_2782(weights: tuple[int, ...]) -> None:
    """The first is taken with its share of the sum; each comes exactly once."""
    draw = random.Random(2782).random
    records = [(weight, Target(f"h{at}", 1)) for at, weight in enumerate(weights)]
    orders = [by_weight(records, draw) for _ in range(20_000)]
    assert all(sorted(order, key=str) == [target for _, target in records] for order in orders)
    first = Counter(order[0] for order in orders)
    total = sum(weights)
    for at, (weight, target) in enumerate(records):  # a mark from 0 to the sum: the first in line has one chance more
        chance = (weight + (at == weights.index(min(weights)))) / (total + 1)
        assert abs(first[target] / 20_000 - chance) < 0.02


def test_changed_records_are_seen_while_running(dns: NameServer) -> None:
    async def look() -> list[str]:
        return [str(target) for target in await find("nats+srv://example.org", name_server=dns.address)]

    dns.says(f"srv-host={NAME},a.example.org,4222,0,0")
    assert asyncio.run(look()) == ["a.example.org:4222"]
    dns.says(f"srv-host={NAME},b.example.org,4333,0,0")
    assert asyncio.run(look()) == ["b.example.org:4333"]


def test_name_without_records_is_said(dns: NameServer) -> None:
    dns.says("txt-record=_nats._tcp.example.org,something else")
    assert (refusal(dns).reason, str(refusal(dns))) == ("none", f"There is no SRV record {NAME}")
    dns.says()
    assert refusal(dns).reason == "none"


def test_service_that_is_declared_absent_is_said(dns: NameServer) -> None:
    dns.says(f"srv-host={NAME}")
    assert refusal(dns).reason == "closed"
    assert "not available" in str(refusal(dns))


def test_name_server_that_refuses_is_said(dns: NameServer) -> None:
    dns.says()
    with pytest.raises(CannotFind, match=r"No name server told where _nats\._tcp\.elsewhere\.test is") as caught:
        asyncio.run(srv("_nats._tcp.elsewhere.test", resolver(dns.address)))
    assert caught.value.reason == "unanswered"


def test_name_server_that_is_gone_is_said_within_its_time(dns: NameServer) -> None:
    asked = resolver(dns.address)
    asked.lifetime, asked.timeout = 0.3, 0.1
    with pytest.raises(CannotFind) as caught:
        asyncio.run(srv(NAME, asked))
    assert caught.value.reason == "unanswered"


def test_silent_name_server_is_given_up(dns: NameServer) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", dns.port))
        asked = resolver(dns.address)
        asked.lifetime, asked.timeout = 0.3, 0.1
        with pytest.raises(CannotFind, match=r"timed out") as caught:
            asyncio.run(srv(NAME, asked))
    assert caught.value.reason == "unanswered"


def test_answer_that_does_not_fit_a_datagram_comes_whole(dns: NameServer) -> None:
    dns.says(*(f"srv-host={NAME},node{at}.a-rather-long-name-of-a-host.example.org,4222,{at},0" for at in range(40)))
    assert len(ask(dns)) == 40


@pytest.mark.parametrize("name", ["_nats._tcp." + "a" * 64 + ".org", "_nats._tcp..org", "_nats._tcp." + "abc." * 70 + "org"])
def test_name_that_cannot_be_one_is_said(name: str) -> None:
    with pytest.raises(CannotFind) as caught:
        asyncio.run(srv(name, resolver("127.0.0.1:9")))
    assert caught.value.reason == "unanswered"


def test_urls_lead_to_the_places_that_their_records_name(dns: NameServer) -> None:
    dns.says(
        f"srv-host={NAME},n1.example.org,4222,0,0",
        "srv-host=_postgresql._tcp.example.org,p2.example.org,5433,20,0",
        "srv-host=_postgresql._tcp.example.org,p1.example.org,5432,10,0",
    )

    async def look(url: str) -> list[str]:
        return [aimed(url, target) for target in await find(url, name_server=dns.address)]

    assert asyncio.run(look("nats+srv://example.org")) == ["nats://n1.example.org:4222"]
    assert asyncio.run(look("postgresql+srv://hongyan:s%40@example.org/chat?sslmode=verify-full")) == [
        "postgresql://hongyan:s%40@p1.example.org:5432/chat?sslmode=verify-full",
        "postgresql://hongyan:s%40@p2.example.org:5433/chat?sslmode=verify-full",
    ]


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.1:53", "[::1]", "[::1]:53"])
def test_name_server_is_an_address_and_a_port(text: str) -> None:
    target = parse_name_server(text)
    assert (target.host, target.port) in {("127.0.0.1", 53), ("::1", 53)}
    assert resolver(text).port == 53


@pytest.mark.parametrize(
    "text", ["", "ns.example.org:53", "::1", "127.0.0.1:0", "127.0.0.1:99999", "x@127.0.0.1:53", "127.0.0.1/x"]
)
def test_name_server_that_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="ADDRESS:PORT"):
        parse_name_server(text)
