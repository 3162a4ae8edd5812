"""Filters of templates for moments: `date`, `time` and `datetime`, as the reader's locale has them.

They take ISO 8601 text, epoch seconds or milliseconds, or `occurred_at`. A moment is shown by
the offset that it has itself, UTC for an epoch, unless `zone` names an IANA zone. Styles are
CLDR's: short, medium, long and full.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from jinja2 import pass_context

from policy.rendering.filters.unusable import Unusable
from policy.rendering.locales import locale_of
from policy.time.wall_clock import is_zone

Style = Literal["short", "medium", "long", "full"]

_STYLES = ("short", "medium", "long", "full")
_LONGEST_TEXT = 40
_LEAST_MILLISECONDS = 100_000_000_000  # as seconds it would be the year 5138
_BEYOND_CALENDAR = (ValueError, OverflowError, OSError)


@pass_context
def date_text(context: Any, value: Any, style: Style = "medium", zone: Any = None) -> str:
    """The day."""
    moment = _moment("date", value, style, zone)
    return format_date(moment, style, locale=locale_of(context.locale))


@pass_context
def time_text(context: Any, value: Any, style: Style = "short", zone: Any = None) -> str:
    """The time of day."""
    moment = _with_time("time", value, style, zone)
    return format_time(moment, style, locale=locale_of(context.locale))


@pass_context
def datetime_text(context: Any, value: Any, style: Style = "medium", zone: Any = None) -> str:
    """Both."""
    moment = _with_time("datetime", value, style, zone)
    return format_datetime(moment, style, locale=locale_of(context.locale))


FILTERS: dict[str, Callable[..., str]] = {
    "date": date_text,
    "time": time_text,
    "datetime": datetime_text,
}


def _with_time(name: str, value: Any, style: str, zone: Any) -> datetime:
    moment = _moment(name, value, style, zone)
    if not isinstance(moment, datetime):
        raise Unusable(name, value, "it has no time of day")
    return moment


def _moment(name: str, value: Any, style: str, zone: Any) -> date:
    if style not in _STYLES:
        raise Unusable(name, style, f"the styles are {', '.join(_STYLES)}")
    try:
        moment = _read(value)
        if zone is None or not isinstance(moment, datetime):
            return moment
        if not isinstance(zone, str) or not is_zone(zone):
            raise Unusable(name, zone, "it is not an IANA time zone")
        if moment.tzinfo is None:
            raise Unusable(name, value, "without an offset it can't be shown in a zone")
        return moment.astimezone(ZoneInfo(zone))
    except _BEYOND_CALENDAR:
        raise Unusable(name, value, "it is not a moment") from None


def _read(value: Any) -> date:
    if isinstance(value, datetime):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value / 1000 if abs(value) >= _LEAST_MILLISECONDS else value
        return datetime.fromtimestamp(seconds, UTC)
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise ValueError
    if len(value) == len("2026-03-01"):
        return date.fromisoformat(value)
    return datetime.fromisoformat(value)
