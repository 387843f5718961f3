"""What Lighthouse says of the web client: the log-in page, and the demonstration organisation with a conversation open.

    .venv/bin/python bench/lighthouse.py [--mobile]

Puts Lighthouse, of the version in `bench/lighthouse/`, there when it is missing. Prints performance, accessibility and best
practices of each page, and what does not have full marks. Without `--mobile` as on a desk; with it as on a slow phone, four times
slower than the machine.
"""

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from tests.browser.visitor import kept_of  # noqa: E402
from tests.serving import Person, Server  # noqa: E402

TOOL = ROOT / "bench" / "lighthouse"
NODE = ROOT / "scripts" / "with-node"
CATEGORIES = ("performance", "accessibility", "best-practices")


def lighthouse(address: str, port: int, mobile: bool) -> dict[str, Any]:
    words = [NODE, "node", TOOL / "node_modules" / "lighthouse" / "cli" / "index.js", address, f"--port={port}", "--quiet"]
    words += ["--output=json", f"--only-categories={','.join(CATEGORIES)}", "--disable-storage-reset"]
    words += [] if mobile else ["--preset=desktop"]
    found: dict[str, Any] = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return found


def show(name: str, report: dict[str, Any]) -> None:
    for category in CATEGORIES:
        one = report["categories"][category]
        print(f"{name + ' ' + category:40} {one['score'] * 100:6.0f}", flush=True)
        for ref in one["auditRefs"]:
            audit = report["audits"][ref["id"]]
            if ref["weight"] and audit["score"] is not None and audit["score"] < 1:
                print(f"    {audit['title']}: {audit.get('displayValue', '')}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mobile", action="store_true")
    given = parser.parse_args()
    if not (TOOL / "node_modules").exists():
        subprocess.run([NODE, "npm", "--prefix", TOOL, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], check=True)
    with (
        tempfile.TemporaryDirectory() as place,
        Server(Path(place) / "data", "--demo") as server,
        sync_playwright() as playwright,
    ):
        (password,) = re.findall(r"\n\s+password (\S+)", server.output())
        who = server.login("zhangwei", password)
        lane = who.group("新版官网", "lina", "wanglei")
        for at in range(40):
            who.send(lane, f"第 {at} 句。")
        for name, path, person in (("log-in page", "/", None), ("conversation", f"/#/c/{lane}", who)):
            port = free_port()
            with playwright.chromium.launch_persistent_context(
                Path(place) / name,
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox", f"--remote-debugging-port={port}"],
            ) as context:
                if person is not None:
                    log_in(context.pages[0], server, person)
                show(name, lighthouse(server.url + path, port, given.mobile))


def log_in(page: Any, server: Server, person: Person) -> None:
    page.goto(f"{server.url}/icon.svg")
    page.evaluate("kept => Object.entries(kept).forEach(([name, value]) => localStorage.setItem(name, value))", kept_of(person))


if __name__ == "__main__":
    main()
