"""The log of the server: structlog and the standard library's loggers in one stream, one record a line, without secrets."""

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from hongyan.config import Logging
from hongyan.operation.redact import redact

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_MULTILINE = frozenset({"exception", "stack"})


def set_up(settings: Logging, stream: TextIO | None = None) -> logging.Handler:
    """Send every record of this process to `stream` (the standard error) and nowhere else."""
    stream = sys.stderr if stream is None else stream
    readable = settings.format == "text" or (settings.format == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info]
    if readable:
        colours = stream.isatty()
        renderer = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
        last += [without_secrets, without_controls, renderer]
    else:
        last += [without_secrets, structlog.processors.JSONRenderer(serializer=_json)]
    handler = logging.StreamHandler(stream)
    foreign: list[Processor] = [*shared, structlog.stdlib.ExtraAdder()]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=foreign))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "litestar"):
        joined = logging.getLogger(name)
        joined.handlers.clear()
        joined.propagate = True
    for name in ("uvicorn", "uvicorn.error", "alembic"):  # they tell at length that they start and stop
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    return handler


def without_secrets(logger: Any, method: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor; after exceptions have become text, before anything is rendered."""
    found: MutableMapping[str, Any] = redact(record)
    return found


def without_controls(logger: Any, method: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What a client wrote shall not steer the terminal of who reads the log."""
    return {name: _visible(value, name in _MULTILINE) for name, value in record.items()}


def _visible(value: Any, multiline: bool) -> Any:
    if not isinstance(value, str):
        return value
    shown = _CONTROL.sub(lambda found: ascii(found[0])[1:-1], value)
    return shown if multiline else shown.replace("\n", "\\n")


def _json(record: Any, **_: Any) -> str:
    return json.dumps(record, ensure_ascii=False, default=repr)
