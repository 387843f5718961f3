"""Rule 10 for the web client: its fold of snapshot(t0), the events since and what it asked for is what the server says at t1."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.build import house
from tests.web.vectors import decisions, plain_play_of, play_of

WEB = Path(__file__).resolve().parents[2] / "web"


async def test_web_client_folds_as_the_server_does(tmp_path: Path) -> None:
    npx = shutil.which("npx")
    if npx is None or not (WEB / "node_modules" / "vitest").is_dir():
        pytest.skip("The web client's tools are not installed (npm ci in web/)")
    plays = []
    for seed in range(4):
        async with house(tmp_path / f"{seed}") as home:
            plays += await play_of(home, seed, busy=100)
    for seed in range(5, 7):
        async with house(tmp_path / f"plain{seed}") as home:
            plays += await plain_play_of(home, seed)
    vectors = tmp_path / "vectors.json"
    vectors.write_text(json.dumps({"plays": plays, "decisions": decisions(1, 400)}), encoding="utf-8")
    done = subprocess.run(
        [npx, "vitest", "run", "test/core/vectors.test.ts"],
        cwd=WEB,
        env={**os.environ, "HONGYAN_VECTORS": str(vectors)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert f"{len(plays) + 1} passed" in done.stdout, done.stdout
