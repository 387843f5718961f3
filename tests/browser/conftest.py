import itertools
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.serving import Person, Server

_QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]

MakePeople = Callable[..., list[Person]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed (Debian package: chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu", *_QUIET])
        yield started
        started.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("browser") / "data", LIMITS_SENDS_BURST="1000") as server:
        yield server


_numbers = itertools.count(1)


@pytest.fixture
def people(server: Server) -> MakePeople:
    """New accounts, logged in: the server is the whole module's, and nobody shall meet what others did."""

    def make(count: int) -> list[Person]:
        names = [f"person{next(_numbers)}" for _ in range(count)]
        with ThreadPoolExecutor(1) as pool:  # this thread has the loop of the browser
            found: list[Person] = pool.submit(server.people, *names).result()
        return found

    return make
