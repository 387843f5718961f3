"""One measured case as a record, and many of them as a table."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import msgspec


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A measured case. Times of messages are from the send at one person to the receipt at another."""

    scenario: str
    case: str = ""
    connections: int
    messages: int = 0
    """Acknowledged messages."""
    deliveries: int = 0
    """Copies received, each once, the senders' own connections included."""
    seconds: float = 0.0
    rate: float | None = None
    """Messages a second."""
    delivery_rate: float | None = None
    server_cpu: float | None = None
    """CPU seconds of the server in this case."""
    cpu_per_10k: float | None = None
    """CPU seconds of the server for 10,000 messages."""
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    errors: dict[str, int] = {}
    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    """Messages that came though refused, or to people outside the conversation, or with a `seq` out of its row."""
    generator_busy: float | None = None
    """CPU seconds of the generator for each second and process: near 1 the generator was the bottleneck."""
    others_busy: float | None = None
    """Cores that other processes of the machine kept busy: how noisy it was."""
    extra: dict[str, float | int | None] = {}
    """Figures of this scenario only."""

    @property
    def clean(self) -> bool:
        """Every message exactly once, and no errors."""
        return not (self.lost or self.doubled or self.wrong or self.errors)


_COLUMNS = (
    "scenario",
    "case",
    "conns",
    "messages/s",
    "deliveries/s",
    "CPU s/10k",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "lost",
    "doubled",
    "errors",
    "gen",
    "others",
)


def table(results: Sequence[Result]) -> str:
    """A Markdown table that also reads well on a terminal, then the figures of single scenarios and the errors below it."""
    rows = [_COLUMNS, *(_row(result) for result in results)]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = ["| " + " | ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    for result in results:
        if result.extra:
            figures = ", ".join(f"{name} {_number(value)}" for name, value in result.extra.items())
            lines.append(f"{result.scenario} {result.case}: {figures}".replace(" :", ":"))
    for result in results:
        if not result.clean:
            errors = ", ".join(f"{kind} ({count})" for kind, count in result.errors.items()) or "none"
            counts = f"lost {result.lost}, doubled {result.doubled}, wrong {result.wrong}, errors: {errors}"
            lines.append(f"{result.scenario} {result.case}: {counts}".replace(" :", ":"))
    return "\n".join(lines)


def _row(result: Result) -> tuple[str, ...]:
    return (
        result.scenario,
        result.case,
        _number(result.connections),
        _number(result.rate),
        _number(result.delivery_rate),
        _number(result.cpu_per_10k),
        _number(result.p50_ms),
        _number(result.p95_ms),
        _number(result.p99_ms),
        _number(result.lost + result.wrong),
        _number(result.doubled),
        _number(sum(result.errors.values())),
        _number(result.generator_busy),
        _number(result.others_busy),
    )


def _number(value: float | int | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, int) or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3f}" if value < 1 else f"{value:.1f}"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _padded(text: str, width: int) -> str:
    room = " " * (width - _width(text))
    is_number = text[:1].isdigit() or text == "-"
    return room + text if is_number else text + room


def as_json(results: Sequence[Result], about: dict[str, Any]) -> bytes:
    """`{"about": {...}, "results": [...]}`, indented."""
    return msgspec.json.format(msgspec.json.encode({"about": about, "results": list(results)}), indent=2) + b"\n"
