"""Log lines that name the request which they are about, as text or as an object of JSON each, without API keys."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any, Literal

from service.settings.keys import without_keys
from service.telemetry.requests.asked import NOW

Form = Literal["text", "json"]
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def formatter(form: Form) -> logging.Formatter:
    """What makes lines of records, with what these carry beside their message (`extra`)."""
    return _Json() if form == "json" else _Text("%(asctime)s %(levelname)s %(name)s %(message)s")


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_keys(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging calls it so
        more = "".join(f" {name}={json.dumps(value, default=str)}" for name, value in _extra(record).items())
        return super().formatMessage(record) + more


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in _extra(record).items():
            told.setdefault(name, value)
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return without_keys(json.dumps(told, default=str))


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    """The request that a record is about, and what else it carries."""
    asked = NOW.get()
    ids = {} if asked is None else {"request_id": asked.id, "trace_id": asked.trace_id}
    return ids | {name: value for name, value in vars(record).items() if name not in _OWN}
