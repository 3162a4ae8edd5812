"""Moments as epoch milliseconds."""

from datetime import UTC, datetime, timedelta

from schemas.event import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_000


def epoch_ms(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime, exact and rounded down."""
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def in_utc(moment: datetime) -> datetime:
    """An aware datetime as it is; one without a zone, as ClickHouse has them, is of UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def moment(at: int) -> datetime:
    """Epoch milliseconds as a datetime in UTC, at most the calendar's ends."""
    return _EPOCH + timedelta(milliseconds=max(_FIRST, min(at, _LAST)))


def timestamp(at: int) -> Timestamp:
    """Epoch milliseconds as in replies; at most the calendar's ends."""
    return timestamp_of(moment(at))


def timestamp_of(at: datetime) -> Timestamp:
    """An aware datetime as in replies, truncated to milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text(at: int) -> str:
    """Epoch milliseconds as people read them, to the second; at most the calendar's ends."""
    # By isoformat, as strftime writes the year 1 as `1`, and takes longer.
    return f"{moment(at).isoformat(timespec='seconds').removesuffix('+00:00')}Z"
