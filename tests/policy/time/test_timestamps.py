"""Moments as numbers and back, exact to the millisecond and at the calendar's ends."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from policy.time.timestamps import epoch_ms, moment, text


@pytest.mark.parametrize(
    ("at", "number"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 0, 0, 0, 999, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC), 1),
        # Rounded down on both sides of the epoch.
        (datetime(1969, 12, 31, 23, 59, 59, 999_500, tzinfo=UTC), -1),
        (datetime(1970, 1, 2, 0, 0, 1, tzinfo=UTC), 86_401_000),
        (datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 0),
        (datetime(2026, 3, 1, 12, tzinfo=UTC), 1_772_366_400_000),
        (datetime(1, 1, 1, tzinfo=UTC), -62_135_596_800_000),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 253_402_300_799_999),
    ],
)
def test_a_moment_as_a_number(at: datetime, number: int) -> None:
    assert epoch_ms(at) == number


@pytest.mark.parametrize(
    ("number", "at", "shown"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC), "1970-01-01T00:00:00Z"),
        (
            -1,
            datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC),
            "1969-12-31T23:59:59Z",
        ),
        (
            1_772_366_459_999,
            datetime(2026, 3, 1, 12, 0, 59, 999_000, tzinfo=UTC),
            "2026-03-01T12:00:59Z",
        ),
        (-62_135_596_800_001, datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (1 << 62, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "9999-12-31T23:59:59Z"),
    ],
)
def test_a_number_as_a_moment_and_to_the_second_as_text(
    number: int, at: datetime, shown: str
) -> None:
    assert moment(number) == at
    assert text(number) == shown
