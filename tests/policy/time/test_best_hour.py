"""What is in no hurry waits for the hour in which a user opens most, and never too long."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.audience.membership import Membership
from policy.decision.decide import decide
from policy.decision.explanation import explain
from policy.notification_type import NotificationType
from policy.time.best_hour import HOUR_MS, next_begin, next_local_begin
from policy.user.ledger import Ledger, Waiting
from policy.user.profile import Profile
from policy.user.state import UserState
from schemas.profile import Hint
from schemas.vocabulary import Reason, Stage
from tests.policy.person import Person, kind, told
from tests.policy.samples import EVERYWHERE, NOON, request

SPEC = kind('send_at = "best_hour"')
EVENING = replace(EVERYWHERE, best_hour=20)
EIGHT = NOON + 8 * HOUR_MS
MOMENTS = st.integers(0, 48 * HOUR_MS).map(lambda after: NOON + after)
HOURS = st.integers(0, 23)


@given(HOURS, MOMENTS)
def test_the_hour_begins_within_23_hours_and_never_before(hour: int, at: int) -> None:
    begin = next_begin(hour, at)
    assert at <= begin <= at + 23 * HOUR_MS
    assert begin // HOUR_MS % 24 == hour
    assert begin == at or begin % HOUR_MS == 0


def test_it_waits_until_the_hour_begins_and_then_goes() -> None:
    person = Person(SPEC, EVENING)
    (outcome, *_) = person.meet(request(), NOON).outcomes
    assert (outcome.stage, outcome.reason) == (Stage.HELD, Reason.SCHEDULED)
    assert outcome.detail == "best hour from 20:00 UTC"
    assert person.on_timer(EIGHT - 1) == []
    assert told(*person.on_timer(EIGHT)) == {"push": "sent"}


@given(HOURS | st.none(), MOMENTS, st.sampled_from([90, 3600, 18_000, 86_400, 604_800]))
def test_it_is_sent_once_within_its_time_to_live_whatever_the_hint(
    hour: int | None, at: int, seconds: int
) -> None:
    spec = replace(SPEC, time_to_live=seconds * 1000)
    person = Person(spec, replace(EVERYWHERE, best_hour=hour))
    first = person.meet(request(at=at), at)
    waits = [due for _, due in person.ledger.timers()]
    if hour is None:
        assert waits == []
    for due in waits:
        assert at < due < at + min(23 * HOUR_MS + 1, seconds * 1000)
        assert due // HOUR_MS % 24 == hour
    later = [decision for due in waits for decision in person.on_timer(due)]
    sent = [each for decision in (first, *later) for each in decision.deliveries]
    assert sorted(each.address for each in sent) == ["phone", "tablet"]
    # Read again, as after a crash: nothing comes of it, whatever the hour.
    assert person.meet(request(at=at), at + 1).replay


@pytest.mark.parametrize(
    ("spec", "profile"),
    [
        (SPEC, EVERYWHERE),
        (SPEC, replace(EVENING, best_hour=12)),
        (kind(""), EVENING),
        (replace(SPEC, time_to_live=8 * HOUR_MS), EVENING),
        # Nobody wants to be woken, whatever they opened.
        (SPEC, replace(EVENING, quiet_hours=((127, 19 * 60, 21 * 60),))),
    ],
    ids=["no hint", "it is now", "not wanted", "too late by then", "quiet by then"],
)
def test_it_goes_at_once(spec: NotificationType, profile: Profile) -> None:
    assert told(Person(spec, profile).meet(request(), NOON)) == {"push": "sent"}


def test_where_too_much_waits_already_it_goes_at_once() -> None:
    full = Ledger(waiting={f"n{number}.0": Waiting(EIGHT, None) for number in range(1000)})
    decision = decide(request(), SPEC, UserState(profile=EVENING, ledger=full), NOON)
    assert told(decision) == {"push": "sent"}


def test_a_delay_comes_first() -> None:
    spec = kind('send_at = "best_hour"\ndelay = "9h"')
    person = Person(spec, EVENING)
    person.meet(request(), NOON)
    (due,) = [due for _, due in person.ledger.timers()]
    assert due == EIGHT + 24 * HOUR_MS
    # Counted from when it may go out, so it is in time.
    assert told(*person.on_timer(due)) == {"push": "sent"}


def test_quiet_hours_now_are_over_by_the_best_hour() -> None:
    person = Person(SPEC, replace(EVENING, quiet_hours=((127, 11 * 60, 13 * 60),)))
    person.meet(request(), NOON)
    assert person.on_timer(NOON + 2 * HOUR_MS) == []
    assert told(*person.on_timer(EIGHT)) == {"push": "sent"}


def test_an_explanation_names_the_hour() -> None:
    member = Membership(True, "data.who")
    found = explain(request(), SPEC, member, UserState(profile=EVENING), NOON)
    assert "best hour" in {each.rule for each in found.asked}
    (waits,) = found.waits
    assert (waits.until, waits.detail) == (EIGHT, "best hour from 20:00 UTC")


def test_a_hint_replaces_the_last_and_the_same_changes_nothing() -> None:
    found = EVERYWHERE.with_hint(Hint(user="ann", best_hour=7))
    assert found.best_hour == 7
    assert found.with_hint(Hint(user="ann", best_hour=7)) is found
    assert found.with_hint(Hint(user="ann", best_hour=0)).best_hour == 0


@pytest.mark.parametrize(
    ("at", "begin"),
    [
        # Eight in Berlin is six by UTC in summer and seven in winter.
        (datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 7, tzinfo=UTC)),
        (datetime(2026, 10, 24, 5, tzinfo=UTC), datetime(2026, 10, 24, 6, tzinfo=UTC)),
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 6, tzinfo=UTC)),
        (
            datetime(2026, 12, 1, 7, 59, 59, tzinfo=UTC),
            datetime(2026, 12, 1, 7, 59, 59, tzinfo=UTC),
        ),
        (datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 12, 2, 7, tzinfo=UTC)),
    ],
)
def test_an_hour_of_the_users_own_clock_stays_when_clocks_change(
    at: datetime, begin: datetime
) -> None:
    found = next_local_begin(8, "Europe/Berlin", round(at.timestamp() * 1000))
    assert datetime.fromtimestamp(found / 1000, UTC) == begin


def test_a_hint_by_the_users_own_clock_counts_before_that_by_utc() -> None:
    known = EVERYWHERE.with_hint(Hint(user="ann", best_hour=7, local_hour=8))
    assert (known.best_hour, known.local_hour) == (7, 8)
    assert known.with_hint(Hint(user="ann", best_hour=7, local_hour=8)) is known
    assert known.with_hint(Hint(user="ann", best_hour=7)).local_hour is None
