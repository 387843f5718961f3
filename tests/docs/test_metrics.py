"""docs/reference/metrics.md names every metric with its kind and labels, and no other.

The metrics are found in the source, not in a running server: some exist only once something has happened.
"""

import ast
from collections.abc import Iterator

from tests.docs.pages import ROOT, code, rows

KINDS = {
    "Counter": "counter",
    "Gauge": "gauge",
    "Histogram": "histogram",
    "Summary": "summary",
    "Info": "info",
    "Enum": "gauge",
    "CounterMetricFamily": "counter",
    "GaugeMetricFamily": "gauge",
    "HistogramMetricFamily": "histogram",
    "SummaryMetricFamily": "summary",
}


def _literal(call: ast.Call, keyword: str, position: int | None = None) -> object:
    for given in call.keywords:
        if given.arg == keyword:
            return ast.literal_eval(given.value)
    if position is not None and len(call.args) > position:
        return ast.literal_eval(call.args[position])
    return None


def declared() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """(name as scraped, kind, labels) of each metric that the source declares."""
    for path in sorted((ROOT / "src" / "hongyan").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "prometheus_client" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call) or (not node.args and not node.keywords):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called not in KINDS:
                continue
            family = called.endswith("MetricFamily")
            labels = _literal(node, "labels") if family else _literal(node, "labelnames", 2)
            parts = [_literal(node, "namespace"), _literal(node, "subsystem"), _literal(node, "name", 0)]
            name = "_".join(str(part) for part in parts if part)
            if KINDS[called] == "counter":
                name = name.removesuffix("_total") + "_total"
            elif KINDS[called] == "info":
                name = name.removesuffix("_info") + "_info"
            yield name, KINDS[called], tuple(labels) if isinstance(labels, (list, tuple)) else ()


def _page() -> set[tuple[str, str, tuple[str, ...]]]:
    return {
        (code(row[0]), row[1], tuple(part.strip(" `") for part in row[2].split(",") if part.strip(" `")))
        for row in rows("metrics.md")
    }


def test_the_source_declares_metrics() -> None:
    assert set(declared())


def test_page_lists_exactly_the_metrics_of_the_code() -> None:
    assert _page() == set(declared())
