"""Logging in by SCRAM: what it gives, and what a guesser, a replayer and somebody in between meet."""

from base64 import b64decode, b64encode
from collections import Counter

import pytest

from hongyan import config
from hongyan.core.errors import (
    Forbidden,
    HongyanError,
    Invalid,
    NotAuthenticated,
    Overloaded,
    RateLimited,
    TooLarge,
    WrongPassword,
)
from hongyan.features.identity import Exchange, rows, scram
from hongyan.features.identity.scram import Hash, Keys

from .conftest import ELSEWHERE, HOME, RIGHT, WRONG, Accounts
from .scram_client import Said, answer, by_others, first

END_POINT = {"tls-server-end-point": b"\x01hash of a certificate"}
BINDING = ("tls-server-end-point", END_POINT["tls-server-end-point"])


def begun(site: Accounts, mechanism: str = "SCRAM-SHA-256", address: str = HOME) -> Exchange:
    return site.identity.scram(mechanism, address, END_POINT if mechanism.endswith("-PLUS") else {}, domain="example.org")


async def refused(site: Accounts, user: str = "lihua", password: str = WRONG, address: str = HOME) -> type[Exception]:
    exchange = begun(site, address=address)
    final = await answer(exchange, password, name=user)
    with pytest.raises((WrongPassword, RateLimited)) as error:
        await exchange.final(final)
    return error.type


# The examples of the RFCs

VECTORS: list[tuple[str, Hash, str, str, str, str, str, str]] = [
    (
        "SCRAM-SHA-1",
        "sha1",
        "QSXCR+Q6sek8bf92",
        "3rfcNHYJY1ZVvWVs7j",
        "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    (
        "SCRAM-SHA-256",
        "sha256",
        "W22ZaJ0SNY7soEsUEjb6gQ==",
        "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
]


@pytest.mark.parametrize(
    ("mechanism", "hash", "salt", "nonce", "one", "two", "three", "four"), VECTORS, ids=lambda value: value[:14]
)
async def test_the_examples_of_the_rfcs(
    site: Accounts, mechanism: str, hash: Hash, salt: str, nonce: str, one: str, two: str, three: str, four: str
) -> None:
    await site.house.add("user")
    kept = scram.derive("pencil", b64decode(salt), 4096, hash)
    keys = Keys(scram.derive("pencil", b"", 4096), kept) if hash == "sha1" else Keys(kept)
    await site.house.store.transaction(lambda tx: rows.put_keys(tx.connection, [("user", keys)], change_password=False))
    exchange = Exchange(site.identity._passwords, mechanism, HOME, {}, nonce=nonce, domain="", outcomes=Counter())
    assert await exchange.first(one.encode()) == two.encode()
    proven, last = await exchange.final(three.encode())
    assert (proven.user, last) == ("user", four.encode())


# What it gives


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS"])
async def test_a_client_by_others_logs_in_and_believes_the_server(site: Accounts, mechanism: str) -> None:
    binding = BINDING if mechanism.endswith("-PLUS") else None
    proven = await by_others(begun(site, mechanism), mechanism, "lihua", RIGHT, binding)
    login = await site.identity.enter(proven, "Phone")
    assert (login.user_id, login.name, login.device, login.change_password) == ("lihua", "Li Hua", "Phone", False)
    assert site.good(login)
    assert site.identity.logins == {"ok": 1}


async def test_a_client_by_others_finds_out_that_its_password_is_wrong(site: Accounts) -> None:
    with pytest.raises(WrongPassword):
        await by_others(begun(site), "SCRAM-SHA-256", "lihua", WRONG)
    assert site.identity.logins == {"wrong-password": 1}


async def test_names_are_prepared_and_unescaped(site: Accounts) -> None:
    await site.identity.add("a=b,c", RIGHT)
    assert (await by_others(begun(site), "SCRAM-SHA-256", "A=b,C", RIGHT)).user == "a=b,c"


async def test_a_password_that_somebody_else_chose_is_told(site: Accounts) -> None:
    await site.identity.add("chen", "one-time password", must_change=True)
    proven = await by_others(begun(site), "SCRAM-SHA-256", "chen", "one-time password")
    assert (await site.identity.enter(proven, "Phone")).change_password


async def test_proof_of_a_password_that_was_changed_since_gives_nothing(site: Accounts) -> None:
    for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-1"):
        proven = await by_others(begun(site, mechanism), mechanism, "lihua", RIGHT)
        await site.identity.set_password("lihua", RIGHT)
        with pytest.raises(WrongPassword):
            await site.identity.enter(proven, "Phone")


async def test_proof_of_who_was_disabled_since_gives_nothing(site: Accounts) -> None:
    proven = await by_others(begun(site), "SCRAM-SHA-256", "lihua", RIGHT)
    await site.identity.disable("lihua")
    with pytest.raises(WrongPassword):
        await site.identity.enter(proven, "Phone")


@pytest.mark.parametrize("authzid", ["lihua", "LiHua", "lihua@example.org", "lihua@Example.ORG"])
async def test_people_may_say_that_they_act_as_themselves(site: Accounts, authzid: str) -> None:
    exchange, header = begun(site), f"n,a={authzid},"
    challenge = await exchange.first(first(header=header))
    assert (await exchange.final(Said(RIGHT, challenge, header=header).message()))[0].user == "lihua"


@pytest.mark.parametrize("authzid", ["wang", "lihua@elsewhere.org", "lihua@", "@example.org", "wang@example.org", "a b"])
async def test_nobody_acts_for_others(site: Accounts, authzid: str) -> None:
    with pytest.raises(Forbidden):
        await begun(site).first(first(header=f"n,a={authzid},"))


# Who sits in between, and who replays


async def test_a_client_that_could_bind_and_was_not_offered_it_is_refused(site: Accounts) -> None:
    exchange = site.identity.scram("SCRAM-SHA-256", HOME, END_POINT)
    with pytest.raises(NotAuthenticated, match="in between"):
        await exchange.first(first(header="y,,"))
    assert site.identity.logins == {"not-authenticated": 1}


async def test_a_client_that_could_bind_is_served_where_nothing_is_offered(site: Accounts) -> None:
    exchange = begun(site)
    challenge = await exchange.first(first(header="y,,"))
    assert (await exchange.final(Said(RIGHT, challenge, header="y,,").message()))[0].user == "lihua"


@pytest.mark.parametrize(
    ("mechanism", "header"),
    [
        ("SCRAM-SHA-256", "p=tls-server-end-point,,"),
        ("SCRAM-SHA-256-PLUS", "n,,"),
        ("SCRAM-SHA-256-PLUS", "y,,"),
        ("SCRAM-SHA-256-PLUS", "p=tls-unique,,"),
        ("SCRAM-SHA-256-PLUS", "p=,,"),
        ("SCRAM-SHA-256-PLUS", "p,,"),
    ],
)
async def test_a_binding_that_does_not_fit_the_mechanism_is_refused(site: Accounts, mechanism: str, header: str) -> None:
    with pytest.raises(Invalid):
        await begun(site, mechanism).first(first(header=header))


async def test_a_proof_bound_to_another_channel_is_refused(site: Accounts) -> None:
    header = "p=tls-server-end-point,,"
    for bound in (b"another certificate", b"", BINDING[1] + b"\0"):
        exchange = begun(site, "SCRAM-SHA-256-PLUS")
        challenge = await exchange.first(first(header=header))
        with pytest.raises(WrongPassword):
            await exchange.final(Said(RIGHT, challenge, header=header, bound=bound).message())


async def test_a_header_that_was_changed_on_the_way_is_refused(site: Accounts) -> None:
    exchange = begun(site)
    challenge = await exchange.first(first(header="n,,"))
    with pytest.raises(WrongPassword):
        await exchange.final(Said(RIGHT, challenge, header="y,,").message())


async def test_a_final_message_of_another_exchange_is_refused(site: Accounts) -> None:
    one, other = begun(site), begun(site)
    final = await answer(one, RIGHT)
    await other.first(first())
    assert (await one.final(final))[0].user == "lihua"
    with pytest.raises(WrongPassword):
        await other.final(final)


async def test_a_nonce_that_is_not_the_servers_is_refused_though_the_proof_is_right(site: Accounts) -> None:
    for change in (lambda nonce: nonce[:-1], lambda nonce: nonce + "x", lambda nonce: "x"):
        exchange = begun(site)
        said = Said(RIGHT, await exchange.first(first()), header="n,,")
        said.nonce = change(said.nonce)
        with pytest.raises(WrongPassword):
            await exchange.final(said.message())
        site.ticks += 900_000


async def test_an_exchange_works_once(site: Accounts) -> None:
    exchange = begun(site)
    with pytest.raises(Invalid):
        await exchange.final(b"c=biws,r=x,p=eA==")
    final = await answer(exchange, RIGHT)
    with pytest.raises(Invalid):
        await exchange.first(first())
    await exchange.final(final)
    with pytest.raises(Invalid):
        await exchange.final(final)


async def test_after_a_wrong_proof_the_right_one_comes_too_late(site: Accounts) -> None:
    exchange = begun(site)
    said = Said(RIGHT, await exchange.first(first()), header="n,,")
    with pytest.raises(WrongPassword):
        await exchange.final(said.message(proof=bytes(32)))
    with pytest.raises(Invalid):
        await exchange.final(said.message())


@pytest.mark.parametrize("proof", [b"x", bytes(20), bytes(31), bytes(33), bytes(100)])
async def test_a_proof_of_another_length_is_wrong(site: Accounts, proof: bytes) -> None:
    exchange = begun(site)
    with pytest.raises(WrongPassword):
        await exchange.final(Said(RIGHT, await exchange.first(first()), header="n,,").message(proof=proof))


async def test_a_right_proof_with_something_behind_it_is_wrong(site: Accounts) -> None:
    exchange = begun(site)
    said = Said(RIGHT, await exchange.first(first()), header="n,,")
    right = b64decode(said.message().rpartition(b",p=")[2])
    with pytest.raises(WrongPassword):
        await exchange.final(said.message(proof=right + b"\0"))


async def test_extensions_that_may_be_left_out_are(site: Accounts) -> None:
    exchange = begun(site)
    said = Said(RIGHT, await exchange.first(first()), header="n,,")
    assert (await exchange.final(said.message(more=",x=some=thing")))[0].user == "lihua"


async def test_messages_are_bounded(site: Accounts) -> None:
    with pytest.raises(TooLarge):
        await begun(site).first(first("x" * 1_024))
    exchange = begun(site)
    await exchange.first(first())
    with pytest.raises(TooLarge):
        await exchange.final(b"c=biws,r=x,p=" + b"A" * 4_096)


def test_what_is_not_offered_is_not_begun(site: Accounts) -> None:
    for mechanism, bindings in (("SCRAM-SHA-256-PLUS", {}), ("SCRAM-SHA-512", END_POINT), ("PLAIN", {}), ("scram-sha-1", {})):
        with pytest.raises(Invalid):
            site.identity.scram(mechanism, HOME, bindings)


# Who guesses


@pytest.mark.parametrize("name", ["nobody", "wang", "ghost", "a b", "x" * 500])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1"])
async def test_who_cannot_log_in_looks_like_who_can(site: Accounts, mechanism: str, name: str) -> None:
    await site.identity.disable("wang")
    await site.house.add("ghost")  # has no password at all
    hash: Hash = "sha1" if mechanism == "SCRAM-SHA-1" else "sha256"
    real = await begun(site, mechanism).first(first())
    one, other = begun(site, mechanism), begun(site, mechanism)
    challenges = [await exchange.first(first(name)) for exchange in (one, other)]
    salts = {challenge.split(b",")[1] for challenge in challenges}
    assert len(salts) == 1, "the same salt each time"
    assert {len(challenge) for challenge in challenges} == {len(real)}
    assert all(challenge.endswith(b",i=4096") for challenge in [real, *challenges])
    known = begun(site, mechanism)
    wrong = await answer(known, WRONG, hash=hash)
    with pytest.raises(WrongPassword) as theirs:
        await one.final(Said(RIGHT, challenges[0], header="n,,", name=name, hash=hash).message())
    with pytest.raises(WrongPassword) as ours:
        await known.final(wrong)
    assert theirs.value.detail == ours.value.detail


async def test_nobodys_salt_is_its_own_and_the_same_on_every_node(site: Accounts) -> None:
    elsewhere = site.another().scram("SCRAM-SHA-256", HOME, {})
    here = await begun(site).first(first("nobody"))
    assert here.split(b",")[1] == (await elsewhere.first(first("NOBODY"))).split(b",")[1]
    assert here.split(b",")[1] != (await begun(site).first(first("somebody"))).split(b",")[1]
    assert here.split(b",")[1] != (await begun(site, "SCRAM-SHA-1").first(first("nobody"))).split(b",")[1]


@pytest.mark.parametrize("user", ["lihua", "nobody"])
async def test_wrong_proofs_are_throttled_together_with_wrong_passwords(site: Accounts, user: str) -> None:
    for at in range(2):
        assert await refused(site, user, WRONG, f"192.0.2.{at}") is WrongPassword
    with pytest.raises(WrongPassword):
        await site.identity.login(user, WRONG, "laptop", "192.0.2.77")
    assert await refused(site, user, RIGHT, ELSEWHERE) is RateLimited
    site.ticks += 900_000
    assert await refused(site, user, WRONG, ELSEWHERE) is WrongPassword
    assert site.identity.logins == {"wrong-password": 4, "rate-limited": 1}


async def test_challenges_alone_are_no_guesses(site: Accounts) -> None:
    for _ in range(10):
        await begun(site).first(first())
    assert (await by_others(begun(site), "SCRAM-SHA-256", "lihua", RIGHT)).user == "lihua"


async def test_wrong_proofs_take_up_the_places_that_wrong_passwords_would(site: Accounts) -> None:
    few = site.another(config.Identity(iterations=4_096, logins_at_once=2, failures_per_account=100))
    try:
        for _ in range(2):
            exchange = few.scram("SCRAM-SHA-256", HOME, {})
            with pytest.raises(WrongPassword):
                await exchange.final(await answer(exchange, WRONG))
        exchange = few.scram("SCRAM-SHA-256", HOME, {})
        with pytest.raises(Overloaded):
            await exchange.final(await answer(exchange, RIGHT))
        while True:  # 25 ms later there is room
            exchange = few.scram("SCRAM-SHA-256", HOME, {})
            try:
                assert (await exchange.final(await answer(exchange, RIGHT)))[0].user == "lihua"
            except Overloaded:
                continue
            break
    finally:
        await few.stop()


async def test_what_was_typed_is_not_in_the_log(site: Accounts, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    assert await refused(site, "my-real-passw0rd") is WrongPassword
    assert "account unknown, from 192.0.2.1" in caplog.text
    assert "passw0rd" not in caplog.text
    proven = await by_others(begun(site, "SCRAM-SHA-1"), "SCRAM-SHA-1", "lihua", RIGHT)
    assert b64encode(proven.credentials.keys.sha256.stored_key).decode() not in repr(proven)
    assert "stored" not in repr(proven)


# Tokens of streams


async def test_a_resource_that_connects_again_takes_the_place_of_its_older_stream(site: Accounts) -> None:
    proven = await by_others(begun(site), "SCRAM-SHA-256", "lihua", RIGHT)
    session = await site.login(device="Phone")
    other = await site.identity.enter(proven, "Laptop")
    wangs = await site.identity.enter(await site.identity.prove("wang", RIGHT, HOME), "Phone")
    older = await site.identity.enter(proven, "Phone")
    before = len(await site.log_of("_tokens"))
    newer = await site.identity.enter(proven, "Phone")
    assert [one["action"] for one in (await site.log_of("_tokens"))[before:]] == ["end", "issue"]
    assert [site.good(login) for login in (session, other, wangs, older, newer)] == [True, True, True, False, True]
    assert site.ended == [("lihua", older.token_id)]
    kinds = [(token.kind, token.name) for token in await site.identity.tokens(site.identity.check(newer.token))]
    assert sorted(kinds) == [("session", "Phone"), ("xmpp", "Laptop"), ("xmpp", "Phone")]


async def test_one_that_takes_a_place_ends_no_other_at_the_limit(site: Accounts) -> None:
    proven = await by_others(begun(site), "SCRAM-SHA-256", "lihua", RIGHT)
    logins = []
    for device in ("one", "two", "three", "four"):
        site.now += 1
        logins.append(await site.identity.enter(proven, device))
    site.now += 1
    await site.identity.enter(proven, "four")
    assert [site.good(login) for login in logins] == [True, True, True, False]
    site.now += 1
    await site.identity.enter(proven, "five")
    assert [site.good(login) for login in logins] == [False, True, True, False]


async def test_errors_of_an_exchange_are_typed(site: Accounts) -> None:
    for message in (
        b"",
        b"\0",
        b"\xff",
        b"n,,",
        b"n,,n=lihua",
        b"n,,m=1,n=lihua,r=x",
        b"n,,n=lihua,r=x,m=1",
        b"n,,n==,r=x",
        b"n,,n=a=2c,r=x",
    ):
        with pytest.raises(HongyanError) as error:
            await begun(site).first(message)
        assert error.value.status == 400
