"""Building the web client: nothing is done twice, and what is given to others has it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of this form, whose build of the web client only notes that it was asked for."""
    for name in ("scripts/web", "scripts/with-node", "hatch_build.py", "pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name, text in {
        "web/package-lock.json": "{}",
        "web/src/main.ts": "1",
        "src/hongyan/__init__.py": '__version__ = "0"',
        "bin/node": "#!/bin/sh\nexit 0\n",
        "bin/npm": (
            '#!/bin/sh\necho "$@" >>calls\ncase "$*" in *ci*) mkdir -p web/node_modules;; *build*) '
            "mkdir -p src/hongyan/gateways/web/client/assets; echo page >src/hongyan/gateways/web/client/index.html; "
            "echo script >src/hongyan/gateways/web/client/assets/index-0.js;; esac\n"
        ),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in ("node", "npm"):
        (tmp_path / "bin" / name).chmod(0o755)
    return tmp_path


def run(project: Path, *command: str) -> list[str]:
    """What was asked of npm."""
    (project / "calls").unlink(missing_ok=True)
    env = {**os.environ, "PATH": f"{project / 'bin'}:{os.environ['PATH']}"}
    subprocess.run(command, cwd=project, env=env, check=True, capture_output=True)
    calls = project / "calls"
    return [line.split()[-1] if "build" in line else "ci" for line in calls.read_text().splitlines()] if calls.exists() else []


def test_client_is_built_when_its_sources_have_changed(project: Path) -> None:
    assert run(project, "scripts/web") == ["ci", "build"]
    assert run(project, "scripts/web") == []
    (project / "web/src/main.ts").write_text("2")
    assert run(project, "scripts/web") == ["build"]
    (project / "web/package-lock.json").write_text('{"a":1}')
    assert run(project, "scripts/web") == ["ci", "build"]
    shutil.rmtree(project / "src/hongyan/gateways/web/client")
    assert run(project, "scripts/web") == ["build"]


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_what_is_given_to_others_has_the_client(project: Path, kind: str) -> None:
    assert run(project, sys.executable, "-m", "hatchling", "build", "-t", kind) == ["ci", "build"]
    (made,) = (project / "dist").iterdir()
    into = project / "unpacked"
    shutil.unpack_archive(made, into, "zip" if kind == "wheel" else "gztar")
    for name in ("index.html", "assets/index-0.js"):
        assert list(into.rglob(f"hongyan/gateways/web/client/{name}")), name
    if kind == "sdist":  # and a wheel from it needs no Node
        (top,) = into.iterdir()
        shutil.copytree(project / "bin", top / "bin")
        assert run(top, sys.executable, "-m", "hatchling", "build", "-t", "wheel") == []
        assert not (top / "web/node_modules").exists()
