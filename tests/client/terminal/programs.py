"""`hongyan chat` as a program, with an environment of its own."""

import os
import subprocess
from pathlib import Path
from typing import Any

from ...serving import HONGYAN, PASSWORD, Server


def environment(home: Path, language: str = "zh_CN.UTF-8") -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "LC_MESSAGES": language,
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "80",
    }


def command(server: Server, name: str, *arguments: str) -> list[str]:
    return [*HONGYAN, "chat", "--server", server.url, "--user", name, *arguments]


def start(server: Server, home: Path, name: str, *arguments: str, **more: Any) -> "subprocess.Popen[str]":
    """In a pipe, with the password as the first line of its input."""
    options: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    chat = subprocess.Popen(
        command(server, name, "--password-stdin", *arguments), env=environment(home), **options | more, encoding="utf-8"
    )
    assert chat.stdin is not None
    chat.stdin.write(PASSWORD + "\n")
    chat.stdin.flush()
    return chat


def chat(server: Server, home: Path, name: str, text: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Give it some lines and wait for its end."""
    with start(server, home, name, *arguments) as program:
        out, err = program.communicate(text, timeout=30)
    return subprocess.CompletedProcess(program.args, program.returncode, out, err)
