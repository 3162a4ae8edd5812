"""When Kafka took what a record is about, as an erasure reads it."""

import pytest

from policy.accepted_at import accepted


@pytest.mark.parametrize(
    ("said", "taken", "expected"),
    [
        (1000, 2000, 1000),
        (2000, 2000, 2000),
        # Nobody is younger than the record itself.
        (3000, 2000, 2000),
        # Rows of before say nothing, or nonsense.
        (0, 2000, 2000),
        (-1, 2000, 2000),
        (1, 2000, 1),
    ],
)
def test_what_follows_from_another_record_is_as_old_as_that(
    said: int, taken: int, expected: int
) -> None:
    assert accepted(said, taken) == expected
