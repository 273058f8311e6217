"""The log: lines for people to grep, and the same as JSON, one object a line, for machines.

`DILIGENCE_LOG_FILE` takes the lines off standard error into a file; `DILIGENCE_JSON_LOG_FILE` adds the JSON.
"""

from __future__ import annotations

import json
import logging
import os
import time

LOG_FILE = "DILIGENCE_LOG_FILE"
JSON_LOG_FILE = "DILIGENCE_JSON_LOG_FILE"

_LOGGER = logging.getLogger(__package__)


class PlainLines(logging.Formatter):
    """Time in UTC, level, message; a line break inside a message cannot start a line of its own."""

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


class JsonLines(PlainLines):
    """The same with every fact under a name of its own, such as `deal_type` and `work_item_count`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        } | getattr(record, "facts", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure() -> None:
    """Send the log where the environment says; calling it again replaces what it had set up."""
    for handler in [handler for handler in _LOGGER.handlers if isinstance(handler.formatter, PlainLines)]:
        _LOGGER.removeHandler(handler)
        handler.close()
    _add(os.environ.get(LOG_FILE), PlainLines(), otherwise=logging.StreamHandler())
    if path := os.environ.get(JSON_LOG_FILE):
        _add(path, JsonLines())
    _LOGGER.setLevel(logging.INFO)


def _add(path: str | None, formatter: logging.Formatter, otherwise: logging.Handler | None = None) -> None:
    handler = logging.FileHandler(path, encoding="utf-8") if path else otherwise
    assert handler is not None
    handler.setFormatter(formatter)
    _LOGGER.addHandler(handler)
