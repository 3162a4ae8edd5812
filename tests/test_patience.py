"""How tests wait for what a clock says."""

from datetime import UTC, datetime

import pytest

from tests.patience import to_tomorrow


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("2026-12-31T23:59:58", 2.0),
        ("2028-02-28T23:59:00", 60.0),
        ("2026-03-29T23:58:59.999", 0.0),
        ("2026-10-25T00:00:00", 0.0),
    ],
)
def test_only_the_end_of_a_day_is_waited_for(now: str, left: float) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert to_tomorrow(60, moment) == left
