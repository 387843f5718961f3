"""Many users with a token each, made before the server starts: a log-in costs some 40 ms, ten thousand of them seven minutes."""

import secrets
import subprocess
import sys
from pathlib import Path

from hongyan.bench.crew import BenchError


def create(data: Path, count: int, *store: str) -> Path:
    """Make `count` users in the data directory, or in the `--store URL`; the file of their names and tokens."""
    users, tokens = data / "users", data / "tokens"
    users.write_text("".join(f"bench{number:05d} {secrets.token_urlsafe(9)}\n" for number in range(count)))
    command = [
        sys.executable,
        "-m",
        "hongyan.cli",
        "--data",
        str(data),
        *store,
        "user",
        "import",
        str(users),
        "--tokens",
        str(tokens),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise BenchError(f"Users could not be made: {done.stderr.strip() or done.stdout.strip()}")
    return tokens
