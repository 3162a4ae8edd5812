"""One record that the demo's producer will write."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Happening:
    """A record due `due` seconds into the stream.

    `value` is the JSON to write, or bytes that are none. A `repeat` has the id of an earlier
    event. `bad` says what is wrong with it, and `reason` by which word of Tocsin's.
    """

    due: float
    topic: str
    key: str | None
    value: dict[str, Any] | bytes
    repeat: bool = False
    bad: str = ""
    reason: str = ""
