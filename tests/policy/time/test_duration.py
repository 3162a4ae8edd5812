"""Spans as the catalogue writes them, and as people read them."""

import pytest

from policy.time.duration import Duration, milliseconds, shown


@pytest.mark.parametrize(
    ("written", "length"),
    [
        (0, 0), (90, 90_000), ("0s", 0), ("90s", 90_000), ("15m", 900_000), ("1h", 3_600_000),
        ("7d", 604_800_000), ("31d", 2_678_400_000),
    ],
)  # fmt: skip
def test_how_long_that_is(written: Duration, length: int) -> None:
    assert milliseconds(written) == length


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0s"), (999, "0s"), (1000, "1s"), (1999, "1s"), (59_999, "59s"), (60_000, "1m"),
        (90_000, "1m 30s"), (3_599_000, "59m 59s"), (3_600_000, "1h"), (86_399_000, "23h 59m 59s"),
        (86_400_000, "1d"), (90_061_000, "1d 1h 1m 1s"), (2_678_400_000, "31d"),
    ],
)  # fmt: skip
def test_how_people_read_it(length: int, text: str) -> None:
    assert shown(length) == text
