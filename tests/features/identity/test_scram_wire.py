"""Messages of SCRAM: right ones are taken apart, everything else is refused with a typed error."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.core.errors import Invalid
from hongyan.features.identity.scram_wire import client_final, client_first

FIRST = "p=tls-exporter,a=some=2Cone,n=li=3Dhua,r=a!~,x=y"
FINAL = "c=biws,r=a!~,x=y,p=AAAA"


def test_a_first_message_in_its_parts() -> None:
    said = client_first(FIRST.encode())
    assert (said.flag, said.binding, said.authzid, said.name, said.nonce) == ("p", "tls-exporter", "some,one", "li=hua", "a!~")
    assert (said.header, said.bare) == ("p=tls-exporter,a=some=2Cone,", "n=li=3Dhua,r=a!~,x=y")


def test_a_final_message_in_its_parts() -> None:
    said = client_final(FINAL.encode())
    assert (said.unproven, said.bound, said.nonce, said.proof) == ("c=biws,r=a!~,x=y", b"n,,", "a!~", b"\0\0\0")


@pytest.mark.parametrize(
    "message",
    [
        "F,n,,n=a,r=x",
        "N,,n=a,r=x",
        "n,n=a,r=x",
        "n,a=,n=a,r=x",
        "n,,n=,r=x",
        "n,,n=a,r=",
        "n,,r=x,n=a",
        "n,,n=a,r=x y",
        "n,,n=a,r=é",
        "n,,n=a=2,r=x",
        "n,,n=a=3d,r=x",
        "n,,n=a=,r=x",
        "n,,m=x,n=a,r=x",
        "n,,n=a,r=x,m=x",
        "n,,n=a,r=x,y=1,m=x",
        "n,,n=a,r=x,",
        "n,,n=a,r=x,1=x",
        "n,,n=a\0,r=x",
        "n,,n=a,r=x\n",
        "p=a_b,,n=a,r=x",
        "y,,n=a",
    ],
)
def test_first_messages_that_are_none(message: str) -> None:
    with pytest.raises(Invalid):
        client_first(message.encode())


@pytest.mark.parametrize(
    "message",
    [
        "r=x,c=biws,p=AAAA",
        "c=biws,r=x",
        "c=biws,p=AAAA",
        "c=,r=x,p=AAAA",
        "c=biw,r=x,p=AAAA",
        "c=b!iws,r=x,p=AAAA",
        "c=biws,r=x,p=",
        "c=biws,r=x,p=AAA",
        "c=biws,r=x,p=éé==",
        "c=biws,r=x,p=AAAA,x=y",
        "c=biws,r=x,m=1,p=AAAA",
        "m=1,c=biws,r=x,p=AAAA",
        "c=biws,r=x,p=AAAA\n",
    ],
)
def test_final_messages_that_are_none(message: str) -> None:
    with pytest.raises(Invalid):
        client_final(message.encode())


_pieces = st.lists(
    st.sampled_from(
        ["n,", "y,", "p=tls-exporter,", ",", "a=", "n=", "r=", "c=", "p=", "m=", "=2C", "=", "biws", "x", "é", "\0", "\n"]
    ),
    max_size=14,
).map(lambda pieces: "".join(pieces).encode())


@given(st.one_of(st.binary(max_size=200), _pieces))
def test_garbage_is_refused_with_a_typed_error_or_is_no_garbage(message: bytes) -> None:
    with contextlib.suppress(Invalid):
        said = client_first(message)
        assert (said.header + said.bare).encode() == message
        assert said.name
        assert said.nonce
    with contextlib.suppress(Invalid):
        final = client_final(message)
        assert message.startswith(final.unproven.encode() + b",p=")
        assert final.nonce
