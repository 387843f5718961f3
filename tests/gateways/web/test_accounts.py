"""Log-in, tokens and passwords over REST."""

from tests.gateways.web.webhouse import PASSWORD, WebHouse, problem


async def test_login_gives_a_token_that_works(web: WebHouse) -> None:
    answer = await web.call(None, "POST", "/v1/login", {"username": "bob", "password": PASSWORD, "device": "phone"})
    assert answer.status_code == 200
    got = answer.json()
    assert set(got) == {"token", "token_id", "user_id", "name", "device", "expires", "change_password"}
    assert (got["user_id"], got["name"], got["device"], got["change_password"]) == ("bob", "Bob", "phone", False)
    web.tokens["bob's phone"] = got["token"]
    me = (await web.call("bob's phone", "GET", "/v1/me")).json()
    assert me == {"id": "bob", "name": "Bob", "admin": False, "device": "phone", "token_id": got["token_id"]}


async def test_wrong_password_and_unknown_name_look_the_same(web: WebHouse) -> None:
    wrong = await web.call(None, "POST", "/v1/login", {"username": "bob", "password": "x" * 12, "device": "phone"})
    unknown = await web.call(None, "POST", "/v1/login", {"username": "nobody", "password": "x" * 12, "device": "phone"})
    assert problem(wrong, 401, "wrong-password") == problem(unknown, 401, "wrong-password")


async def test_logout_ends_the_token_at_once(web: WebHouse) -> None:
    assert (await web.call("bob", "POST", "/v1/logout")).status_code == 204
    problem(await web.call("bob", "GET", "/v1/me"), 401, "not-authenticated")


async def test_named_token_is_shown_once_listed_and_ended(web: WebHouse) -> None:
    answer = await web.call("bob", "POST", "/v1/tokens", {"name": "backup", "days": 30})
    assert answer.status_code == 201
    web.tokens["robot"] = answer.json()["token"]
    assert (await web.call("robot", "GET", "/v1/me")).json()["device"] == "backup"
    listed = (await web.call("bob", "GET", "/v1/tokens")).json()["tokens"]
    assert {one["name"] for one in listed} == {"laptop", "backup"}
    assert answer.json()["token"] not in (await web.call("bob", "GET", "/v1/tokens")).text
    assert (await web.call("bob", "DELETE", f"/v1/tokens/{answer.json()['token_id']}")).status_code == 204
    problem(await web.call("robot", "GET", "/v1/me"), 401, "not-authenticated")


async def test_nobody_ends_the_token_of_another(web: WebHouse) -> None:
    theirs = (await web.call("alice", "GET", "/v1/tokens")).json()["tokens"][0]["id"]
    problem(await web.call("bob", "DELETE", f"/v1/tokens/{theirs}"), 404, "not-found")
    assert (await web.call("alice", "GET", "/v1/me")).status_code == 200


async def test_password_change_ends_every_other_token(web: WebHouse) -> None:
    other = (await web.identity.login("bob", PASSWORD, "phone", "192.0.2.1")).token
    web.tokens["bob's phone"] = other
    new = "a longer password 7"
    assert (await web.call("bob", "POST", "/v1/password", {"old": PASSWORD, "new": new})).status_code == 204
    assert (await web.call("bob", "GET", "/v1/me")).status_code == 200
    problem(await web.call("bob's phone", "GET", "/v1/me"), 401, "not-authenticated")
    problem(await web.call("bob", "POST", "/v1/password", {"old": PASSWORD, "new": new}), 401, "wrong-password")
