from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import ValidationError, convert, msgpack

from policy.limits.rate_limit import (
    LATENESS_MS,
    RateLimit,
    Tally,
    TenantLimit,
    Window,
    admit,
    count_in,
    free_at,
    share,
    store,
    used_of,
)

limits = st.builds(RateLimit, count=st.integers(1, 4), seconds=st.integers(1, 5))
moments = st.lists(st.integers(1, 30), max_size=60).map(lambda at: [t * 500 for t in at])


def run(limit: RateLimit, arrivals: list[int]) -> tuple[list[int], Window | None]:
    window = None
    admitted = []
    for at in arrivals:
        after = admit(window, limit, at)
        if after is not None:
            window = after
            admitted.append(at)
    return admitted, window


def most_in_any_span(times: list[int], span: int) -> int:
    return max((sum(t <= other < t + span for other in times) for t in times), default=0)


@given(limits, moments)
def test_never_over_the_limit_in_any_window_and_any_order(
    limit: RateLimit, arrivals: list[int]
) -> None:
    admitted, _ = run(limit, arrivals)
    assert most_in_any_span(admitted, limit.seconds * 1000) <= limit.count


@given(
    limits,
    st.lists(st.integers(1, 30) | st.integers(200_000, 200_030), max_size=60),
)
def test_never_over_the_limit_when_events_are_days_late(
    limit: RateLimit, arrivals: list[int]
) -> None:
    admitted, _ = run(limit, [at * 500 for at in arrivals])
    assert most_in_any_span(admitted, limit.seconds * 1000) <= limit.count


@given(limits, moments)
def test_refuses_only_what_would_break_the_limit(limit: RateLimit, arrivals: list[int]) -> None:
    """Up to one window late, admit exactly what a full history would admit."""
    span = limit.seconds * 1000
    window = None
    history: list[int] = []
    for at in arrivals:
        if history and at < max(history) - span:
            continue
        fits = most_in_any_span([*history, at], span) <= limit.count
        after = admit(window, limit, at)
        assert (after is not None) is fits
        if after is not None:
            window = after
            history.append(at)


@given(limits, moments)
def test_a_window_is_bounded_sorted_and_survives_encoding(
    limit: RateLimit, arrivals: list[int]
) -> None:
    _, window = run(limit, arrivals)
    if window is not None:
        assert len(window.times) <= 2 * limit.count
        assert list(window.times) == sorted(window.times)
        assert msgpack.decode(msgpack.encode(window), type=Window) == window


def test_the_edge_of_a_window_is_half_open() -> None:
    limit = RateLimit(count=1, seconds=10)
    window = admit(None, limit, 1_000)
    assert window is not None
    assert admit(window, limit, 10_999) is None
    assert admit(window, limit, 11_000) is not None


def test_one_window_late_is_told_from_what_a_shorter_memory_would_refuse() -> None:
    admitted, _ = run(RateLimit(count=2, seconds=3), [1_000, 5_000, 6_000, 3_000])
    assert admitted == [1_000, 5_000, 6_000, 3_000]


def test_times_are_forgotten_and_never_miscounted() -> None:
    limit = RateLimit(count=3, seconds=10)
    window = admit(None, limit, 1_000)
    window = admit(window, limit, 1_000 + LATENESS_MS + 10_001)
    assert window is not None
    assert window.times == (1_000 + LATENESS_MS + 10_001,)
    assert window.forgotten == 1_000
    assert admit(window, limit, 10_999) is None
    assert admit(window, limit, 11_000) is not None


def test_windows_that_are_over_go_when_a_new_one_comes() -> None:
    limit = RateLimit(count=3, seconds=10)
    old = admit(None, limit, 1_000)
    new = admit(None, limit, 1_000 + 10_000 + LATENESS_MS)
    assert old is not None
    assert new is not None
    assert store({"push": old}, "push", new) == {"push": new}
    assert store({"push": old}, "sms", new) == {"sms": new}
    assert store({"push": old}, "sms", old) == {"push": old, "sms": old}


def earliest_by_trying(window: Window, limit: RateLimit, at: int) -> int:
    return next(moment for moment in count(at) if admit(window, limit, moment) is not None)


short = st.builds(RateLimit, count=st.integers(1, 4), seconds=st.just(1))


@given(short, st.lists(st.integers(1, 60), max_size=30), st.integers(0, 70))
def test_free_at_is_the_first_moment_that_is_admitted(
    limit: RateLimit, arrivals: list[int], asked: int
) -> None:
    _, window = run(limit, [at * 100 + 1 for at in arrivals])
    if window is not None:
        at = asked * 100
        assert free_at(window, limit, at) == earliest_by_trying(window, limit, at)


@given(short, short, st.lists(st.integers(1, 60), min_size=1, max_size=30), st.integers(0, 70))
def test_free_at_holds_when_the_limit_has_changed(
    before: RateLimit, after: RateLimit, arrivals: list[int], asked: int
) -> None:
    _, window = run(before, [at * 100 + 1 for at in arrivals])
    assert window is not None
    assert free_at(window, after, asked * 100) == earliest_by_trying(window, after, asked * 100)


@pytest.mark.parametrize(
    ("times", "forgotten", "asked", "free"),
    [
        ((5_000,), 0, 5_000, 15_000),
        ((5_000,), 0, 15_000, 15_000),
        ((50_000,), 0, 40_000, 40_000),
        ((50_000,), 0, 40_001, 60_000),
        ((5_000, 16_000), 0, 5_000, 26_000),
        ((5_000, 25_000), 0, 5_000, 15_000),
        ((50_000,), 5_000, 1_000, 15_000),
        ((20_000,), 5_000, 1_000, 30_000),
    ],
)
def test_free_at(times: tuple[int, ...], forgotten: int, asked: int, free: int) -> None:
    limit = RateLimit(count=1, seconds=10)
    assert free_at(Window(10, times, forgotten), limit, asked) == free


def counted(
    count: int, seconds: int, arrivals: list[int]
) -> tuple[list[int], list[bool], Tally | None]:
    """What a tally admits of these arrivals: the times, and for each arrival whether."""
    tally, admitted, answers = None, list[int](), list[bool]()
    for at in arrivals:
        after = count_in(tally, count, seconds, at)
        answers.append(after is not None)
        if after is not None:
            tally = after
            admitted.append(at)
    return admitted, answers, tally


# One second in steps that fall on both sides of its 17 ms buckets, and jumps of many spans.
crowded = st.lists(st.integers(100_000, 104_000) | st.integers(100_000, 160_000), max_size=80)


@given(st.integers(0, 6), crowded)
def test_a_tenant_is_never_over_its_limit_in_any_span_and_any_order(
    count: int, arrivals: list[int]
) -> None:
    admitted, _, _ = counted(count, 1, arrivals)
    assert most_in_any_span(admitted, 1000) <= count


@given(st.integers(1, 6), crowded.map(sorted))
def test_in_order_a_tally_refuses_only_what_a_span_one_bucket_longer_would(
    count: int, arrivals: list[int]
) -> None:
    history: list[int] = []
    _, answers, _ = counted(count, 60, [at * 60 for at in arrivals])
    for at, admitted in zip(arrivals, answers, strict=True):
        if sum(at - 61 * 1000 // 60 < other for other in history) < count:
            assert admitted
        if admitted:
            history.append(at)


@given(st.integers(1, 6), crowded)
def test_up_to_a_span_late_is_refused_only_for_a_crowd(count: int, arrivals: list[int]) -> None:
    history: list[int] = []
    tally = None
    for at in arrivals:
        after = count_in(tally, count, 1, at)
        near = sum(abs(at - other) < 1000 + 2 * 17 for other in history)
        if near < count and (not history or at > max(history) - 1000):
            assert after is not None
        if after is not None:
            tally = after
            history.append(at)


@given(st.integers(1, 6), crowded)
def test_a_tally_is_bounded_and_survives_encoding(count: int, arrivals: list[int]) -> None:
    _, _, tally = counted(count, 1, arrivals)
    if tally is not None:
        assert len(tally.counts) <= 121
        assert msgpack.decode(msgpack.encode(tally), type=Tally) == tally


def test_a_tally_by_hand() -> None:
    """Sixty seconds are sixty buckets of one: minute 10 has room again a bucket after minute 11."""
    tally = count_in(None, 2, 60, 600_000)
    tally = count_in(tally, 2, 60, 601_500)
    assert tally == Tally(60, 601, (1, 1))
    assert count_in(tally, 2, 60, 600_000) is None
    assert count_in(tally, 2, 60, 660_999) is None
    later = count_in(tally, 2, 60, 661_000)
    assert later == Tally(60, 661, (1, 1, *[0] * 59, 1))
    assert count_in(later, 2, 60, 540_000) is None, "nothing shows what there was so long ago"
    assert count_in(tally, 2, 60, 541_000) is None, "one of the two might be less than 60 s later"
    assert count_in(tally, 2, 30, 601_500) == Tally(30, 1203, (1,))


def test_two_spans_later_nothing_of_a_tally_is_left() -> None:
    tally = count_in(None, 1, 60, 600_000)
    assert count_in(tally, 1, 60, 720_000) == Tally(60, 720, (1, *[0] * 119, 1))
    assert count_in(tally, 1, 60, 721_000) == Tally(60, 721, (1,))


@given(st.integers(1, 10_000_000), st.integers(1, 4096))
def test_the_shares_of_all_partitions_add_up_to_the_limit(count: int, partitions: int) -> None:
    limit = TenantLimit(count, 60)
    shares = [share(limit, partition, partitions) for partition in range(partitions)]
    assert sum(shares) == count
    assert max(shares) - min(shares) <= 1


def test_a_partition_without_a_share_lets_nothing_through() -> None:
    limit = TenantLimit(1, 60)
    assert share(limit, 1, 8) == 0
    assert count_in(None, share(limit, 1, 8), 60, 600_000) is None
    tally = count_in(None, 1, 60, 600_000)
    assert count_in(tally, 0, 60, 900_000) is None


def tally_of(counts: dict[int, int], newest: int, oldest: int) -> Tally:
    """A tally of a minute, in buckets of a second, with so many in these and none in others."""
    return Tally(60, newest, tuple(counts.get(n, 0) for n in range(oldest, newest + 1)))


@pytest.mark.parametrize(
    ("at", "counts", "newest", "oldest"),
    [
        # A later bucket, the newest itself, and one before it.
        (101, {90: 1, 100: 1, 101: 1}, 101, 90),
        (100, {90: 1, 100: 2}, 100, 90),
        (95, {90: 1, 95: 1, 100: 1}, 100, -20),
        (90, {90: 2, 100: 1}, 100, -20),
        # As far back as a span, and no further; there a tally is filled up to two spans.
        (40, {40: 1, 90: 1, 100: 1}, 100, -20),
        (39, None, 0, 0),
        # A span from 61 on is over the bucket of 100 when 161 is asked for.
        (160, {90: 1, 100: 1, 160: 1}, 160, 90),
        (161, {90: 1, 100: 1, 161: 1}, 161, 90),
        # Two spans ahead all is over.
        (220, {100: 1, 220: 1}, 220, 100),
        (221, {221: 1}, 221, 221),
    ],
)
def test_where_one_more_is_counted(
    at: int, counts: dict[int, int] | None, newest: int, oldest: int
) -> None:
    before = tally_of({90: 1, 100: 1}, 100, 90)
    expected = None if counts is None else tally_of(counts, newest, oldest)
    assert count_in(before, 3, 60, at * 1000) == expected
    assert count_in(before, 3, 60, at * 1000 + 999) == expected


@pytest.mark.parametrize(
    ("at", "fits"),
    [(40, False), (99, False), (100, False), (101, False), (160, False), (161, True), (300, True)],
)
def test_what_could_share_a_span_is_refused(at: int, fits: bool) -> None:
    """Two stand in bucket 100. Whatever is within sixty buckets of it could share a span."""
    before = tally_of({100: 2}, 100, 100)
    assert (count_in(before, 2, 60, at * 1000) is not None) is fits
    # With room for one more, all of them fit.
    assert count_in(before, 3, 60, at * 1000) is not None


@pytest.mark.parametrize(
    ("at", "fits"),
    [(139, False), (140, False), (145, False), (146, True), (199, True), (200, True), (201, True)],
)
def test_what_is_late_is_held_against_each_span_that_it_could_be_in(at: int, fits: bool) -> None:
    """Of 85 and 130 a span may hold both, up to 145, and of 130 and 200 none may.

    What is more than a span before the newest is refused as it is.
    """
    before = tally_of({85: 1, 130: 1, 200: 1}, 200, 80)
    assert (count_in(before, 2, 60, at * 1000) is not None) is fits


@pytest.mark.parametrize(
    ("count", "seconds", "at", "bucket"),
    [
        # A sixtieth of the span, rounded up to a millisecond.
        (1, 60, 59_999, 59),
        (1, 1, 16, 0),
        (1, 1, 17, 1),
        (1, 3600, 3_659_999, 60),
        (1, 3600, 3_660_000, 61),
    ],
)
def test_buckets_are_sixtieths_of_the_span(count: int, seconds: int, at: int, bucket: int) -> None:
    assert count_in(None, count, seconds, at) == Tally(seconds, bucket, (1,))


@pytest.mark.parametrize(
    ("at", "used"),
    [(39, 0), (40, 1), (89, 1), (90, 3), (100, 6), (150, 5), (151, 3), (160, 3), (161, 0)],
)
def test_what_was_used_of_a_limit_is_of_the_span_that_ends_now(at: int, used: int) -> None:
    tally = tally_of({40: 1, 90: 2, 100: 3}, 100, 40)
    assert used_of(tally, 60, at * 1000) == used
    assert used_of(tally, 30, at * 1000) == 0
    assert used_of(None, 60, at * 1000) == 0


@pytest.mark.parametrize(
    ("after", "is_over"),
    [(10_000 + LATENESS_MS - 1, False), (10_000 + LATENESS_MS, True)],
)
def test_a_window_is_over_a_day_after_its_last_span(after: int, is_over: bool) -> None:
    assert Window(10, (0, 1_000)).is_over(1_000 + after) is is_over


@pytest.mark.parametrize(
    ("kind", "count", "seconds", "is_valid"),
    [
        (RateLimit, 0, 60, False), (RateLimit, 1, 0, False), (RateLimit, 1, 1, True),
        (RateLimit, 1000, 2_678_400, True), (RateLimit, 1001, 60, False),
        (RateLimit, 1, 2_678_401, False), (TenantLimit, 0, 60, False), (TenantLimit, 1, 0, False),
        (TenantLimit, 10_000_000, 2_678_400, True), (TenantLimit, 10_000_001, 60, False),
        (TenantLimit, 1, 2_678_401, False),
    ],
)  # fmt: skip
def test_the_bounds_of_a_limit(
    kind: type[RateLimit] | type[TenantLimit], count: int, seconds: int, is_valid: bool
) -> None:
    said = {"count": count, "seconds": seconds}
    if is_valid:
        assert convert(said, kind) == kind(count, seconds)
    else:
        with pytest.raises(ValidationError):
            convert(said, kind)


@pytest.mark.parametrize(
    ("times", "forgotten", "at", "after"),
    [
        # Twice the count is kept; of more, the newest, and it is known which was forgotten.
        ((10, 20, 30), 0, 40_000, ((10, 20, 30, 40_000), 0)),
        ((10, 20, 30, 20_000), 0, 40_000, ((20, 30, 20_000, 40_000), 10)),
        ((11, 12, 20_003, 20_004), 9, 50_000, ((12, 20_003, 20_004, 50_000), 11)),
        # What is a day and a span old goes, to the millisecond.
        ((0,), 0, 10_000 + LATENESS_MS, ((0, 10_000 + LATENESS_MS), 0)),
        ((1,), 0, 10_002 + LATENESS_MS, ((10_002 + LATENESS_MS,), 1)),
        ((1, 2, 4), 0, 10_003 + LATENESS_MS, ((4, 10_003 + LATENESS_MS), 2)),
        # Late by more than a span of what was forgotten, it can't be told what there was.
        ((50_000,), 9_000, 18_999, None),
        ((50_000,), 9_000, 19_000, ((19_000, 50_000), 9_000)),
    ],
)  # fmt: skip
def test_what_a_window_keeps(
    times: tuple[int, ...], forgotten: int, at: int, after: tuple[tuple[int, ...], int] | None
) -> None:
    limit = RateLimit(count=2, seconds=10)
    expected = None if after is None else Window(10, *after)
    assert admit(Window(10, times, forgotten), limit, at) == expected
