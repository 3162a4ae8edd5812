"""Filters for moments that a record tells as a number, each in the unit that its name says."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from jinja2 import Undefined

from policy.rendering.filters.unusable import Unusable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SINCE = _EPOCH.replace(tzinfo=None)
"""The same without a zone: to write it costs half as much."""
FIRST, _LAST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What is read in a wrong unit lies far outside: seconds taken for milliseconds are of 1970."""
_YEARS = range(1800, 2300)
_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_NANOSECONDS = {unit: count * 1000 for unit, count in _MICROSECONDS.items()} | {"ns": 1}
_IN_WORDS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


def _moment(value: Any, unit: str) -> datetime | None:
    """The moment, or None where that is in no year in which records are written."""
    try:
        if unit == "ns":
            found = _EPOCH + timedelta(microseconds=int(value) // 1000)
        elif isinstance(value, float):
            found = _EPOCH + timedelta(microseconds=round(value * _MICROSECONDS[unit]))
        else:
            found = _EPOCH + timedelta(microseconds=int(value) * _MICROSECONDS[unit])
    except (OverflowError, ValueError):
        return None
    return found if FIRST <= found < _LAST else None


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdigit()
    return isinstance(value, int | float) and not isinstance(value, bool)


def _filter(unit: str) -> Callable[[Any], Any]:
    name = f"epoch_{unit}"
    scale = _NANOSECONDS[unit]
    first, last = ((each - _EPOCH) // _MICROSECOND * 1000 // scale for each in (FIRST, _LAST))

    def read(value: Any) -> Any:
        if type(value) is int and first <= value < last:
            # As most are: the rest is for what others may hold, and for what to say of it.
            return (_SINCE + timedelta(0, 0, value * scale // 1000)).isoformat() + "Z"
        if isinstance(value, Undefined):
            return value
        if not _is_number(value):
            raise Unusable(name, value, "is no number")
        found = _moment(value, unit)
        if found is None:
            others = [each for each in _IN_WORDS if _moment(value, each) is not None]
            meant = "".join(f"; is it in {_IN_WORDS[each]}? epoch_{each}" for each in others)
            raise Unusable(name, value, f"is of no year from 1980 to 2199{meant}")
        return found.isoformat().replace("+00:00", "Z")

    return read


def _date(value: Any) -> Any:
    if isinstance(value, Undefined):
        return value
    if type(value) is not int:
        raise Unusable("epoch_days", value, "is no whole number")
    try:
        found = _EPOCH.date() + timedelta(days=value)
    except OverflowError:
        found = None
    if found is None or found.year not in _YEARS:
        raise Unusable("epoch_days", value, "is of no year from 1800 to 2299")
    return found.isoformat()


FILTERS = {f"epoch_{unit}": _filter(unit) for unit in _IN_WORDS} | {"epoch_days": _date}
"""From a number, or a text of digits, to RFC 3339 in UTC; of what is absent, nothing. A moment that
is of no year in which records are written is refused, as the unit is then another. `epoch_days` is
of a date without a time, which may be somebody's birthday."""
