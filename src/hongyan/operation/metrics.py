"""`/metrics` in the text format of Prometheus. Numbers are read when somebody asks: counting costs only a plain `+= 1`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, get_args

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from hongyan.bus import Bus
from hongyan.core.model import TransportName
from hongyan.messaging import Messaging
from hongyan.store.stats import Histogram, Stats

Source = Callable[[], Iterable[Metric]]
"""Gives metric families with the values of now."""


class Metrics:
    """A registry of its own, so that two servers in one process (in a test) do not meet."""

    def __init__(self, *sources: Source) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)
        for source in sources:
            self._registry.register(_Reading(source))

    def text(self) -> bytes:
        return generate_latest(self._registry)


class _Reading(Collector):
    def __init__(self, source: Source) -> None:
        self._source = source

    def collect(self) -> Iterator[Metric]:
        yield from self._source()


def of_store(stats: Stats) -> Iterator[Metric]:
    """What the store counts."""
    yield _counter(CounterMetricFamily("hongyan_events_appended", "Events stored by this node"), stats.events)
    yield _counter(CounterMetricFamily("hongyan_commits", "Commits that stored events"), stats.commits)
    yield _counter(
        CounterMetricFamily("hongyan_store_refused", "Appends and transactions that were answered with an error"), stats.refused
    )
    yield _gauge(GaugeMetricFamily("hongyan_append_queue", "Appends and transactions that wait for their answer"), stats.queued)
    yield _histogram(
        HistogramMetricFamily("hongyan_append_seconds", "Longest wait of each commit, from the call to the answer"), stats.latency
    )
    yield _histogram(HistogramMetricFamily("hongyan_batch_events", "Events of each commit"), stats.batch_size)


def of_messaging(messaging: Messaging) -> Iterator[Metric]:
    """What the follower of the log, the sessions and the sender count."""
    log, sessions = messaging.log, messaging.sessions
    yield _gauge(GaugeMetricFamily("hongyan_log_position", "Where this node is in the log"), log.position)
    yield _gauge(
        GaugeMetricFamily("hongyan_log_lag_events", "Events known to exist that it has not reached"), log.head - log.position
    )
    yield _gauge(GaugeMetricFamily("hongyan_log_ring_events", "Newest events kept in memory"), log.ring_size)
    yield _counter(CounterMetricFamily("hongyan_log_reads", "Ranges read from the store that the bus had not brought"), log.holes)
    yield _gauge(
        GaugeMetricFamily("hongyan_log_stale", "1 while this node has not seen the log's end for too long and acts on nothing"),
        log.stale,
    )
    yield _gauge(GaugeMetricFamily("hongyan_nodes", "Nodes that are there, with this one"), len(messaging.nodes))
    yield _labelled(
        GaugeMetricFamily("hongyan_connections", "Live sessions", labels=["transport"]),
        dict.fromkeys(get_args(TransportName), 0) | dict(sessions.by_transport),
    )
    yield _counter(
        CounterMetricFamily("hongyan_events_delivered", "Events handed to sessions, one for each receiver"), sessions.delivered
    )
    yield _counter(
        CounterMetricFamily("hongyan_sessions_behind", "Sessions sent back to reading the log because they were slow"),
        sessions.fell_behind,
    )
    yield _counter(
        CounterMetricFamily("hongyan_sessions_refused", "Sessions not let in: too many, or too many at once"), sessions.refused
    )
    yield _labelled(
        CounterMetricFamily("hongyan_sends_refused", "Messages refused, by the code of the error", labels=["code"]),
        messaging.sender.refused,
    )


def of_bus(bus: Bus) -> Iterator[Metric]:
    """What the bus counts."""
    yield _gauge(
        GaugeMetricFamily("hongyan_bus_connected", "1 while other nodes can be reached, or where there can be none"),
        bus.trouble is None,
    )
    yield _counter(CounterMetricFamily("hongyan_bus_sent", "Messages to other nodes"), bus.counts.sent)
    yield _counter(CounterMetricFamily("hongyan_bus_received", "Messages of other nodes"), bus.counts.received)
    yield _counter(
        CounterMetricFamily("hongyan_bus_lost", "Messages that were not sent, or not taken: no connection, or no room"),
        bus.counts.lost,
    )
    yield _counter(CounterMetricFamily("hongyan_bus_refused", "Messages that no node of this cluster sent"), bus.counts.refused)


def of_identity(logins: Mapping[str, int]) -> Iterator[Metric]:
    """Log-ins by outcome."""
    yield _labelled(
        CounterMetricFamily("hongyan_logins", "Log-ins by outcome: `ok` or the code of the error", labels=["outcome"]), logins
    )


def of_timers(gone: Mapping[str, int]) -> Iterator[Metric]:
    """Timers that this node let go."""
    yield _labelled(
        CounterMetricFamily("hongyan_timers_gone", "Timers by outcome: `sent`, `reminded` or `failed`", labels=["outcome"]), gone
    )


def of_files(received: int, coming: int) -> Iterator[Metric]:
    """Files that people put here."""
    yield _counter(CounterMetricFamily("hongyan_files_received", "Files that came whole"), received)
    yield _gauge(GaugeMetricFamily("hongyan_files_coming", "Files that are on their way"), coming)


def of_push(counts: Mapping[str, int], waiting: int) -> Iterator[Metric]:
    """Messages to browsers."""
    yield _labelled(
        CounterMetricFamily(
            "hongyan_push_messages",
            "Web Push messages by outcome: `sent`, `replaced`, `gone`, `refused`, `failed` or `dropped`",
            labels=["outcome"],
        ),
        counts,
    )
    yield _gauge(GaugeMetricFamily("hongyan_push_waiting", "Web Push messages that wait, also for another try"), waiting)


def of_search(answered: int, lag: int, indexed: int) -> Iterator[Metric]:
    """Searches, and how far the index is behind the log."""
    yield _counter(CounterMetricFamily("hongyan_searches", "Searches for messages that were answered"), answered)
    yield _counter(CounterMetricFamily("hongyan_search_indexed", "Messages that this node has put into the index"), indexed)
    yield _gauge(GaugeMetricFamily("hongyan_search_lag_events", "Events of the log that the index does not have yet"), lag)


def of_web(answers: Mapping[int, int], refused: Mapping[str, int], cut: int) -> Iterator[Metric]:
    """HTTP answers by status, refusals by code, and WebSockets that were cut."""
    yield _labelled(CounterMetricFamily("hongyan_http_answers", "HTTP answers by status", labels=["status"]), answers)
    yield _labelled(
        CounterMetricFamily("hongyan_http_refused", "HTTP requests refused, by the code of the error", labels=["code"]), refused
    )
    yield _counter(
        CounterMetricFamily("hongyan_websockets_cut", "WebSockets ended because their reader took nothing for too long"), cut
    )


class CimCounts(Protocol):
    """What the CIM gateway counts."""

    logins: Counter[str]
    closed: Counter[str]
    answers: Counter[str]
    frames_in: int
    frames_out: int


def of_cim(connections: tuple[int, int], counts: CimCounts) -> Iterator[Metric]:
    """Connections (of strangers, and logged in), log-ins by outcome, closings by reason, the route's answers by code, frames."""
    strangers, logged_in = connections
    yield _labelled(
        GaugeMetricFamily("hongyan_cim_connections", "TCP connections of CIM, `in` or not yet logged in", labels=["state"]),
        {"stranger": strangers, "in": logged_in},
    )
    yield _labelled(
        CounterMetricFamily("hongyan_cim_logins", "CIM log-ins by outcome: `ok` or why not", labels=["outcome"]), counts.logins
    )
    yield _labelled(
        CounterMetricFamily("hongyan_cim_closed", "CIM connections closed by the server, by reason", labels=["reason"]),
        counts.closed,
    )
    yield _labelled(
        CounterMetricFamily("hongyan_cim_answers", "Answers of the CIM route, by code", labels=["code"]), counts.answers
    )
    yield _labelled(
        CounterMetricFamily("hongyan_cim_frames", "CIM frames `in` and `out`", labels=["direction"]),
        {"in": counts.frames_in, "out": counts.frames_out},
    )


class XmppCounts(Protocol):
    """What the XMPP gateway counts."""

    closed: Counter[str]
    stanzas_in: int
    stanzas_out: int


def of_xmpp(connections: tuple[int, int], resumable: int, counts: XmppCounts) -> Iterator[Metric]:
    """Streams (of strangers, and logged in), those that are cut and may be resumed, streams ended with an error, stanzas."""
    strangers, logged_in = connections
    yield _labelled(
        GaugeMetricFamily("hongyan_xmpp_connections", "Streams of XMPP, `in` or not yet logged in", labels=["state"]),
        {"stranger": strangers, "in": logged_in},
    )
    yield _gauge(
        GaugeMetricFamily("hongyan_xmpp_detached", "Resources of XMPP without a connection, which may resume"), resumable
    )
    yield _labelled(
        CounterMetricFamily("hongyan_xmpp_closed", "Streams of XMPP ended with an error, by condition", labels=["condition"]),
        counts.closed,
    )
    yield _labelled(
        CounterMetricFamily("hongyan_xmpp_stanzas", "Stanzas of XMPP `in` and `out`", labels=["direction"]),
        {"in": counts.stanzas_in, "out": counts.stanzas_out},
    )


def of_waking(counts: Mapping[str, int], waiting: int) -> Iterator[Metric]:
    """Notifications to push services of XMPP."""
    yield _labelled(
        CounterMetricFamily(
            "hongyan_xmpp_push",
            "Notifications to push services of XMPP by outcome, as those to browsers",
            labels=["outcome"],
        ),
        counts,
    )
    yield _gauge(
        GaugeMetricFamily("hongyan_xmpp_push_waiting", "Notifications to push services of XMPP that wait, also for another try"),
        waiting,
    )


def _counter(family: CounterMetricFamily, value: float) -> Metric:
    family.add_metric([], value)
    return family


def _gauge(family: GaugeMetricFamily, value: float) -> Metric:
    family.add_metric([], value)
    return family


def _labelled(family: CounterMetricFamily | GaugeMetricFamily, values: Mapping[Any, float]) -> Metric:
    for label, value in sorted(values.items()):
        family.add_metric([str(label)], value)
    return family


def _histogram(family: HistogramMetricFamily, histogram: Histogram) -> Metric:
    buckets, below = [], 0
    for bound, count in zip([*map(floatToGoString, histogram.bounds), "+Inf"], histogram.counts, strict=True):
        below += count
        buckets.append((bound, float(below)))
    family.add_metric([], buckets, histogram.total)
    return family
