"""`/metrics`: the numbers of the parts in the text format of Prometheus."""

from hongyan.bus.local import LocalBus
from hongyan.config import Settings
from hongyan.messaging import Messaging
from hongyan.operation.metrics import Metrics, of_identity, of_messaging, of_store, of_web
from hongyan.store.stats import Stats


def numbers(metrics: Metrics) -> dict[str, float]:
    lines = [line for line in metrics.text().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_what_the_store_counted_is_shown() -> None:
    stats = Stats()
    stats.events, stats.commits, stats.queued, stats.refused = 12, 3, 2, 1
    for size in (1, 4, 7):
        stats.batch_size.observe(size)
    stats.latency.observe(0.003)
    shown = numbers(Metrics(lambda: of_store(stats)))
    assert shown["hongyan_events_appended_total"] == 12
    assert shown["hongyan_commits_total"] == 3
    assert shown["hongyan_append_queue"] == 2
    assert shown["hongyan_store_refused_total"] == 1
    assert shown['hongyan_batch_events_bucket{le="1.0"}'] == 1
    assert shown['hongyan_batch_events_bucket{le="5.0"}'] == 2
    assert shown['hongyan_batch_events_bucket{le="+Inf"}'] == 3
    assert (shown["hongyan_batch_events_count"], shown["hongyan_batch_events_sum"]) == (3, 12)
    assert shown['hongyan_append_seconds_bucket{le="0.002"}'] == 0
    assert shown['hongyan_append_seconds_bucket{le="0.005"}'] == 1


def test_numbers_are_those_of_the_moment_one_asks() -> None:
    stats = Stats()
    metrics = Metrics(lambda: of_store(stats))
    assert numbers(metrics)["hongyan_events_appended_total"] == 0
    stats.events = 5
    assert numbers(metrics)["hongyan_events_appended_total"] == 5


def test_the_process_is_shown_too() -> None:
    assert numbers(Metrics())["process_resident_memory_bytes"] > 1_000_000


class NoStore:
    """Nothing is asked of it here."""

    shared = False


def test_what_messaging_counted_is_shown() -> None:
    messaging = Messaging(NoStore(), LocalBus(), Settings())  # type: ignore[arg-type]
    messaging.log.head, messaging.log.position = 30, 20
    messaging.sessions.by_transport["sse"] += 2
    messaging.sessions.fell_behind = 4
    messaging.sender.refused["rate-limited"] += 6
    shown = numbers(Metrics(lambda: of_messaging(messaging)))
    assert shown["hongyan_log_position"] == 20
    assert shown["hongyan_log_lag_events"] == 10
    assert shown['hongyan_connections{transport="sse"}'] == 2
    assert shown['hongyan_connections{transport="websocket"}'] == 0
    assert shown["hongyan_sessions_behind_total"] == 4
    assert shown['hongyan_sends_refused_total{code="rate-limited"}'] == 6


def test_what_the_doors_counted_is_shown() -> None:
    shown = numbers(Metrics(lambda: of_identity({"ok": 3, "wrong-password": 1}), lambda: of_web({200: 7}, {"invalid": 2}, 1)))
    assert shown['hongyan_logins_total{outcome="wrong-password"}'] == 1
    assert shown['hongyan_http_answers_total{status="200"}'] == 7
    assert shown['hongyan_http_refused_total{code="invalid"}'] == 2
    assert shown["hongyan_websockets_cut_total"] == 1
