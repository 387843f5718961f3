"""The web client's own tests of its parts, by Vitest."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(300)
def test_parts_of_the_web_client() -> None:
    words = [ROOT / "scripts" / "with-node", "npm", "--prefix", "web", "run", "--silent", "test"]
    done = subprocess.run(words, cwd=ROOT, env=os.environ | {"NO_COLOR": "1"}, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
