"""The log: one record a line, for programs or for people, and never a secret in it."""

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from hongyan.config import Logging
from hongyan.operation.logs import set_up
from hongyan.operation.redact import redact, redact_text, tells

TOKEN = "hy_q7Zk3uY0bVdR-2mXw_tL9sEo5nAh"
SECRET = "Gans und Tinte 42"


@pytest.fixture
def log() -> Iterator[Callable[..., io.StringIO]]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def begin(**settings: Any) -> io.StringIO:
        stream = io.StringIO()
        set_up(Logging(**settings), stream)
        return stream

    yield begin
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def records(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_records_are_json_lines_when_nobody_watches(log: Callable[..., io.StringIO]) -> None:
    stream = log()
    structlog.get_logger("hongyan.web").info("opened", transport="sse", user="李华")
    logging.getLogger("hongyan.store").warning("slow commit of %d ms", 30)
    first, second = records(stream)
    assert (first["event"], first["transport"], first["user"], first["level"]) == ("opened", "sse", "李华", "info")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["logger"]) == ("slow commit of 30 ms", "hongyan.store")


def test_text_is_for_people(log: Callable[..., io.StringIO]) -> None:
    stream = log(format="text")
    structlog.get_logger("hongyan.web").info("opened", transport="sse")
    assert "opened" in stream.getvalue()
    assert "transport=sse" in stream.getvalue()
    assert "{" not in stream.getvalue()


def test_level_holds_back_what_is_less_important(log: Callable[..., io.StringIO]) -> None:
    stream = log(level="warning")
    structlog.get_logger("hongyan").info("not this")
    logging.getLogger("hongyan").info("nor this")
    structlog.get_logger("hongyan").warning("this")
    assert [record["event"] for record in records(stream)] == ["this"]


def test_records_of_uvicorn_and_of_warnings_come_in_the_same_form(log: Callable[..., io.StringIO]) -> None:
    alien = logging.getLogger("uvicorn.error")
    alien.addHandler(logging.StreamHandler(io.StringIO()))
    stream = log()
    alien.error("cannot bind")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)
    first, second = records(stream)
    assert (first["event"], first["logger"]) == ("cannot bind", "uvicorn.error")
    assert second["logger"] == "py.warnings"


def test_a_traceback_is_one_record(log: Callable[..., io.StringIO]) -> None:
    stream = log()
    try:
        raise RuntimeError("no ink")
    except RuntimeError:
        structlog.get_logger("hongyan").exception("failed")
    (record,) = records(stream)
    assert "RuntimeError: no ink" in record["exception"]


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_secret_passes_whichever_way_it_comes(log: Callable[..., io.StringIO], form: str) -> None:
    stream = log(format=form, level="debug")
    ours, standard = structlog.get_logger("hongyan"), logging.getLogger("hongyan")
    ours.info("log-in", password=SECRET, token=TOKEN, headers={"Authorization": f"Bearer {TOKEN}", "Cookie": SECRET})
    ours.info("nested", request={"body": {"new_password": SECRET, "list": [{"secret": SECRET}]}})
    ours.info("asgi", headers=[(b"authorization", SECRET.encode()), (b"accept", b"*/*")])
    ours.info(f"the token {TOKEN} was seen", url=f"/v1/events?token={TOKEN}")
    ours.info("struct", body=type("Login", (), {"__repr__": lambda self: f"Login(name='li', password='{SECRET}')"})())
    ours.bind(cookie=SECRET).info("bound")
    ours.info("text", body=json.dumps({"username": "li", "password": SECRET}))
    standard.info("with args %s %s", TOKEN, {"password": SECRET})
    standard.info("extra", extra={"authorization": SECRET})
    standard.info("header Authorization: Basic %s", "bGk6R2Fucw==")
    try:
        try:
            raise ValueError(f"password={SECRET!r} is not good")
        except ValueError as error:
            raise RuntimeError(f"cannot use {TOKEN}") from error
    except RuntimeError as error:
        ours.exception("failed", reason=error)
        standard.exception("failed with %s", error)
        error.add_note(f"Cookie: session={SECRET}")
        ours.error("again", exc_info=error, stack_info=True)
    text = stream.getvalue()
    assert len(text.splitlines()) >= 13
    assert TOKEN not in text
    assert TOKEN[3:] not in text
    assert SECRET not in text
    assert "bGk6R2Fucw" not in text
    assert "[removed]" in text


async def test_no_secret_passes_in_a_task_that_fails_unseen(log: Callable[..., io.StringIO]) -> None:
    stream = log()
    asyncio.get_running_loop().call_exception_handler(
        {"message": f"lost {TOKEN}", "exception": ValueError(f"password: {SECRET}")}
    )
    assert "lost" in stream.getvalue()
    assert TOKEN not in stream.getvalue()
    assert SECRET.split()[0] not in stream.getvalue()


def test_hostile_text_cannot_steer_a_terminal_or_forge_a_record(log: Callable[..., io.StringIO]) -> None:
    stream = log(format="text")
    structlog.get_logger("hongyan").info("login", name="li\x1b[2J\n2026-01-01 [info] all is well", host="a\x9bb")
    text = stream.getvalue()
    assert "\x1b[2J" not in text
    assert "\x9b" not in text
    assert len(text.splitlines()) == 1


def test_telling_names() -> None:
    assert all(map(tells, ["token", "password", "new_password", "Authorization", "Set-Cookie", "client_secret", "X-Api-Key"]))
    assert not any(map(tells, ["token_id", "name", "keys", "cursor", "secretary", "password_length"]))


def test_harmless_text_stays_as_it_is() -> None:
    for text in [
        "log-in of lihua from 10.0.0.7",
        "cursor k3x.1024, 3 sessions",
        "change the password at /v1/password",
        "why_not",
    ]:
        assert redact_text(text) == text
    assert redact({"count": 3, "rate": 0.5, "on": True, "none": None, "names": ["a", "b"]}) == {
        "count": 3, "rate": 0.5, "on": True, "none": None, "names": ["a", "b"],
    }  # fmt: skip
    assert redact_text("postgresql://li:geheim@db/x") == "postgresql://li:[removed]@db/x"
