"""The name server answers with the records it was given last."""

from pathlib import Path

import dns.exception
import dns.resolver
import psutil
import pytest

from tests.counterparts.dns import SRV, A, NameServer

SERVICE = "_hongyan._tcp.example.test"


def resolver(server: NameServer) -> dns.resolver.Resolver:
    made = dns.resolver.Resolver(configure=False)
    made.nameservers, made.port, made.lifetime = ["127.0.0.1"], server.port, 5.0
    return made


def test_records_change_while_it_runs(tmp_path: Path) -> None:
    records: list[A | SRV] = [SRV(SERVICE, "n1.example.test", 8440, 0, 5), A("n1.example.test", "127.0.0.1")]
    with NameServer(tmp_path, records) as server:
        port, ask = server.port, resolver(server)
        (found,) = ask.resolve(SERVICE, "SRV")
        assert (str(found.target), found.port, found.priority, found.weight) == ("n1.example.test.", 8440, 0, 5)
        assert [str(one) for one in ask.resolve("n1.example.test", "A")] == ["127.0.0.1"]

        server.set([SRV(SERVICE, "n2.example.test", 8441), A("n2.example.test", "127.0.0.2"), A("n2.example.test", "127.0.0.3")])
        assert server.port == port
        answer = ask.resolve(SERVICE, "SRV")
        assert [(str(one.target), one.port) for one in answer] == [("n2.example.test.", 8441)]
        assert answer.rrset is not None
        assert answer.rrset.ttl == 0
        assert {str(one) for one in ask.resolve("n2.example.test", "A", tcp=True)} == {"127.0.0.2", "127.0.0.3"}
        with pytest.raises(dns.resolver.NXDOMAIN):
            ask.resolve("n1.example.test", "A")
        process = psutil.Process(server.pid)
    assert not process.is_running()


def test_frozen_it_answers_nobody(tmp_path: Path) -> None:
    with NameServer(tmp_path, [A("n1.example.test", "127.0.0.1")]) as server:
        server.freeze()
        with pytest.raises(dns.exception.Timeout):
            resolver(server).resolve("n1.example.test", "A", lifetime=0.1)
        server.thaw()
        assert [str(one) for one in resolver(server).resolve("n1.example.test", "A")] == ["127.0.0.1"]


def test_record_that_cannot_be_is_refused_in_its_words(tmp_path: Path) -> None:
    with NameServer(tmp_path) as server, pytest.raises(AssertionError, match=r"dnsmasq.conf"):
        server.set([SRV(SERVICE, "n1.example.test", -1)])
