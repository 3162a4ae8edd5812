"""One record that the demo's producer will write, and what should come of it."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Happening:
    """A record due `due` seconds into the stream.

    `value` is the JSON to write, or bytes that are none. `expected` are (notification type,
    user) pairs that the event should lead to a decision on; `read` marks a post that feeds will
    read instead. A `repeat` has the id of an earlier event, and `bad` says what is wrong with it.
    """

    due: float
    topic: str
    key: str | None
    value: dict[str, Any] | bytes
    expected: tuple[tuple[str, str], ...] = ()
    read: bool = False
    repeat: bool = False
    bad: str = ""
