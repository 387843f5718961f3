"""The balancers' configurations of docs/deploy, with the addresses of this machine in place of the examples'.

Nothing else is changed. What is not there to be replaced fails, so a page cannot drift away from its test.
"""

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import httpx

from tests.counterparts.balancer import Balancer, HAProxy, Nginx
from tests.serving import SECONDS, Server

DEPLOY = Path(__file__).resolve().parents[2] / "docs" / "deploy"
NODES = ("10.0.0.11:8440", "10.0.0.12:8440")
"""As the files have them."""


def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def replaced(file: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        assert old in file, f"there is no {old!r} in the file"
        file = file.replace(old, new)
    return file


def with_nodes(file: str, nodes: list[Server]) -> str:
    return replaced(file, {example: f"127.0.0.1:{node.port}" for example, node in zip(NODES, nodes, strict=True)})


def nginx(nodes: list[Server], tls: tuple[Path, Path], folder: Path, **changes: str) -> Nginx:
    here = {
        "listen 80;": f"listen unix:{folder}/plain.sock;",
        "listen 443 ssl http2;": "listen 127.0.0.1:PORT ssl http2;",
        "/etc/hongyan/chain.pem": str(tls[0]),
        "/etc/hongyan/key.pem": str(tls[1]),
    }
    return Nginx(replaced(with_nodes(text("nginx.conf"), nodes), here | changes), folder)


def haproxy(nodes: list[Server], tls: tuple[Path, Path], folder: Path, **changes: str) -> HAProxy:
    both = folder / "both.pem"
    folder.mkdir(parents=True, exist_ok=True)
    both.write_text(tls[0].read_text() + tls[1].read_text())
    both.chmod(0o600)
    here = {
        "bind :80\n": f"bind unix@{folder}/plain.sock\n",
        "bind :443 ": "bind 127.0.0.1:PORT ",
        "/etc/hongyan/chat.example.org.pem": str(both),
    }
    return HAProxy(_as_who_tests(replaced(with_nodes(text("haproxy.cfg"), nodes), here | changes)), folder)


def haproxy_tcp(nodes: list[Server], tls: tuple[Path, Path], folder: Path, **changes: str) -> HAProxy:
    """The nodes have the certificate."""
    here = {"bind :443\n": "bind 127.0.0.1:PORT\n"}
    return HAProxy(_as_who_tests(replaced(with_nodes(text("haproxy-tcp.cfg"), nodes), here | changes)), folder)


def _as_who_tests(file: str) -> str:
    """Fewer open files than in earnest; and only root may become somebody else."""
    file = replaced(file, {"maxconn 100000": "maxconn 1000"})
    if os.geteuid() == 0:
        return file
    return re.sub(r"^    (user|group|chroot) .*\n", "", file, flags=re.MULTILINE)


class Front:
    """What clients see: one address, whichever node is behind it."""

    def __init__(self, balancer: Balancer, nodes: list[Server], tls: tuple[Path, Path], kind: str) -> None:
        self.balancer = balancer
        self.nodes = nodes
        self.kind = kind
        self.verify = ssl.create_default_context(cafile=tls[0])

    @property
    def hides_addresses(self) -> bool:
        """It passes bytes on, and the nodes see nobody but it."""
        return self.kind == "haproxy-tcp"

    @property
    def port(self) -> int:
        return self.balancer.port

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def http(self, source: str = "127.0.0.1", **more: str) -> httpx.Client:
        """A client whose address is `source`."""
        transport = httpx.HTTPTransport(verify=self.verify, local_address=source)
        return httpx.Client(base_url=self.url, transport=transport, timeout=SECONDS, headers=more)

    def metric(self, node: Server, name: str) -> float:
        """The sum over its labels, asked of the node itself."""
        answer = self._asking[node.port].get(f"{node.url}/metrics")
        return sum(
            float(line.rpartition(" ")[2]) for line in answer.text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))
        )

    def streams(self, node: Server) -> float:
        """Sessions that are on a node now."""
        return self.metric(node, "hongyan_connections")

    def __enter__(self) -> Self:
        self._asking = {node.port: httpx.Client(verify=self.verify, timeout=SECONDS) for node in self.nodes}
        return self

    def __exit__(self, *_: object) -> None:
        for http in self._asking.values():
            http.close()
