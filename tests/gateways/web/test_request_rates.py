"""Requests over the rate: by user, and by address before log-in."""

from pathlib import Path
from typing import Any

from tests.gateways.web.webhouse import PASSWORD, WebHouse, problem, settings, web_house


async def test_each_user_has_a_rate_whatever_the_token(tmp_path: Path) -> None:
    async with web_house(tmp_path / "db", settings(limits={"requests_per_second": 0.5, "requests_burst": 5})) as web:
        web.tokens["bob's phone"] = (await web.identity.login("bob", PASSWORD, "phone", "192.0.2.1")).token
        for number in range(5):
            assert (await web.call("bob" if number % 2 else "bob's phone", "GET", "/v1/me")).status_code == 200
        for path in ("/v1/me", "/v1/events"):
            answer = await web.call("bob", "GET", path)
            wait = problem(answer, 429, "rate-limited")["retry_after"]
            assert 0 < wait <= 2
            assert int(answer.headers["retry-after"]) >= 1
        assert (await web.call("alice", "GET", "/v1/me")).status_code == 200


async def test_guessing_tokens_is_limited_by_address_and_hurts_nobody_else(tmp_path: Path) -> None:
    async with web_house(tmp_path / "db", settings(limits={"requests_per_second": 0.5, "requests_burst": 5})) as web:
        codes = [(await web.client.get("/v1/me", headers={"Authorization": f"Bearer {n}"})).status_code for n in range(8)]
        assert codes == [401] * 5 + [429] * 3
        body = {"username": "bob", "password": PASSWORD, "device": "phone"}
        problem(await web.call(None, "POST", "/v1/login", body), 429, "rate-limited")
        problem(await web.call(None, "GET", "/nothing"), 429, "rate-limited")
        assert (await web.call("bob", "GET", "/v1/me")).status_code == 200
        assert (await web.call(None, "GET", "/docs")).status_code == 200


async def test_forwarded_address_does_not_escape_the_rate_unless_a_listed_proxy_sent_it(tmp_path: Path) -> None:
    limits = {"requests_per_second": 0.5, "requests_burst": 2}

    async def codes(web: WebHouse) -> list[int]:
        made = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(4)]
        return [(await web.call(None, "GET", "/v1/me", headers=headers)).status_code for headers in made]

    async with web_house(tmp_path / "a", settings(limits=limits)) as web:
        assert await codes(web) == [401, 401, 429, 429]
    async with web_house(tmp_path / "b", settings(http={"trusted_proxies": ("192.0.2.0/24",)}, limits=limits)) as web:
        assert await codes(web) == [401, 401, 401, 401]


async def test_login_throttle_counts_by_the_same_address(tmp_path: Path) -> None:
    seen: list[str] = []
    async with web_house(tmp_path / "db", settings(http={"trusted_proxies": ("192.0.2.0/24",)})) as web:
        login = web.identity.login

        async def noting(name: str, password: str, device: str, address: str) -> Any:
            seen.append(address)
            return await login(name, password, device, address)

        web.identity.login = noting  # type: ignore[method-assign]
        body = {"username": "bob", "password": PASSWORD, "device": "phone"}
        await web.call(None, "POST", "/v1/login", body, headers={"X-Forwarded-For": "1.1.1.1, 203.0.113.9"})
        await web.call(None, "POST", "/v1/login", body)
    assert seen == ["203.0.113.9", "192.0.2.7"]
