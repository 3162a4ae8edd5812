"""When a notification may begin: at once, later, or not at all, to the millisecond."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from policy.decision.decide import decide, is_cancelled, starts_at
from policy.dedupe import all_marks
from policy.notification_type import YEAR_MS
from policy.user.ledger import Ledger
from policy.user.profile import Profile
from policy.user.state import UserState
from schemas.errors import BadRecord
from schemas.request import Origin, Request
from schemas.vocabulary import Reason
from tests.policy.person import kind, told
from tests.policy.samples import HOUR, NOON, request

PHONE = Profile(("phone",))
MINUTE = 60_000
DELAYED, AT_ONCE = kind('delay = "30m"'), kind("")


def moment(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)


def asked(at: int = NOON, deliver_at: int | None = None, cancel_key: str | None = None) -> Request:
    plain = request(at=at, accepted_at=max(at, NOON))
    wanted = None if deliver_at is None else moment(deliver_at)
    event = replace(plain.event, deliver_at=wanted, cancel_key=cancel_key)
    return replace(plain, event=event, accepted_at=NOON)


@pytest.mark.parametrize(
    ("deliver_at", "by_event", "by_type"),
    [
        (None, NOON, NOON + 30 * MINUTE),
        (NOON - HOUR, NOON, NOON + 30 * MINUTE),
        (NOON + 10 * MINUTE, NOON + 10 * MINUTE, NOON + 30 * MINUTE),
        (NOON + HOUR, NOON + HOUR, NOON + HOUR),
        (NOON + YEAR_MS, NOON + YEAR_MS, NOON + YEAR_MS),
    ],
)
def test_it_starts_when_event_and_type_both_allow(
    deliver_at: int | None, by_event: int, by_type: int
) -> None:
    assert starts_at(asked(deliver_at=deliver_at), AT_ONCE, NOON) == by_event
    assert starts_at(asked(deliver_at=deliver_at), DELAYED, NOON) == by_type


def test_more_than_a_year_ahead_is_refused() -> None:
    assert YEAR_MS == 31_622_400_000
    with pytest.raises(BadRecord, match="deliver_at is over a year ahead: 2027-03-02T12:00") as bad:
        starts_at(asked(deliver_at=NOON + YEAR_MS + 1), AT_ONCE, NOON)
    assert bad.value.reason is Reason.INVALID


@pytest.mark.parametrize(
    ("deliver_at", "now", "expected"),
    [
        (NOON + 1, NOON, "held scheduled"),
        (NOON, NOON, "sent"),
        (NOON + 1, NOON + 1, "sent"),
        (NOON + HOUR, NOON + HOUR - 1, "held scheduled"),
    ],
)
def test_what_is_due_in_a_millisecond_waits(deliver_at: int, now: int, expected: str) -> None:
    decision = decide(asked(deliver_at=deliver_at), AT_ONCE, UserState(PHONE), now)
    assert told(decision) == {"push": expected}
    if expected != "sent":
        ((name, waiting),) = decision.ledger.waiting.items()
        assert (name, waiting.due_at, waiting.unless) == (
            f"{decision.notification_id}.0",
            deliver_at,
            None,
        )


def test_its_time_to_live_begins_when_it_may_start() -> None:
    day = 24 * HOUR
    scheduled = asked(deliver_at=NOON + HOUR)
    for now, expected in ((NOON + HOUR + day - 1, None), (NOON + HOUR + day, "suppressed expired")):
        decision = decide(scheduled, AT_ONCE, UserState(PHONE), now)
        assert told(decision).get("all") == expected


@pytest.mark.parametrize(
    ("cancelled_at", "key", "expected"),
    [
        (0, "k", False),
        (NOON - 1, "k", False),
        (NOON, "k", True),
        (NOON + 1, "k", True),
        (NOON, None, False),
        (NOON, "", True),
    ],
)
def test_a_cancellation_is_of_what_happened_until_then(
    cancelled_at: int, key: str | None, expected: bool
) -> None:
    state = UserState(PHONE, cancelled_at=cancelled_at)
    assert is_cancelled(asked(cancel_key=key), state) is expected
    decision = decide(asked(cancel_key=key), AT_ONCE, state, NOON)
    assert (told(decision).get("all") == "suppressed cancelled") is expected
    if expected:
        assert decision.outcomes[0].detail == (key or "")
        assert decision.ledger == Ledger()


A, B, NONE = "a" * 16, "b" * 16, ""


@pytest.mark.parametrize(
    ("first", "second", "reason", "detail"),
    [
        (A, A, Reason.DUPLICATE, "of events/3/41"),
        (A, B, Reason.CONFLICT, "another body under the id or key of events/3/41"),
        # Of events from before bodies were compared nothing can be said.
        (NONE, B, Reason.DUPLICATE, "of events/3/41"),
        (A, NONE, Reason.DUPLICATE, "of events/3/41"),
    ],
)
def test_another_body_under_the_same_id_is_a_conflict(
    first: str, second: str, reason: Reason, detail: str
) -> None:
    one = request(origin=Origin("events", 3, 41, first))
    ledger = decide(one, AT_ONCE, UserState(PHONE), NOON).ledger
    two = request(origin=Origin("events", 3, 42, second))
    (outcome,) = decide(two, AT_ONCE, UserState(PHONE, ledger), NOON).outcomes
    assert (outcome.channel, outcome.reason, outcome.detail) == (None, reason, detail)


@pytest.mark.parametrize(
    ("partition", "offset", "is_replay"), [(3, 41, True), (3, 42, False), (4, 41, False)]
)
def test_only_the_very_same_record_is_a_replay(
    partition: int, offset: int, is_replay: bool
) -> None:
    first = decide(request(origin=Origin("events", 3, 41)), AT_ONCE, UserState(PHONE), NOON)
    again = request(origin=Origin("events", partition, offset))
    found = decide(again, AT_ONCE, UserState(PHONE, first.ledger), NOON)
    assert found.replay is is_replay


def test_what_was_never_cancelled_is_not_however_long_ago_it_happened() -> None:
    assert not is_cancelled(asked(at=0, cancel_key="k"), UserState(PHONE, cancelled_at=0))


def test_an_event_that_comes_again_after_its_window_takes_the_place_of_its_mark() -> None:
    spec = replace(AT_ONCE, dedupe_hours=1)
    ledger = decide(request(), spec, UserState(PHONE), NOON).ledger
    again = request(at=NOON + HOUR, origin=Origin("events", 3, 99))
    found = decide(again, spec, UserState(PHONE, ledger), NOON + HOUR)
    assert told(found) == {"push": "sent"}
    ((_, mark),) = all_marks(found.ledger.marks)
    assert (mark.offset, mark.at) == (99, NOON + HOUR)
    # A window that is longer than that of the mark that is there keeps both from being dropped.
    longer = replace(spec, dedupe_hours=24)
    found = decide(again, longer, UserState(PHONE, ledger), NOON + HOUR)
    assert [mark.offset for _, mark in all_marks(found.ledger.marks)] == [99]


def test_a_mark_that_arrived_late_is_replaced_and_not_doubled() -> None:
    """Earlier than the mark by more than its window: that mark is not over, and still goes."""
    spec = replace(AT_ONCE, dedupe_hours=1)
    ledger = decide(request(), spec, UserState(PHONE), NOON).ledger
    late = request(at=NOON - HOUR, accepted_at=NOON, origin=Origin("events", 3, 99))
    found = decide(late, spec, UserState(PHONE, ledger), NOON)
    assert told(found) == {"push": "sent"}
    assert [mark.offset for _, mark in all_marks(found.ledger.marks)] == [99]


def test_another_plan_under_the_same_id_is_a_conflict() -> None:
    first = asked(deliver_at=NOON + HOUR, cancel_key="k")
    first = replace(first, origin=Origin("events", 3, 41, A))
    ledger = decide(first, AT_ONCE, UserState(PHONE), NOON).ledger
    for deliver_at, cancel_key, reason in (
        (NOON + HOUR, "k", Reason.DUPLICATE),
        (NOON + 2 * HOUR, "k", Reason.CONFLICT),
        (NOON + HOUR, None, Reason.CONFLICT),
        (None, None, Reason.CONFLICT),
    ):
        again = asked(deliver_at=deliver_at, cancel_key=cancel_key)
        again = replace(again, origin=Origin("events", 3, 42, A))
        (outcome,) = decide(again, AT_ONCE, UserState(PHONE, ledger), NOON).outcomes
        assert outcome.reason is reason, (deliver_at, cancel_key)
