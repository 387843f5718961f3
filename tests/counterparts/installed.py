"""Where the programs are. A test whose program is missing is skipped, with the name of the Debian package."""

from pathlib import Path

import pytest


def find(pattern: str, package: str) -> Path:
    """The program at this path, which may have a version in a `*`: then the newest."""
    root = Path("/")
    found = list(root.glob(pattern.removeprefix("/")))
    if not found:
        pytest.skip(f"{pattern} is not there: apt-get install {package}")
    return max(found, key=lambda path: [int(part) for part in path.parts if part.isdigit()])
