"""What rates count by."""

from hongyan.gateways.door.peers import site


def test_one_customer_has_a_whole_ipv6_network() -> None:
    assert site("2001:db8:1:2:3::4") == site("2001:db8:1:2:ffff::1") != site("2001:db8:1:3::1")
    assert site("192.0.2.1") != site("192.0.2.2")
    assert site("unknown") == "unknown"
