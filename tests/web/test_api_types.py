"""The types that the web client takes from the server's description are those of this server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_types_of_the_web_client_are_not_stale(tmp_path: Path) -> None:
    if not (ROOT / "web/node_modules/openapi-typescript").is_dir():
        pytest.skip("the packages of the web client are not installed: make setup")
    made = tmp_path / "schema.ts"
    subprocess.run([ROOT / "scripts/api-types", made], check=True, env=os.environ | {"PYTHON": sys.executable})
    same = made.read_bytes() == (ROOT / "web/src/api/schema.ts").read_bytes()
    assert same, "run scripts/api-types: web/src/api/schema.ts is stale"
