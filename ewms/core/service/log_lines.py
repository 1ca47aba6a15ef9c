"""Structured logs: one JSON object a line, with the fixed name of what happened and its figures. Pure."""

from __future__ import annotations

import datetime
import logging
from contextvars import ContextVar

import msgspec

from ewms.core.redaction import redacted

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request that is being answered; empty outside of one."""
_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_encode = msgspec.json.Encoder(enc_hook=str).encode


class JsonLines(logging.Formatter):
    """Puts a record's `extra` beside its message."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        when = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, object] = {
            "time": when.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if request := request_id.get():
            line["request"] = request
        line.update((key, value) for key, value in vars(record).items() if key not in _USUAL)
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redacted(_encode(line).decode())


def log_to_stderr(level: int = logging.INFO) -> None:
    """Have this process log so, to stderr."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for library in ("uvicorn", "httpx2", "httpcore2"):
        logging.getLogger(library).setLevel(logging.WARNING)
