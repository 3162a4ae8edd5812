"""Shares of providers: as weighed, the same for a delivery, and moved as little as can be."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.split import order_of

IDS = [f"{number:032x}" for number in range(4000)]
weighted = st.dictionaries(st.text("abcdef", min_size=1, max_size=5), st.integers(0, 9), min_size=1)


@given(st.uuids(), weighted)
def test_everyone_is_asked_once_and_those_of_weight_0_last(
    name: object, weights: dict[str, int]
) -> None:
    order = order_of(str(name), weights)
    assert sorted(order) == sorted(weights)
    assert order == order_of(str(name), dict(reversed(weights.items()))) or 0 in weights.values()
    standing_by = [name for name in order if not weights[name]]
    assert list(order[len(order) - len(standing_by) :]) == standing_by
    assert standing_by == [name for name, weight in weights.items() if not weight]


def test_each_comes_first_for_its_share() -> None:
    first = Counter(order_of(name, {"a": 7, "b": 2, "c": 1})[0] for name in IDS)
    for name, share in (("a", 0.7), ("b", 0.2), ("c", 0.1)):
        assert first[name] / len(IDS) == pytest.approx(share, abs=0.03)


@given(weighted, st.data())
def test_one_that_is_taken_away_moves_only_its_own(
    weights: dict[str, int], data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(sorted(weights)))
    rest = {name: weight for name, weight in weights.items() if name != gone}
    if not rest:
        return
    for delivery in IDS[:20]:
        before = order_of(delivery, weights)
        assert order_of(delivery, rest) == tuple(name for name in before if name != gone)
