import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.retry import DELAYS, PERMANENT, Attempt, GiveUp, next_attempt
from schemas.delivery import Content, Delivery
from schemas.vocabulary import Channel, Priority, Reason
from tests.policy.samples import HOUR, NOON


def delivery(attempt: int = 0, expires_at: int = NOON + 24 * HOUR) -> Delivery:
    return Delivery(
        delivery_id="d",
        notification_id="n",
        event_id="e",
        type="thing",
        category="things",
        user="ann",
        channel=Channel.PUSH,
        priority=Priority.NORMAL,
        address="phone",
        content=Content(body="hello"),
        occurred_at=NOON,
        accepted_at=NOON,
        expires_at=expires_at,
        attempt=attempt,
    )


def attempt_after(
    failed: int, jitter: float, *, after: float | None = None, expires_at: int = NOON + 24 * HOUR
) -> Attempt | GiveUp:
    said = delivery(failed, expires_at)
    return next_attempt(said, Reason.TIMEOUT, after=after, now=NOON, jitter=jitter)


@given(
    st.integers(0, 30),
    st.floats(0, 1, exclude_max=True),
    st.none() | st.floats(0, 1e6) | st.just(float("inf")),
    st.integers(NOON - HOUR, NOON + 24 * HOUR),
)
def test_never_before_retry_after_nor_after_expiry(
    failed: int, jitter: float, after: float | None, expires_at: int
) -> None:
    answer = attempt_after(failed, jitter, after=after, expires_at=expires_at)
    if isinstance(answer, GiveUp):
        assert answer.reason is Reason.EXPIRED
        return
    assert NOON <= answer.due_at < expires_at
    assert answer.due_at >= NOON + (after or 0) * 1000
    assert answer.due_at - NOON <= max(DELAYS[-1], after or 0) * 1000 + 1


@given(st.integers(0, 30), st.floats(0, 1, exclude_max=True))
def test_full_jitter_spreads_over_the_attempts_delay(failed: int, jitter: float) -> None:
    longest = DELAYS[min(failed, 4)] * 1000
    answer = attempt_after(failed, jitter)
    assert isinstance(answer, Attempt)
    assert jitter * longest <= answer.due_at - NOON <= jitter * longest + 1


@pytest.mark.parametrize(
    ("failed", "jitter", "after", "expected"),
    [
        (0, 0.0, None, Attempt(NOON)),
        (0, 0.5, None, Attempt(NOON + 2_500)),
        (1, 0.5, None, Attempt(NOON + 15_000)),
        (3, 0.01, None, Attempt(NOON + 18_000)),
        (9, 0.5, None, Attempt(NOON + HOUR)),
        (0, 0.5, 60.0, Attempt(NOON + 60_000)),
        (0, 0.5, 3 * 3600.0, Attempt(NOON + 3 * HOUR)),
        (0, 0.5, 24 * 3600.0, GiveUp(Reason.EXPIRED)),
    ],
)
def test_when(failed: int, jitter: float, after: float | None, expected: Attempt | GiveUp) -> None:
    assert attempt_after(failed, jitter, after=after) == expected


@pytest.mark.parametrize("reason", sorted(PERMANENT))
def test_what_repetition_cannot_change_is_given_up_at_once(reason: Reason) -> None:
    answer = next_attempt(delivery(), reason, after=1.0, now=NOON, jitter=0.5)
    assert answer == GiveUp(reason)
