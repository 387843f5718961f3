"""What the balancers' files say is what the server does: times, sizes, the path of the health check."""

import re

import pytest

from hongyan.config import Settings
from hongyan.gateways.web.port.listener import HttpPace
from hongyan.gateways.web.streams import HEARTBEAT
from hongyan.gateways.web.websocket.upkeep import Pace
from tests.deploy.fronts import text

FILES = ("nginx.conf", "haproxy.cfg", "haproxy-tcp.cfg")
SILENCE = {
    "nginx.conf": ("proxy_read_timeout", "proxy_send_timeout"),
    "haproxy.cfg": ("timeout client", "timeout server", "timeout tunnel"),
    "haproxy-tcp.cfg": ("timeout client", "timeout server"),
}
"""What ends a connection on which nothing happens."""


def seconds(file: str, name: str) -> float:
    found = re.findall(rf"^\s*{name}\s+(\d+)s\b", text(file), flags=re.MULTILINE)
    assert len(found) == 1, f"{name} stands in {file} {len(found)} times"
    return float(found[0])


@pytest.mark.parametrize("file", FILES)
def test_silence_of_the_longest_poll_and_of_every_stream_is_waited_for(file: str) -> None:
    silent = max(Settings().limits.poll_wait, HEARTBEAT, Pace().beat)
    for name in SILENCE[file]:
        assert seconds(file, name) >= 1.25 * silent


def test_balancer_closes_an_idle_connection_before_the_node_does() -> None:
    """Otherwise a request meets a connection that is just being closed."""
    assert seconds("haproxy.cfg", "timeout http-keep-alive") < HttpPace().keep_alive
    assert "keepalive_timeout" not in text("nginx.conf")  # nginx's own: 60 s to a node
    assert HttpPace().keep_alive > 60


def test_head_of_a_request_has_the_time_that_a_node_gives_it() -> None:
    assert seconds("haproxy.cfg", "timeout http-request") >= HttpPace().head


def test_body_may_be_as_large_as_for_the_server() -> None:
    assert "client_max_body_size 1m;" in text("nginx.conf")
    assert Settings().http.max_body == 1024 * 1024


@pytest.mark.parametrize("file", ["haproxy.cfg", "haproxy-tcp.cfg"])
def test_health_is_asked_for_where_it_is(file: str) -> None:
    assert "http-check send meth GET uri /health " in text(file)
    assert "http-check expect status 200" in text(file)
