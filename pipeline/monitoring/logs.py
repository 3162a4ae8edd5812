"""What a process logs: one line each time something begins, not one each time it is tried.

Lines are for people, or objects of JSON for whatever collects them. No line names a user: logs
outlive them.
"""

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, TextIO

Format = Literal["text", "json"]
Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
QUIET_SECONDS = 30.0
PLAIN = "%(asctime)s %(levelname)s %(name)s %(message)s"
IDS = "ids"
"""Under which `extra` has what a line is about: ids of an event, a notification, a tenant, …"""
OWN = "tocsin"
"""The logger of what a process says of itself."""


class Repeats(logging.Filter):
    """Lets the same message of the same logger pass once in 30 seconds.

    Kafka's client says several times a second that a broker is away, each of its tasks for itself.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._last: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is new, or was last said a while ago."""
        said, now = (record.name, str(record.msg)), self._monotonic()
        if now - self._last.get(said, -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        self._last[said] = now
        return True


class JsonFormatter(logging.Formatter):
    """A line is an object: when, how bad, by whom, what, and the ids of what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without a line break in it."""
        line = {
            "time": _shown(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, IDS, {}),
        }
        if record.exc_info:
            line["error"] = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        return json.dumps(line, ensure_ascii=False)


def set_up_logs(format_: Format = "text", level: Level = "WARNING") -> None:
    """To standard error from this level on, each kind of line at most twice a minute."""
    handler = logging.StreamHandler()
    is_json = format_ == "json"
    handler.setFormatter(JsonFormatter() if is_json else logging.Formatter(PLAIN))
    handler.addFilter(Repeats())
    logging.basicConfig(level=level, handlers=[handler])
    # Says that a commit took longer than half a second, which the next one makes good.
    logging.getLogger("mode.timers").setLevel(logging.ERROR)


def say(sentence: str, stream: TextIO | None = None, level: Level = "INFO") -> None:
    """Say something of the process itself, at once; to standard output, unless told otherwise."""
    stream = stream or sys.stdout
    if any(isinstance(each.formatter, JsonFormatter) for each in logging.getLogger().handlers):
        line = {"time": _shown(time.time()), "level": level, "logger": OWN, "message": sentence}
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")
    else:
        stream.write(f"{OWN}: {sentence}\n")
    stream.flush()


def _shown(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
