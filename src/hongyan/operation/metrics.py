"""`/metrics` in the text format of Prometheus. Numbers are read when somebody asks: counting costs only a plain `+= 1`."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

Source = Callable[[], Iterable[Metric]]
"""Gives metric families with the values of now."""


class Metrics:
    """A registry of its own, so that two servers in one process (in a test) do not meet."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)

    def add(self, source: Source) -> None:
        self._registry.register(_Reading(source))

    def text(self) -> bytes:
        """The body of the answer, of type `content_type`."""
        return generate_latest(self._registry)


class _Reading(Collector):
    def __init__(self, source: Source) -> None:
        self._source = source

    def collect(self) -> Iterator[Metric]:
        yield from self._source()

    def describe(self) -> Iterable[Metric]:
        return ()
