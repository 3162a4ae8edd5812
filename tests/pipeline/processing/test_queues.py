"""Which slice of a lane comes next: shares by weight, order in each topic, and no topic starves."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.processing.queues import Queues
from pipeline.processing.slices import Slice
from tests.pipeline.processing.test_lanes import MOST, WEIGHTS, Feed


def taken(queues: Queues, number: int) -> list[Slice]:
    found = (queues.take() for _ in range(number))
    return [slice_ for slice_ in found if slice_ is not None]


def topics(slices: list[Slice]) -> list[str]:
    return [slice_.partition.topic for slice_ in slices]


def test_what_has_no_weight_comes_first_and_in_order() -> None:
    queues, feed = Queues(MOST, WEIGHTS), Feed()
    for topic in ("bulk", "high", "critical", "contacts", "critical"):
        queues.put(feed.slice(topic))
    order = topics(taken(queues, 6))
    assert order == ["contacts", "critical", "critical", "high", "bulk"]
    assert queues.take() is None


@pytest.mark.parametrize("records", [1000, 100])
def test_the_others_share_records_by_weight(records: int) -> None:
    queues, feed = Queues(MOST, WEIGHTS), Feed()
    for topic in WEIGHTS:
        for _ in range(600 * 1000 // records):
            queues.put(feed.slice(topic, records))
    served = Counter(topics(taken(queues, 600)))
    for topic, weight in WEIGHTS.items():
        assert served[topic] == pytest.approx(600 * weight / 15, rel=0.1)


def test_small_slices_count_for_what_they_hold() -> None:
    queues, feed, records = Queues(MOST, WEIGHTS), Feed(), Counter[str]()
    for _ in range(300):
        queues.put(feed.slice("low", 1000))
        queues.put(feed.slice("high", 1000))
    small = [feed.slice("normal", 50) for _ in range(4000)]
    queues.put(small.pop(0))
    for _ in range(1500):
        slice_ = queues.take()
        assert slice_ is not None
        records[slice_.partition.topic] += len(slice_.records)
        if slice_.partition.topic == "normal":
            queues.put(small.pop(0))
    assert records["normal"] == pytest.approx(2 * records["low"], rel=0.1)


def test_a_full_slice_counts_the_same_whatever_its_records_stand_for() -> None:
    most = {"requests": 1000, "broadcasts": 16}
    queues, feed = Queues(most, dict.fromkeys(most, 1)), Feed()
    for _ in range(100):
        queues.put(feed.slice("requests", 1000))
        queues.put(feed.slice("broadcasts", 16))
    assert Counter(topics(taken(queues, 100))) == {"requests": 50, "broadcasts": 50}


def test_having_been_idle_saves_up_nothing() -> None:
    queues, feed = Queues(MOST, WEIGHTS), Feed()
    for _ in range(500):
        queues.put(feed.slice("bulk"))
    taken(queues, 400)
    for _ in range(100):
        queues.put(feed.slice("low"))
    assert Counter(topics(taken(queues, 90)))["bulk"] == pytest.approx(30, abs=2)


def test_having_been_alone_costs_nothing() -> None:
    """A topic that had all the idle time is no further behind once there is another."""
    queues, feed = Queues(MOST, WEIGHTS), Feed()
    for _ in range(50):
        queues.put(feed.slice("bulk"))
        taken(queues, 1)
    for topic in ("low", "bulk"):
        for _ in range(50):
            queues.put(feed.slice(topic))
    assert Counter(topics(taken(queues, 30)))["bulk"] == pytest.approx(10, abs=1)


@given(st.lists(st.tuples(st.sampled_from(sorted(MOST)), st.integers(1, 1000)), max_size=80))
def test_every_record_comes_once_and_each_topics_in_order(arrivals: list[tuple[str, int]]) -> None:
    queues, feed, ends = Queues(MOST, WEIGHTS), Feed(), Counter[str]()
    for topic, records in arrivals:
        queues.put(feed.slice(topic, records))
    for slice_ in taken(queues, len(arrivals)):
        assert slice_.start == ends[slice_.partition.topic]
        assert len(slice_.records) <= 1000
        ends[slice_.partition.topic] = slice_.next
    assert ends == sum((Counter({topic: records}) for topic, records in arrivals), Counter())


@given(st.lists(st.sampled_from(sorted(WEIGHTS)), max_size=200))
def test_no_topic_starves(arrivals: list[str]) -> None:
    """However the others come, each gets its weight and one more before a slice of bulk."""
    queues, feed, waited = Queues(MOST, WEIGHTS), Feed(), 0
    queues.put(feed.slice("bulk"))
    for topic in arrivals:
        queues.put(feed.slice(topic))
        if topic != "bulk":
            queues.put(feed.slice("high"))
        slice_ = queues.take()
        assert slice_ is not None
        waited = 0 if slice_.partition.topic == "bulk" else waited + 1
        assert waited <= (8 + 1) + (4 + 1) + (2 + 1)
        queues.put(feed.slice("bulk"))
