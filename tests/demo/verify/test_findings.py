"""Figures of a verdict."""

import pytest

from demo.verify.findings import Findings, percentile


def test_percentiles() -> None:
    values = [float(number) for number in range(1, 101)]
    assert (percentile(values, 50), percentile(values, 99), percentile([3.0], 99)) == (50, 99, 3)
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


@pytest.mark.parametrize(
    "kind", ["lost", "duplicates", "unexpected", "wrong_content", "late", "unexcused"]
)
def test_one_fault_of_any_kind_is_one_too_many(kind: str) -> None:
    assert Findings().is_right
    found = Findings()
    getattr(found, kind).append("one")
    assert not found.is_right
