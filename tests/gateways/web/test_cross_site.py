"""Pages of other sites: refused on every endpoint and transport unless their origin is listed (CVE-2023-3581)."""

from pathlib import Path

from tests.gateways.web.webhouse import WebHouse, operations, problem, settings, web_house


async def test_foreign_origin_is_refused_on_every_endpoint_and_transport(web: WebHouse) -> None:
    before = await web.state()
    everything = [*await operations(web), ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/")]
    for method, path in everything:
        for user in ("bob", None):
            answer = await web.call(user, method, path, headers={"Origin": "https://evil.example"})
            problem(answer, 403, "origin-refused")
            assert "access-control-allow-origin" not in answer.headers
    assert await web.state() == before


async def test_own_origin_and_programs_are_let_in(web: WebHouse) -> None:
    for path in ("/v1/me", "/v1/events"):
        assert (await web.call("bob", "GET", path, headers={"Origin": "http://chat.example"})).status_code == 200
        answer = await web.call("bob", "GET", path)
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers


async def test_listed_origin_gets_cors_with_its_own_name(tmp_path: Path) -> None:
    async with web_house(tmp_path / "db", settings(http={"origins": ("https://portal.example",)})) as web:
        origin = {"Origin": "https://portal.example"}
        for user, path in (("bob", "/v1/me"), ("bob", "/v1/events"), ("bob", "/v1/nothing"), (None, "/v1/me")):
            answer = await web.call(user, "GET", path, headers=origin)
            assert answer.headers["access-control-allow-origin"] == "https://portal.example"
            assert answer.headers["vary"] == "Origin"
            assert "access-control-allow-credentials" not in answer.headers
        assert (await web.call("bob", "GET", "/v1/me")).headers["vary"] == "Origin"  # or a cache would mix them up
        asks = {**origin, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}
        preflight = await web.call(None, "OPTIONS", "/v1/conversations/x", headers=asks)
        assert preflight.status_code == 204
        assert "PATCH" in preflight.headers["access-control-allow-methods"]
        assert "Authorization" in preflight.headers["access-control-allow-headers"]
        refused = await web.call(None, "OPTIONS", "/v1/me", headers={**asks, "Origin": "https://evil.example"})
        problem(refused, 403, "origin-refused")
