"""How the backend logs: one event, one line, on standard error."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.types import EventDict


def _to_read() -> structlog.dev.ConsoleRenderer:
    # Its own way with exceptions shows variables, where a password or a key may be.
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)


def _on_one_line(_logger: object, _method: str, event: EventDict) -> EventDict:
    # What a client sent may be in it, and must neither look like another event nor move a cursor.
    for name, said in event.items():
        if isinstance(said, str) and not said.isprintable():
            event[name] = "".join(c if c.isprintable() else repr(c)[1:-1] for c in said)
    return event


def set_up(log_format: str, level: str) -> None:
    """Send the log of this process, uvicorn's included, to standard error in one form."""
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _on_one_line,
    ]
    last: list[structlog.types.Processor]
    if log_format == "json":
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        last = [_to_read()]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
