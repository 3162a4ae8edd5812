"""How much one transaction may do."""

import pytest

from tables.storage.step import Step


@pytest.mark.parametrize(
    ("counted", "is_over"),
    [
        ([], False),
        ([(1, 0)], False),
        ([(2, 0), (1, 0)], True),
        ([(4, 0)], True),
        ([(1, 9)], False),
        ([(1, 10)], True),
        ([(0, 4), (0, 7)], True),
        ([(0, 0)] * 50, False),
    ],
)
def test_it_is_over_with_so_many_rows_or_bytes(
    counted: list[tuple[int, int]], is_over: bool
) -> None:
    step = Step(3, 10)
    for rows, size in counted:
        step.count(rows, size)
    assert step.is_over is is_over


@pytest.mark.parametrize(
    ("rows", "size", "is_over"),
    [
        (999, 1000, False),
        (1000, 1000, True),
        (1000, 0, True),
        (8, (1 << 20) - 1, False),
        (8, 1 << 20, True),
    ],
)
def test_by_itself_it_has_a_thousand_rows_and_eight_mebibytes(
    rows: int, size: int, is_over: bool
) -> None:
    """Rows of one kilobyte, as deliveries are, end it by their number."""
    step = Step()
    for _ in range(rows):
        step.count(1, size)
    assert step.is_over is is_over
