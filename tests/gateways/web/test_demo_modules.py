"""The page's modules that need no browser, tested by Node's own test runner: the plays are in tests/web."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
STATIC = ROOT / "src" / "hongyan" / "gateways" / "web" / "static"
PLAYS = ROOT / "tests" / "web"


@pytest.fixture
def node() -> str:
    program = shutil.which("node")
    if program is None:
        pytest.skip("Node.js is not installed (Debian package: nodejs)")
    return program


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """Both folders side by side, and a word for Node that they are modules."""
    shutil.copytree(STATIC, tmp_path / "static")
    shutil.copytree(PLAYS, tmp_path / "web")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("play", sorted(path.name for path in PLAYS.glob("*.test.mjs")))
def test_module_in_node(play: str, node: str, workshop: Path) -> None:
    done = subprocess.run([node, "--test", f"web/{play}"], cwd=workshop, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n# pass 0\n" not in done.stdout, "no test ran"


def test_every_script_is_whole(node: str, workshop: Path) -> None:
    for script in sorted((workshop / "static").glob("*.js")):
        done = subprocess.run([node, "--check", str(script)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
