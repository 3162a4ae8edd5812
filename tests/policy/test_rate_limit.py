from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from policy.rate_limit import LATENESS_MS, RateLimit, Window, admit, store

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
