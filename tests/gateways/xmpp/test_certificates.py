"""What a running server, and `hongyan doctor` with its settings, say of a certificate that nobody will believe."""

from pathlib import Path

from tests.gateways.xmpp.site import DOMAIN, Site
from tests.operation import certificates


def test_one_for_the_machine_alone_is_told(tmp_path: Path) -> None:
    with Site(tmp_path / "data", tls=certificates.make(tmp_path, host=f"chat.{DOMAIN}")) as site:
        code, report = site.server.health()
        assert (code, report["status"]) == (200, "degraded")
        assert f"is not for {DOMAIN}:" in report["reasons"][0]


def test_one_for_the_domain_is_well(site: Site) -> None:
    assert site.server.health()[1]["status"] == "ok"
