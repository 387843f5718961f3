"""SASL as a stream has it: what is offered, and how an attempt ends."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scramp import ScramClient

from hongyan import config
from hongyan.core.errors import Invalid, StoreUnavailable, TooLarge
from hongyan.features.identity import Identity
from hongyan.gateways.xmpp.sasl import Challenge, Mechanisms, Negotiation, SaslFailure, Success, decoded, plain
from tests.build import house
from tests.gateways.xmpp.raw import HEAD, connected
from tests.gateways.xmpp.site import Site
from tests.serving import PASSWORD

HOME, RIGHT, WRONG = "192.0.2.1", "correct horse", "battery staple"
BOUND = {"tls-server-end-point": b"hash"}


@pytest.fixture
async def identity(tmp_path: Path) -> AsyncIterator[Identity]:
    own = config.Identity(iterations=4_096, sha1_iterations=4_096, failures_per_account=3)
    async with house(tmp_path / "data", config.Settings(identity=own)) as home:
        identity = Identity(home.store, home.messaging.people, own)
        await identity.add("lihua", RIGHT)
        try:
            yield identity
        finally:
            await identity.stop()


@pytest.fixture
def attempt(identity: Identity) -> Callable[..., Negotiation]:
    def new(bindings: dict[str, bytes] | None = None, secure: bool = True) -> Negotiation:
        return Negotiation(identity, Mechanisms(identity, bindings or {}, secure=secure), "example.org", HOME)

    return new


Attempt = Callable[..., Negotiation]


async def failure(step: object) -> str:
    with pytest.raises(SaslFailure) as error:
        await step  # type: ignore[misc]
    return error.value.condition


def test_what_is_offered(identity: Identity) -> None:
    def offered(bindings: dict[str, bytes], secure: bool) -> tuple[str, ...]:
        return Mechanisms(identity, bindings, secure=secure).offered()

    assert offered(BOUND, True) == ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN")
    assert offered({}, True) == ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN")
    assert offered({}, False) == ("SCRAM-SHA-256", "SCRAM-SHA-1")


@pytest.mark.parametrize("initial", [True, False], ids=["with an initial response", "without"])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"])
async def test_scram(attempt: Attempt, mechanism: str, initial: bool) -> None:
    binding = ("tls-server-end-point", b"hash")
    negotiation = attempt(BOUND if mechanism.endswith("-PLUS") else None)
    client = ScramClient([mechanism], "lihua", RIGHT, channel_binding=binding if mechanism.endswith("-PLUS") else None)
    first = client.get_client_first().encode()
    step = await negotiation.begin(mechanism, first if initial else None)
    if not initial:
        assert step == Challenge(b"")
        step = await negotiation.respond(first)
    assert isinstance(step, Challenge)
    client.set_server_first(step.data.decode())
    step = await negotiation.respond(client.get_client_final().encode())
    assert isinstance(step, Success)
    assert step.data is not None
    client.set_server_final(step.data.decode())
    assert step.proven.user == "lihua"
    assert await failure(negotiation.respond(b"")) == "malformed-request"
    assert await failure(negotiation.begin(mechanism, None)) == "malformed-request"


async def test_a_client_that_knows_no_other_binding_than_tls_unique(site: Site) -> None:
    """As slixmpp 1.8 does under poezio, whatever is offered, also over TLS 1.3."""
    (alice,) = site.people("alice")
    async with connected(site) as raw:
        await raw.start_tls()
        await raw.say(HEAD)
        offered = await raw.until("</stream:features>")
        assert "<channel-binding type='tls-server-end-point'/>" in offered
        assert "tls-unique" not in offered
        binding = ("tls-unique", raw.binding("tls-unique"))
        client = ScramClient(["SCRAM-SHA-256-PLUS"], alice.id, PASSWORD, channel_binding=binding)
        first, sasl = b64encode(client.get_client_first().encode()).decode(), "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
        await raw.say(f"<auth {sasl} mechanism='SCRAM-SHA-256-PLUS'>{first}</auth>")
        challenge = (await raw.until("</challenge>")).partition(">")[2].removesuffix("</challenge>")
        client.set_server_first(b64decode(challenge).decode())
        await raw.say(f"<response {sasl}>{b64encode(client.get_client_final().encode()).decode()}</response>")
        success = (await raw.until("</success>")).partition(">")[2].removesuffix("</success>")
        client.set_server_final(b64decode(success).decode())


@pytest.mark.parametrize("authzid", ["", "lihua", "lihua@example.org"])
async def test_plain(attempt: Attempt, authzid: str) -> None:
    said = f"{authzid}\0LiHua\0{RIGHT}".encode()
    step = await attempt().begin("PLAIN", said)
    assert isinstance(step, Success)
    assert (step.proven.user, step.data) == ("lihua", None)
    negotiation = attempt()
    assert await negotiation.begin("PLAIN", None) == Challenge(b"")
    assert isinstance(await negotiation.respond(said), Success)


async def test_how_attempts_fail(attempt: Attempt, identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    right = f"\0lihua\0{RIGHT}".encode()
    assert await failure(attempt().begin("DIGEST-MD5", None)) == "invalid-mechanism"
    assert await failure(attempt().begin("SCRAM-SHA-256-PLUS", None)) == "invalid-mechanism"
    assert await failure(attempt(secure=False).begin("PLAIN", right)) == "encryption-required"
    assert await failure(attempt().begin("PLAIN", b"lihua")) == "malformed-request"
    assert await failure(attempt().begin("PLAIN", f"wang\0lihua\0{RIGHT}".encode())) == "invalid-authzid"
    assert await failure(attempt().begin("SCRAM-SHA-256", b"n,a=wang,n=lihua,r=x")) == "invalid-authzid"
    assert await failure(attempt(BOUND).begin("SCRAM-SHA-256", b"y,,n=lihua,r=x")) == "not-authorized"
    assert await failure(attempt().begin("PLAIN", f"\0nobody\0{RIGHT}".encode())) == "not-authorized"
    for _ in range(3):
        assert await failure(attempt().begin("PLAIN", f"\0lihua\0{WRONG}".encode())) == "not-authorized"
    assert await failure(attempt().begin("PLAIN", right)) == "temporary-auth-failure"

    async def away(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(identity._store, "read", away)
    assert await failure(attempt().begin("SCRAM-SHA-256", b"n,,n=lihua,r=x")) == "temporary-auth-failure"


async def test_a_disabled_account_is_not_told_apart(attempt: Attempt, identity: Identity) -> None:
    told = []
    for _ in range(2):
        with pytest.raises(SaslFailure) as error:
            await attempt().begin("PLAIN", f"\0lihua\0{WRONG if not told else RIGHT}".encode())
        told.append(str(error.value))
        await identity.disable("lihua")
    assert told[0] == told[1]


async def test_after_a_failure_or_an_abort_there_is_no_more(attempt: Attempt) -> None:
    right = f"\0lihua\0{RIGHT}".encode()
    for first in ("NOTHING", "PLAIN"):
        negotiation = attempt()
        await failure(negotiation.begin(first, b"x"))
        assert await failure(negotiation.respond(right)) == "malformed-request"
    negotiation = attempt()
    assert await failure(negotiation.respond(right)) == "malformed-request"
    assert await failure(negotiation.begin("PLAIN", right)) == "malformed-request"
    negotiation = attempt()
    await negotiation.begin("PLAIN", None)
    assert negotiation.abort().condition == "aborted"
    assert await failure(negotiation.respond(right)) == "malformed-request"


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0\0", b"\0a\0", b"\0\0b", b"a\0b", b"\0a\0b\0", b"\0a\0b\0c", b"\0\xff\0b", b"\0a\0\xff"]
)
def test_what_is_not_plain(data: bytes) -> None:
    with pytest.raises(Invalid) as error:
        plain(data)
    assert error.value.__cause__ is error.value.__context__ is None


def test_plain_is_bounded() -> None:
    with pytest.raises(TooLarge):
        plain(b"\0a\0" + b"x" * 8_192)


def test_text_of_elements() -> None:
    assert (decoded(""), decoded("="), decoded(b64encode(b"\0a\0b").decode())) == (None, b"", b"\0a\0b")
    for text in ("==", "a", "YWJj\n", " YWJj", "YW Jj", "é"):
        with pytest.raises(SaslFailure) as error:
            decoded(text)
        assert error.value.condition == "incorrect-encoding"


_message = st.one_of(
    st.binary(max_size=60),
    st.lists(
        st.sampled_from([b"n,,", b"y,,", b"n=lihua", b",", b"r=x", b"c=biws", b"p=AAAA", b"\0", b"lihua", b"m=1", b"\xff"])
    ).map(b"".join),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mechanism=st.sampled_from(["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "X"]), messages=st.lists(_message, min_size=1, max_size=3)
)
async def test_garbage_ends_in_a_condition(attempt: Attempt, mechanism: str, messages: list[bytes]) -> None:
    negotiation = attempt()
    steps = [negotiation.begin(mechanism, messages[0]), *(negotiation.respond(message) for message in messages[1:])]
    for outcome in [await _outcome(step) for step in steps]:
        assert isinstance(outcome, Challenge) or outcome in (
            "malformed-request",
            "not-authorized",
            "invalid-mechanism",
            "invalid-authzid",
            "temporary-auth-failure",
        )


async def _outcome(step: Awaitable[Challenge | Success]) -> Challenge | Success | str:
    try:
        return await step
    except SaslFailure as error:
        return error.condition
