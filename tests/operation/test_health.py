"""Health: what is said when something is wrong, and whether the server still works."""

from pathlib import Path

from hongyan.operation.checks import Following, Room, Seldom
from hongyan.operation.health import Health


def test_all_is_well() -> None:
    health = Health("1.2", lambda: 7)
    health.watch(lambda: None, needed=True)
    report = health.report()
    assert (report.status, report.reasons, report.version, report.position, report.works) == ("ok", (), "1.2", 7, True)


def test_something_to_look_at_leaves_it_working() -> None:
    health = Health("1.2", lambda: 7)
    health.watch(lambda: "The paper is damp")
    report = health.report()
    assert (report.status, report.reasons, report.works) == ("degraded", ("The paper is damp",), True)


def test_without_something_needed_it_does_not_work() -> None:
    trouble: list[str] = []
    health = Health("1.2", lambda: 7)
    health.watch(lambda: "The paper is damp")
    health.watch(lambda: trouble[0] if trouble else None, needed=True)
    trouble.append("No ink")
    assert (health.report().status, health.report().reasons) == ("down", ("The paper is damp", "No ink"))
    assert not health.report().works
    trouble.clear()
    assert health.report().status == "degraded"


def test_a_server_that_stops_sends_nobody_here() -> None:
    health = Health("1.2", lambda: 7)
    health.stopping = True
    assert (health.report().status, health.report().reasons) == ("down", ("The server is stopping",))


class Log:
    head = 0
    position = 0
    now = 0.0

    def check(self) -> Following:
        return Following(lambda: self.head, lambda: self.position, patience=5.0, clock=lambda: self.now)


def test_a_follower_that_makes_progress_is_well_even_if_it_is_never_at_the_head() -> None:
    log = Log()
    check = log.check()
    for second in range(0, 60, 3):
        log.now, log.head, log.position = float(second), second * 1000, max(0, second * 1000 - 4000)
        assert check() is None


def test_a_follower_that_does_not_catch_up_is_told_and_forgiven() -> None:
    log = Log()
    check = log.check()
    log.head = 100
    assert check() is None
    log.now = 4.9
    assert check() is None
    log.now, log.head = 6.0, 140
    assert check() == "This node is 140 events behind the log and has not caught up for 6 s"
    log.position = 120
    assert check() is None


def test_a_seldom_asked_follower_that_kept_up_meanwhile_is_well() -> None:
    log = Log()
    check = log.check()
    log.head = log.position = 10
    assert check() is None
    log.now, log.head, log.position = 3600.0, 5000, 4990
    assert check() is None


def test_a_nearly_full_disk_is_told(tmp_path: Path) -> None:
    free = 300 << 20
    check = Room(tmp_path, free=lambda path: free)
    assert check() is None
    free = 3 << 20
    assert check() == f"The disk of {tmp_path} has only 3 MiB left"
    assert "cannot" not in str(Room(tmp_path)())
    assert "cannot be looked at" in str(Room(tmp_path / "gone")())


def test_what_costs_something_is_looked_at_once_a_minute() -> None:
    now, looked = 0.0, []

    def look() -> str | None:
        looked.append(now)
        return f"seen at {now:.0f}"

    check = Seldom(look, clock=lambda: now)
    assert check() == "seen at 0"
    now = 59.0
    assert check() == "seen at 0"
    now = 61.0
    assert check() == "seen at 61"
    assert looked == [0.0, 61.0]
