"""The answers against the description, by a program that makes up requests from it."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.gateways.web.webhouse import listening, settings, web_house

_CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,"
    "negative_data_rejection,missing_required_header,unsupported_method,allow_header_conformance,ignored_auth"
)
"""Not `positive_data_acceptance`: no schema can say which characters are refused in a title or a status text."""
PARTS = {
    "messages": ("--include-path-regex", "/v1/conversations/[^/]+/(messages|acts|events|pins)"),
    "conversations": ("--include-path-regex", "/v1/(conversations(/[^/]+(/(members|join|read|typing).*)?)?|channels|snapshot)$"),
    "others": ("--exclude-path-regex", "/v1/(conversations|channels|snapshot)"),
}
_NEVER_ENDS = "event_stream"
_ENDS_THE_TOKEN = "logout"


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("part", PARTS)
async def test_every_answer_is_as_described(tmp_path: Path, part: str) -> None:
    """Deterministic; about a minute each. Ids are given, so that most requests get past the question who may.

    `SCHEMATHESIS_EXAMPLES` makes up so many more for each operation.
    """
    more = os.environ.get("SCHEMATHESIS_EXAMPLES", "0")
    phases = ["--phases", "coverage,fuzzing", "--max-examples", more] if int(more) else ["--phases", "coverage"]
    limits = {"poll_wait": 0.02, "sends_per_second": 10_000.0, "sends_burst": 100_000}
    (tmp_path / "schemathesis.toml").write_text(
        '[parameters]\n"path.conversation" = "lobby"\n"path.user" = "bob"\n"path.seq" = 6\n'
    )
    async with web_house(tmp_path / "db", settings(limits=limits)) as web, listening(web.app) as (host, port):
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "--no-color", "run"]
        command += [f"http://{host}:{port}/openapi.json", "--header", f"Authorization: Bearer {web.tokens['alice']}"]
        command += ["--exclude-operation-id", _NEVER_ENDS, "--exclude-operation-id", _ENDS_THE_TOKEN, "--checks", _CHECKS]
        command += [*PARTS[part], *phases, "--seed", "1", "--generation-deterministic"]
        command += ["--request-timeout", "20", "--warnings", "off"]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    assert sum(web.app.answers.values()) > 300
    assert web.app.answers[200] + web.app.answers[201] + web.app.answers[204] > 30
    assert not web.app.answers[500]
