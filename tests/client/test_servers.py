"""Which server is in use: the forms in which servers are named, the next one, and what a domain says as time goes on."""

import asyncio
import random
from collections import Counter

import pytest

from hongyan.client.errors import Unreachable
from hongyan.client.servers import Address, Servers, name_of
from hongyan.finding import CannotFind, Records, Target


class Names:
    """A name server and a clock, as a test wants them."""

    def __init__(self, *targets: str, ttl: int = 3600) -> None:
        self.says(*targets, ttl=ttl)
        self.asked: list[str] = []
        self.now = 1000.0
        self.silent = False

    def says(self, *targets: str, ttl: int = 3600) -> None:
        places = [Target(host, int(port)) for host, _, port in (target.partition(":") for target in targets)]
        self.answer: Records | Exception = Records(tuple(places), ttl)

    async def look(self, name: str) -> Records:
        self.asked.append(name)
        if self.silent:
            await asyncio.Event().wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def servers(self) -> Servers:
        return Servers("example.org", clock=lambda: self.now, look=self.look)


async def found(servers: Servers) -> list[str]:
    await servers.find()
    return [server.url for server in servers.all]


def in_order(*urls: str) -> Servers:
    return Servers(urls, draw=lambda: 0.0, clock=lambda: 0.0)


# How they are named


@pytest.mark.parametrize(
    "given", ["http://b:1/, http://a:2", ["http://a:2", "http://b:1/"], ["http://b:1,http://a:2", "http://a:2"]]
)
def test_several_are_the_same_in_whatever_order_they_are_named(given: str | list[str]) -> None:
    servers = Servers(given)
    assert {server.url for server in servers.all} == {"http://a:2", "http://b:1"}
    assert servers.name == name_of(given) == "http://a:2,http://b:1"


@pytest.mark.parametrize(
    "given",
    [
        "",
        ",",
        [],
        "http://a,",
        "127.0.0.1",
        "localhost",
        "::1",
        "localhost:8440",
        "http://a,example.org",
        "a.org,b.org",
        "ftp://a",
        "a b.org",
        "user@a.org",
        "-a.org",
        "a..org",
        "https://",
    ],
)
def test_what_is_no_server_is_refused(given: str | list[str]) -> None:
    with pytest.raises(ValueError, match="address"):
        Servers(given)


def test_name_server_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="ADDRESS:PORT"):
        Servers("example.org", dns="ns.example.org")


@pytest.mark.parametrize(("given", "name"), [("Example.ORG.", "example.org"), ("鸿雁.中国", "xn--9n5an1m.xn--fiqs8s")])
async def test_domain_is_asked_for_in_its_form_for_name_servers(given: str, name: str) -> None:
    names = Names("n1.example.org:8443")
    servers = Servers(given, look=names.look)
    await servers.find()
    assert (names.asked, servers.name) == ([f"_hongyan._tcp.{name}"], name)


def test_clients_of_several_begin_with_any_of_them() -> None:
    draw = random.Random(8440).random
    first = Counter(Servers("http://a,http://b,http://c", draw=draw).current.url for _ in range(300))
    assert min(first.values()) > 70
    after = Counter(Servers("http://a,http://b,http://c", draw=draw).all[1].url for _ in range(300))
    assert min(after.values()) > 70, "nor do those of one that stops all go to the same"


# The next one


def test_each_is_tried_once_and_then_it_is_time_to_wait() -> None:
    servers = in_order("http://a", "http://b", "http://c")
    tried: set[Address] = set()
    went = []
    for _ in range(7):
        went.append((servers.current.url, servers.leave(servers.current, tried)))
    assert went[:3] == [("http://a", True), ("http://b", True), ("http://c", False)]
    assert went[3:6] == went[:3]


def test_one_alone_is_always_waited_for() -> None:
    servers = in_order("http://a")
    assert not servers.leave(servers.current, set())
    assert servers.current.url == "http://a"


def test_who_fails_on_a_server_that_was_left_before_goes_where_the_others_went() -> None:
    servers = in_order("http://a", "http://b", "http://c")
    first = servers.current
    assert servers.leave(first, set())
    tried: set[Address] = set()
    assert servers.leave(first, tried)
    assert servers.current.url == "http://b"
    servers.leave(servers.current, set())  # somebody else: back at the first, which is in order again
    assert servers.current == first
    assert servers.leave(first, tried)
    assert servers.current != first


def test_server_that_asked_for_peace_has_it() -> None:
    now = 0.0
    servers = Servers("http://a,http://b", draw=lambda: 0.0, clock=lambda: now)
    a, b = servers.all
    tried: set[Address] = set()
    assert servers.leave(a, tried, 20.0)
    assert servers.current == b
    for _ in range(3):
        assert not servers.leave(b, tried)
        assert (servers.current, servers.peace) == (b, None)
    assert not servers.leave(b, tried, 30.0)
    assert (servers.current, servers.peace) == (a, 20.0)
    now = 20.0
    assert servers.peace is None
    assert not servers.leave(a, tried)
    assert (servers.current, servers.peace) == (a, None)


# What a domain says


async def test_records_lead_to_servers_that_show_the_certificate_of_the_domain() -> None:
    names = Names()
    names.answer = Records((Target("n1.example.org", 8443), Target("example.org", 443), Target("::1", 443)), 60)
    servers = names.servers()
    assert servers.current.url == "https://example.org"
    await servers.find()
    assert servers.all == (
        Address("https://n1.example.org:8443", "example.org"),
        Address("https://example.org"),
        Address("https://[::1]", "example.org"),
    )
    assert servers.current == servers.all[0]
    assert servers.secure
    assert servers.current.websocket == ("wss://example.org", {"host": "n1.example.org", "port": 8443, "proxy": None})


async def test_domain_without_records_is_its_own_server() -> None:
    names = Names()
    names.answer = CannotFind("no such record", "none")
    assert await found(names.servers()) == ["https://example.org"]


@pytest.mark.parametrize("reason", ["closed", "unanswered"])
async def test_domain_that_leads_nowhere_is_said_and_asked_again(reason: str) -> None:
    names = Names()
    names.answer = CannotFind("because of the weather", reason)  # type: ignore[arg-type]
    servers = names.servers()
    for _ in range(2):
        with pytest.raises(Unreachable, match=r"example\.org: because of the weather"):
            await servers.find()
        assert not servers.leave(servers.current, set())
    names.says("a:1")
    assert await found(servers) == ["https://a:1"]


async def test_records_are_asked_for_once_while_all_is_well() -> None:
    names = Names("a:1", "b:1")
    servers = names.servers()
    await asyncio.gather(*(servers.find() for _ in range(20)))
    names.now += 10_000
    await servers.find()
    assert len(names.asked) == 1


async def test_records_are_asked_for_again_when_all_servers_failed() -> None:
    names = Names("a:1", "b:1")
    servers = names.servers()
    await servers.find()
    names.says("c:1", "a:1")
    tried: set[Address] = set()
    assert servers.leave(servers.current, tried)
    await servers.find()
    assert len(names.asked) == 1
    names.now += 2
    assert not servers.leave(servers.current, tried)
    await asyncio.gather(*(servers.find() for _ in range(20)))
    assert len(names.asked) == 2
    assert [server.url for server in servers.all] == ["https://c:1", "https://a:1"]


@pytest.mark.parametrize(("ttl", "age"), [(3600, 300.0), (30, 30.0), (0, 1.0)])
async def test_old_records_are_asked_for_again_before_anybody_goes_by_them(ttl: int, age: float) -> None:
    names = Names("a:1", "b:1", ttl=ttl)
    servers = names.servers()
    await servers.find()
    names.says("c:1", ttl=ttl)
    names.now += age
    assert servers.leave(servers.current, set())
    await servers.find()
    assert servers.current.url == "https://c:1"


async def test_going_elsewhere_does_not_wait_for_a_name_server_that_is_silent() -> None:
    names = Names("a:1", "b:1")
    servers = names.servers()
    await servers.find()
    names.silent = True
    names.now += 400
    assert servers.leave(servers.current, set())
    began = asyncio.get_running_loop().time()
    await servers.find()
    assert asyncio.get_running_loop().time() - began < 0.8
    assert servers.current.url == "https://b:1"


async def test_answer_that_fails_leaves_what_is_known() -> None:
    names = Names("a:1", "b:1")
    servers = names.servers()
    await servers.find()
    names.answer = CannotFind("a bad day", "unanswered")
    names.now += 400
    servers.leave(servers.current, set())
    assert await found(servers) == ["https://a:1", "https://b:1"]


async def test_server_in_use_stays_in_use_when_it_is_still_there() -> None:
    names = Names("a:1", "b:1")
    servers = names.servers()
    await servers.find()
    assert servers.leave(servers.current, set())
    names.says("c:1", "b:1")
    names.now += 400
    servers.leave(Address("https://elsewhere"), set())
    await servers.find()
    assert servers.current.url == "https://b:1"


async def test_who_gives_up_asking_does_not_spoil_it_for_the_others() -> None:
    names = Names("a:1")
    names.silent = True
    servers = names.servers()
    first, second = asyncio.create_task(servers.find()), asyncio.create_task(servers.find())
    await asyncio.sleep(0)
    names.silent = False
    first.cancel()
    await second
    assert servers.current.url == "https://a:1"
