"""How many requests a bucket allows, in times worked out by hand."""

import msgspec
import pytest

from pipeline.request_buckets import RequestBuckets, burst_of
from schemas.question import Allowance, TakeRequests


class Clock:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


def take(buckets: RequestBuckets, per_minute: int, wanted: int = 1, name: str = "a") -> Allowance:
    return buckets.take(TakeRequests(name=name, per_minute=per_minute, wanted=wanted))


def test_a_burst_is_ten_seconds_worth_and_one_at_least() -> None:
    assert [burst_of(count) for count in (1, 6, 7, 12, 6000)] == [1, 1, 1, 2, 1000]


def test_what_is_left_and_when_it_is_full_again() -> None:
    buckets = RequestBuckets(Clock())  # 30 a minute: one in 2 s, a burst of 5
    found = [take(buckets, 30) for _ in range(6)]
    assert [each.granted for each in found] == [1, 1, 1, 1, 1, 0]
    assert [each.left for each in found] == [4, 3, 2, 1, 0, 0]
    assert [each.full_in for each in found] == pytest.approx([2, 4, 6, 8, 10, 10])
    assert [each.next_in for each in found] == pytest.approx([0, 0, 0, 0, 2, 2])


def test_of_many_that_are_wanted_as_many_are_granted_as_there_are() -> None:
    buckets = RequestBuckets(Clock())
    assert take(buckets, 30, 3).granted == 3
    assert take(buckets, 30, 3).granted == 2
    assert take(buckets, 30, 3) == Allowance(granted=0, left=0, full_in=10, next_in=2)


def test_what_is_refused_costs_nothing_and_a_part_comes_back_early() -> None:
    clock = Clock()
    buckets = RequestBuckets(clock)
    for _ in range(20):
        take(buckets, 30)
    clock.at += 3.5  # one and three quarters
    found = [take(buckets, 30) for _ in range(2)]
    assert [each.granted for each in found] == [1, 0]
    assert found[1].next_in == pytest.approx(0.5)


def test_what_was_not_used_is_not_saved_up() -> None:
    clock = Clock()
    buckets = RequestBuckets(clock)
    take(buckets, 60)  # a burst of ten
    clock.at += 3600
    assert sum(take(buckets, 60).granted for _ in range(20)) == 10


def test_each_name_has_its_own() -> None:
    buckets = RequestBuckets(Clock())
    assert [take(buckets, 1, name=name).granted for name in "aba"] == [1, 1, 0]


def test_in_any_time_no_more_is_granted_than_the_rate_and_one_burst() -> None:
    clock = Clock()
    clock.at = 12345.678  # sums of which are not exact
    buckets = RequestBuckets(clock)
    granted = 0
    for _ in range(6000):  # for 4,200 s, more often than once in each
        clock.at += 0.7
        granted += take(buckets, 60).granted
    assert 4200 <= granted <= 4200 + 10


def test_it_answers_what_it_is_asked_and_nothing_else() -> None:
    buckets = RequestBuckets(Clock())
    asked = msgspec.json.encode(TakeRequests(name="a", per_minute=60, wanted=4))
    assert msgspec.json.decode(buckets.answer(asked), type=Allowance).left == 6
    with pytest.raises(msgspec.ValidationError):
        buckets.answer(b'{"type": "user", "tenant": "a", "user": "b"}')
