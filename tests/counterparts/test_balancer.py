"""The balancers take a configuration and change it under open connections."""

import http.client
from pathlib import Path

import httpx
import psutil
import pytest

from tests.counterparts.balancer import BadConfiguration, Balancer, HAProxy, Nginx

NGINX = """
server {
    listen 127.0.0.1:PORT;
    location / { return 200 "one"; }
}
"""
HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 1m
    timeout server 1m
frontend web
    bind 127.0.0.1:PORT
    http-request return status 200 content-type text/plain string "one"
"""


@pytest.fixture(params=[(Nginx, NGINX), (HAProxy, HAPROXY)], ids=["nginx", "haproxy"])
def balancer(request: pytest.FixtureRequest, tmp_path: Path) -> Balancer:
    kind, configuration = request.param
    made: Balancer = kind(configuration, tmp_path / "balancer")
    return made


def test_reload_changes_new_connections_and_keeps_open_ones(balancer: Balancer) -> None:
    with balancer:
        for text in ("two", "three"):
            open_one = http.client.HTTPConnection("127.0.0.1", balancer.port, timeout=10)
            open_one.connect()
            first = balancer.pid
            balancer.reload(balancer.configuration.replace('"one"', f'"{text}"').replace('"two"', f'"{text}"'))
            assert balancer.pid == first
            assert httpx.get(balancer.url).text == text
            open_one.request("GET", "/")
            assert open_one.getresponse().status == 200
            open_one.close()


def test_bad_configuration_is_told_in_its_words_and_changes_nothing(balancer: Balancer) -> None:
    good = balancer.configuration
    with balancer:
        with pytest.raises(BadConfiguration, match=r"unknown (directive|keyword).*nonsense"):
            balancer.reload(f"{good}\n    nonsense on;\n")
        assert httpx.get(balancer.url).text == "one"
    balancer.configuration = "nonsense;\n"
    with pytest.raises(BadConfiguration, match="nonsense"), balancer:
        pass


def test_stops_starts_and_leaves_nothing(balancer: Balancer) -> None:
    with balancer:
        url = balancer.url
        balancer.stop()
        assert not balancer.runs
        balancer.start()
        assert (balancer.url, httpx.get(url).text) == (url, "one")
        balancer.kill()
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
        balancer.start()
        first = psutil.Process(balancer.pid)
        alive = [first, *first.children(recursive=True)]
    assert len(alive) > 1
    assert not any(process.is_running() for process in alive)
