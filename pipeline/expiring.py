"""Values that count until a moment, without a look at all of them at any time."""

from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")
DROPPED_AT_ONCE = 2
"""Ended values that one write drops: more than it adds, so that they can't pile up."""


class Expiring(Generic[Value]):
    """Values by key, each until it ends. Every call costs the same, however many there are.

    Moments are of any one clock. Ended values are dropped as others are written, in the order in
    which they were written: what ends long after the others holds back those written after it.
    """

    def __init__(self) -> None:
        self._values: OrderedDict[str, tuple[float, Value]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str, now: float) -> Value | None:
        """The value of a key, None where there is none or it has ended."""
        ends, value = self._values.get(key, (now, None))
        return value if ends > now else None

    def put(self, key: str, value: Value, ends: float, now: float) -> None:
        """Set a value, which ends at `ends`."""
        for _ in range(DROPPED_AT_ONCE):
            oldest = next(iter(self._values), None)
            if oldest is None or self._values[oldest][0] > now:
                break
            del self._values[oldest]
        self._values[key] = ends, value
        self._values.move_to_end(key)

    def drop(self, key: str) -> None:
        """Forget a key; one that is not there is no error."""
        self._values.pop(key, None)
