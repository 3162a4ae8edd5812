"""Digests: by key and window, whatever the order, one each."""

from collections.abc import Sequence
from hashlib import blake2b
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.decision.decision import Decision
from policy.decision.deferral import cancel
from policy.dedupe import NO_MARKS
from policy.digest.windows import HOURLY
from policy.user.ledger import MOST_CLOSED, MOST_GATHERED, MOST_WAITING, Gathering, Ledger
from policy.user.profile import Profile
from schemas.errors import BadRecord
from schemas.vocabulary import Channel, Frequency, Stage
from tests.policy.person import MINUTE, NIGHT, ONE, Person, at, kind, told
from tests.policy.samples import HOUR, NOON, request

LATE = 5000
FIXED = kind('digests = [{ channels = ["push"], key = "key", every = "10m" }]')
PHONE = Profile(("phone",))
TEN = NOON + 10 * MINUTE + LATE


def bodies(decisions: Sequence[Decision]) -> list[str]:
    """What people read."""
    return [delivery.content.body for decision in decisions for delivery in decision.deliveries]


def members(decisions: Sequence[Decision]) -> list[set[str]]:
    """The events in each digest that went out."""
    return [
        {n.request.event.id for n in d.notices if n.outcome.stage is Stage.DIGESTED}
        for d in decisions
        if d.deliveries
    ]


def test_events_of_one_window_and_key_go_out_together_and_once() -> None:
    ann = Person(FIXED, PHONE)
    for name, minute in (("e1", 0), ("e2", 3), ("e3", 9.99)):
        assert told(ann.meet(at(minute, name), NOON + 1)) == {"push": "held digest"}
    assert ann.on_timer(TEN - 1) == []
    decisions = ann.on_timer(TEN)
    assert members(decisions) == [{"e1", "e2", "e3"}]
    assert len(bodies(decisions)) == 1
    assert not ann.held
    assert ann.on_timer(NOON + 24 * HOUR) == []


def test_each_key_and_each_channel_has_a_digest_of_its_own() -> None:
    spec = kind(
        """digests = [{ channels = ["push"], key = "key", every = "10m" },
                      { channels = ["email"], every = "20m" }]""",
        "push email",
    )
    ann = Person(spec)
    ann.meet(at(0, "e1", key="a"), NOON)
    ann.meet(at(1, "e2", key="b"), NOON)
    ann.meet(at(12, "e3", key="a"), NOON)
    assert members(ann.on_timer(TEN)) == [{"e1"}]
    assert members(ann.on_timer(TEN + MINUTE)) == [{"e2"}]
    assert members(ann.on_timer(NOON + 20 * MINUTE + LATE)) == [{"e1", "e2", "e3"}]


def test_what_comes_after_the_end_is_in_the_next_window() -> None:
    ann = Person(FIXED, PHONE)
    ann.meet(at(0, "e1"), NOON)
    ann.meet(at(10, "e2"), NOON + 10 * MINUTE)  # still open, for what is late
    assert members(ann.on_timer(TEN)) == [{"e1"}]
    ann.meet(at(5, "e3"), NOON + 11 * MINUTE)  # too late for the one that is closed
    assert members(ann.on_timer(TEN + 10 * MINUTE)) == [{"e2", "e3"}]


def test_a_session_ends_when_nothing_came_for_a_while_or_at_the_latest() -> None:
    ann = Person(kind('digests = [{ channels = ["push"], pause = "2m", longest = "5m" }]'), PHONE)
    decisions: list[Decision] = []
    for number in range(8):
        decisions += ann.on_timer(NOON + number * MINUTE)
        ann.meet(at(number, f"e{number}"), NOON + number * MINUTE)
    assert members(decisions) == [{"e0", "e1", "e2", "e3", "e4"}]
    assert members(ann.on_timer(NOON + 9 * MINUTE + LATE - 1)) == []
    assert members(ann.on_timer(NOON + 9 * MINUTE + LATE)) == [{"e5", "e6", "e7"}]


def test_a_digest_by_the_clock_comes_in_the_users_zone() -> None:
    spec = kind('digests = [{ channels = ["push"], at = ["08:00"] }]')
    ann = Person(spec, replace(PHONE, zone="Asia/Tokyo"))  # 21:00 there
    ann.meet(at(0, "e1"), NOON)
    assert ann.on_timer(NOON + 11 * HOUR + LATE - 1) == []
    assert members(ann.on_timer(NOON + 11 * HOUR + LATE)) == [{"e1"}]


@pytest.mark.parametrize(
    ("frequency", "due"), [(Frequency.HOURLY, HOUR), (Frequency.DAILY, 21 * HOUR)]
)
@pytest.mark.parametrize("category", ["things", "*"])
def test_a_user_may_want_it_gathered(frequency: Frequency, due: int, category: str) -> None:
    ann = Person(kind("", "push inapp"), replace(PHONE, frequency={category: frequency}))
    assert told(ann.meet(at(0, "e1"), NOON)) == {"push": "held digest", "inapp": "sent"}
    assert ann.on_timer(NOON + due + LATE - 1) == []
    assert members(ann.on_timer(NOON + due + LATE)) == [{"e1"}]


def test_receipts_and_what_is_critical_are_never_gathered() -> None:
    daily = replace(PHONE, frequency={"*": Frequency.DAILY})
    for spec in (kind("transactional = true"), kind("", priority="critical")):
        assert told(Person(spec, daily).meet(at(0), NOON)) == {"push": "sent"}


def test_a_digest_waits_for_the_morning_and_takes_along_what_comes_until_then() -> None:
    ann = Person(FIXED, replace(PHONE, quiet_hours=NIGHT))
    ann.meet(at(0, "e1"), NOON)
    assert bodies(ann.on_timer(TEN)) == []
    ann.meet(at(30, "e2"), NOON + 30 * MINUTE)
    assert ann.on_timer(ONE - 1) == []
    assert members(ann.on_timer(ONE)) == [{"e1", "e2"}]


def test_an_opt_out_that_is_stored_before_the_end_counts() -> None:
    ann = Person(FIXED, PHONE)
    ann.meet(at(0, "e1"), NOON)
    ann.profile = replace(PHONE, channels={Channel.PUSH: False})
    assert told(*ann.on_timer(TEN)) == {"push": "suppressed opted_out"}


def test_what_was_muted_meanwhile_is_left_out() -> None:
    spec = kind('digests = [{ channels = ["push"], every = "10m" }]')
    ann = Person(spec, PHONE)
    ann.meet(at(0, "e1", key="a"), NOON)
    ann.meet(at(1, "e2", key="b"), NOON)
    ann.profile = replace(PHONE, mutes={"things/a": 0})
    assert members(ann.on_timer(TEN)) == [{"e2"}]


def test_what_is_over_a_limit_folds_into_a_digest_for_when_there_is_room() -> None:
    ann = Person(kind('rate_limit = { count = 2, seconds = 600, over = "digest" }'), PHONE)
    said = [told(ann.meet(at(number, f"e{number}"), NOON + number * MINUTE)) for number in range(4)]
    assert said == [{"push": "sent"}] * 2 + [{"push": "held rate_limited"}] * 2
    assert [held.request.event.id for held in ann.held.values()] == ["e2", "e3"]
    assert ann.on_timer(TEN - 1) == []
    assert members(ann.on_timer(TEN)) == [{"e2", "e3"}]


def test_a_digest_that_is_over_a_limit_waits_until_there_is_room() -> None:
    gathered = 'digests = [{ channels = ["push"], key = "key", every = "1m" }]\n'
    for over in ("digest", "drop"):
        limit = f'rate_limit = {{ count = 1, seconds = 3600, over = "{over}" }}'
        ann = Person(kind(gathered + limit), PHONE)
        ann.meet(at(0, "e1", key="a"), NOON)
        ann.meet(at(0.5, "e2", key="b"), NOON)
        assert members(ann.on_timer(NOON + MINUTE + LATE)) == [{"e1"}]
        second = ann.on_timer(NOON + 2 * MINUTE)
        assert told(*second) == {}
        assert members(ann.on_timer(NOON + 2 * HOUR)) == [{"e2"}]


def test_a_cancelled_event_is_not_in_its_digest() -> None:
    ann = Person(FIXED, PHONE)
    ann.meet(at(0, "e1"), NOON)
    ann.meet(at(1, "e2"), NOON)
    row = min(ann.held)
    ann.take(cancel(row, ann.held[row], ann.ledger, "n"))
    decisions = ann.on_timer(TEN)
    decisions += ann.on_timer(TEN + MINUTE)  # the window that the other one opens
    assert members(decisions) == [{"e2"}]


def test_a_digest_that_was_cancelled_altogether_is_not_sent() -> None:
    ann = Person(FIXED, PHONE)
    ann.meet(at(0, "e1"), NOON)
    (row,) = ann.held
    ann.take(cancel(row, ann.held[row], ann.ledger, "n"))
    assert bodies(ann.on_timer(TEN)) == []
    assert list(ann.ledger.timers()) == []


def test_more_than_is_kept_is_refused_with_a_reason() -> None:
    ann = Person(FIXED, PHONE)
    for number in range(MOST_GATHERED):
        ann.meet(at(number / 1000, f"e{number}"), NOON)
    assert told(ann.meet(at(1, f"e{MOST_GATHERED}"), NOON)) == {"push": "suppressed too_many_held"}
    assert len(members(ann.on_timer(TEN))[0]) == MOST_GATHERED


def test_a_digest_holds_so_many_bytes_and_no_more() -> None:
    """Fourteen of 300 kB would be more than 4 MiB; one that is cancelled makes room again."""
    ann = Person(FIXED, PHONE)
    large = {"text": "hello", "key": "k", "more": "x" * 300_000}

    def meet(name: str) -> dict[str, str]:
        return told(ann.meet(request(at=NOON, event_id=name, data=large), NOON))

    assert {meet(f"e{number}")["push"] for number in range(13)} == {"held digest"}
    assert meet("e13") == {"push": "suppressed too_many_held"}
    row, held = next(iter(ann.held.items()))
    ann.take(cancel(row, held, ann.ledger, "n"))
    assert meet("e14") == {"push": "held digest"}
    assert meet("e15") == {"push": "suppressed too_many_held"}
    assert len(members(ann.on_timer(TEN))[0]) == 13
    assert meet("e16") == {"push": "held digest"}


def test_an_event_that_lacks_a_variable_is_refused_when_it_is_gathered() -> None:
    ann = Person(FIXED, PHONE)
    with pytest.raises(BadRecord, match="'text' is missing"):
        ann.meet(request(data={"key": "k"}), NOON)


def windows(times: list[int], length: int) -> list[set[str]]:
    """The windows that events at these times fall into, one after the other."""
    left, found = sorted((time, f"e{number}") for number, time in enumerate(times)), []
    while left:
        end = left[0][0] + length
        found.append({name for time, name in left if time < end})
        left = [event for event in left if event[0] >= end]
    return found


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 50 * MINUTE), min_size=1, max_size=30, unique=True),
    st.randoms(use_true_random=False),
)
def test_any_order_within_the_lateness_makes_the_same_digests(
    times: list[int], random: Random
) -> None:
    ann = Person(FIXED, PHONE)
    arrivals = [(time + random.randrange(LATE), time, n) for n, time in enumerate(times)]
    decisions: list[Decision] = []
    for arrival, time, number in sorted(arrivals):
        decisions += ann.on_timer(NOON + arrival)
        ann.meet(at(time / MINUTE, f"e{number}"), NOON + arrival)
        if random.random() < 0.3:
            assert ann.meet(at(time / MINUTE, f"e{number}"), NOON + arrival).replay
    for minute in range(52, 120):
        decisions += ann.on_timer(NOON + minute * MINUTE)
    assert members(decisions) == windows(times, 10 * MINUTE)
    assert len({d.notification_id for d in decisions if d.deliveries}) == len(members(decisions))


def test_an_event_repeated_when_its_mark_is_gone_makes_a_digest_of_another_name() -> None:
    ann = Person(FIXED, PHONE)
    ann.meet(at(0, "e1"), NOON)
    (first,) = [d for d in ann.on_timer(TEN) if d.deliveries]
    ann.ledger = replace(ann.ledger, marks=NO_MARKS)
    ann.meet(at(0, "e1"), NOON + HOUR)
    ann.meet(at(11, "e2"), NOON + HOUR)
    (second,) = [d for d in ann.on_timer(NOON + 2 * HOUR) if d.deliveries]
    assert members([second]) == [{"e1", "e2"}]
    assert second.deliveries[0].delivery_id != first.deliveries[0].delivery_id


def test_a_digest_that_waited_and_was_cancelled_does_not_cut_the_next_session_short() -> None:
    spec = kind('digests = [{ channels = ["push"], pause = "10m" }]')
    ann = Person(spec, replace(PHONE, quiet_hours=NIGHT))
    name = ann.meet(at(0, "e1"), NOON).notification_id
    assert told(*ann.on_timer(TEN)) == {}
    (row,) = ann.held
    ann.take(cancel(row, ann.held[row], ann.ledger, name))
    ann.on_timer(ONE)
    ann.meet(at(61, "e2"), NOON + 61 * MINUTE)
    ann.meet(at(70, "e3"), NOON + 70 * MINUTE)
    assert members(ann.on_timer(NOON + 71 * MINUTE + LATE)) == []
    assert members(ann.on_timer(NOON + 80 * MINUTE + LATE)) == [{"e2", "e3"}]


def gatherings(number: int, due_at: int = 0) -> dict[str, Gathering]:
    """So many, each closed at another moment of the last hour."""
    one = Gathering("thing", Channel.PUSH, HOURLY, due_at)
    return {f"{n:032x}": replace(one, closed_until=NOON - n) for n in range(number)}


def test_digests_that_are_closed_leave_room_for_what_waits() -> None:
    ann = Person(FIXED, PHONE, ledger=Ledger(gathering=gatherings(MOST_WAITING)))
    assert told(ann.meet(at(0, "e1"), NOON)) == {"push": "held digest"}
    assert members(ann.on_timer(TEN)) == [{"e1"}]
    delayed = Person(kind('delay = "30m"'), PHONE, ledger=ann.ledger)
    assert told(delayed.meet(at(0, "e2"), NOON)) == {"push": "held scheduled"}


def test_of_digests_that_are_closed_the_last_are_remembered() -> None:
    ann = Person(FIXED, PHONE, ledger=Ledger(gathering=gatherings(2 * MOST_CLOSED)))
    ann.meet(at(0, "e1"), NOON)
    closed = [each for each in ann.ledger.gathering.values() if not each.due_at]
    assert len(closed) < MOST_CLOSED
    assert min(each.closed_until for each in closed) > NOON - MOST_CLOSED


def test_a_digest_that_opens_again_needs_room_as_any_other() -> None:
    ann = Person(FIXED, PHONE)
    ann.meet(at(0, "e1"), NOON)
    ann.on_timer(TEN)
    waiting = gatherings(MOST_WAITING, due_at=NOON + 24 * HOUR)
    ann.ledger = replace(ann.ledger, gathering=ann.ledger.gathering | waiting)
    assert told(ann.meet(at(20, "e2"), NOON + 20 * MINUTE)) == {"push": "suppressed too_many_held"}


TWENTY = kind('digests = [{ channels = ["push"], key = "key", every = "20m" }]')


def test_a_window_that_is_open_stays_as_it_was_opened_and_the_next_is_the_types() -> None:
    ann = Person(FIXED, PHONE)
    ann.meet(at(5, "e1"), NOON + 5 * MINUTE)
    ann.spec = TWENTY
    # It happened before the first, and so opened the window.
    ann.meet(at(3, "e2"), NOON + 5 * MINUTE)
    assert ann.on_timer(NOON + 13 * MINUTE + LATE - 1) == []
    assert members(ann.on_timer(NOON + 13 * MINUTE + LATE)) == [{"e1", "e2"}]
    ann.meet(at(14, "e3"), NOON + 14 * MINUTE)
    ((_, gathering),) = ann.ledger.gathering.items()
    assert (gathering.window.length, gathering.first) == (20 * MINUTE, NOON + 14 * MINUTE)
    assert members(ann.on_timer(NOON + 34 * MINUTE + LATE - 1)) == []
    assert members(ann.on_timer(NOON + 34 * MINUTE + LATE)) == [{"e3"}]


def test_rows_are_in_the_order_of_the_events_and_ids_are_made_of_them() -> None:
    ann = Person(FIXED, PHONE)
    first = ann.meet(at(0, "e1"), NOON)
    ((name, place),) = ann.held
    happened = accepted = "001772366400000"
    assert place == f"{happened}{accepted}{1:019}{first.notification_id}"
    assert list(ann.ledger.gathering) == [name]
    (digest,) = [d for d in ann.on_timer(TEN) if d.deliveries]
    named = blake2b(f"g{happened}{first.notification_id}push".encode(), digest_size=16).hexdigest()
    assert digest.deliveries[0].notification_id == named


@pytest.mark.parametrize(("late", "is_in"), [(LATE - 1, True), (LATE, False)])
def test_a_window_is_open_for_its_lateness_to_the_millisecond(late: int, is_in: bool) -> None:
    ann = Person(FIXED, PHONE)
    ann.meet(at(0, "e1"), NOON)
    decisions = ann.on_timer(NOON + 10 * MINUTE + late)
    ann.meet(at(9, "e2"), NOON + 10 * MINUTE + late)
    decisions += ann.on_timer(TEN)
    assert members(decisions) == [{"e1", "e2"} if is_in else {"e1"}]


@pytest.mark.parametrize(("after", "is_in"), [(10 * MINUTE - 1, True), (10 * MINUTE, False)])
def test_a_window_ends_before_its_end_to_the_millisecond(after: int, is_in: bool) -> None:
    ann = Person(FIXED, PHONE)
    ann.meet(at(0, "e1"), NOON)
    ann.meet(at(after / MINUTE, "e2"), NOON + after)
    assert members(ann.on_timer(TEN)) == [{"e1", "e2"} if is_in else {"e1"}]


@pytest.mark.parametrize(("age", "kept"), [(86_400_000, False), (86_400_000 - 1, True), (0, True)])
def test_a_digest_is_remembered_as_closed_for_a_day(age: int, kept: bool) -> None:
    old = Gathering("thing", Channel.PUSH, HOURLY, closed_until=NOON - age)
    waits = replace(old, due_at=NOON + HOUR, closed_until=NOON - 2 * 86_400_000)
    ann = Person(FIXED, PHONE, ledger=Ledger(gathering={"old": old, "waits": waits}))
    ann.meet(at(0, "e1"), NOON)
    assert ("old" in ann.ledger.gathering) is kept
    assert "waits" in ann.ledger.gathering
