"""The log: one JSON object a line, one line a request, with the id that error pages show."""

from __future__ import annotations

import logging
import sys
from secrets import token_hex
from time import perf_counter
from typing import Any

import structlog
from flask import Flask, Response, g, request, request_started

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
# Both write a line for every tick or request of their own; what matters of it we say ourselves.
_LOUD = {"apscheduler": logging.ERROR, "_granian": logging.WARNING, "alembic": logging.WARNING}
_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    structlog.processors.format_exc_info,
]
requests = structlog.stdlib.get_logger("largesse.requests")


def configure(level: str) -> None:
    """Send everything that is logged to the standard error as JSON lines; a line break inside becomes ``\\n``."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(_LEVELS[level])
    for name, least in _LOUD.items():
        logging.getLogger(name).setLevel(max(least, _LEVELS[level]))


def register(app: Flask) -> None:
    """Give every request an id, and tell of it when it has been answered."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    request_started.connect(_begin, app)
    app.after_request(_tell)


def request_id() -> str:
    """The id of this request, which its error page calls the reference."""
    return str(g.get("request_id", ""))


def _begin(_app: Flask, **_more: Any) -> None:
    """Runs before any ``before_request``, so that even a refused sign-in has an id."""
    g.request_id, g.began = token_hex(8), perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=g.request_id)


def _tell(response: Response) -> Response:
    response.headers["X-Request-Id"] = request_id()
    quiet = request.endpoint in {"static", "health.healthz"} and response.status_code < 400
    requests.log(
        logging.DEBUG if quiet else logging.INFO,
        "request",
        method=request.method,
        path=_path(),
        status=response.status_code,
        ms=round((perf_counter() - g.get("began", perf_counter())) * 1000, 1),
        staff=g.actor.staff_id if "actor" in g else None,
    )
    return response


def _path() -> str:
    """The path without its query; where it holds a secret, the pattern of the address instead."""
    if request.url_rule is not None and "token" in (request.view_args or {}):
        return str(request.url_rule.rule)
    return request.path[:300]
