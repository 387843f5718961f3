"""Which addresses are called for a name that a stranger has given: public ones, and nothing that leads elsewhere."""

import pytest

from hongyan.finding import NotPublicError, is_public, public_address


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "198.18.0.1", "192.0.2.1", "240.0.0.1",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "fec0::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::1",
        "64:ff9b:1::808:808", "64:ff9b:1:2::8efa:15f", "::8.8.8.8", "::8efa:15f",
        "2001:0:4136:e378:8000:63bf:80ff:fffe", "localhost", "",
    ],
)  # fmt: skip
def test_addresses_of_other_networks_are_not_called(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["142.250.1.95", "2a00:1450:4001:830::200a", "::ffff:142.250.1.95", "64:ff9b::8efa:15f"])
def test_addresses_of_the_public_network_are_called(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "2130706433", "0x7f.1"])
async def test_names_that_lead_here_are_not_called(host: str) -> None:
    with pytest.raises((NotPublicError, OSError)):
        await public_address(host, private=False)
