"""What waits, falls back, escalates and is taken up again: the decision over time."""

import pytest
from msgspec.structs import replace

from policy.decision.deferral import cancel, hear
from policy.notification_type import unknown_type
from policy.user.ledger import MOST_HEARD, MOST_WAITING, Held, Ledger, Waiting
from policy.user.profile import Profile
from schemas.errors import BadRecord
from schemas.request import Origin, Request
from schemas.vocabulary import Channel, Stage
from tests.policy.person import MINUTE, NIGHT, ONE, Person, at, kind, told
from tests.policy.samples import EVERYWHERE, HOUR, NOON, request, variant


def test_quiet_hours_put_off_what_makes_a_sound_until_their_end() -> None:
    ann = Person(kind("", "push inapp"), Profile(("phone",), quiet_hours=NIGHT))
    assert told(ann.meet(at(0), NOON)) == {"push": "held quiet_hours", "inapp": "sent"}
    assert [waiting.due_at for waiting in ann.ledger.waiting.values()] == [ONE]
    assert ann.on_timer(ONE - 1) == []
    assert told(*ann.on_timer(ONE)) == {"push": "sent"}
    assert not ann.ledger.waiting
    assert not ann.held


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"channels": {Channel.PUSH: False}}, "suppressed opted_out"),
        ({"mutes": {"things/k": 0}}, "suppressed muted"),
        ({"devices": ()}, "suppressed no_address"),
        ({"suppressed": ("phone",)}, "suppressed suppressed_address"),
        ({"quiet_hours": ((127, 660, 840),)}, "held quiet_hours"),
        ({}, "sent"),
    ],
)
def test_every_rule_is_asked_again_at_the_end_of_quiet_hours(
    change: dict[str, object], reason: str
) -> None:
    ann = Person(kind(""), Profile(("phone",), quiet_hours=NIGHT))
    ann.meet(at(0), NOON)
    ann.profile = Profile(**{"devices": ("phone",), **change})  # type: ignore[arg-type]
    assert told(*ann.on_timer(ONE)) == {"push": reason}


def test_what_would_be_too_old_after_quiet_hours_is_dropped() -> None:
    short = replace(kind(""), time_to_live=HOUR)
    ann = Person(short, Profile(("phone",), quiet_hours=NIGHT))
    assert told(ann.meet(at(0), NOON)) == {"push": "suppressed quiet_hours"}
    assert told(ann.meet(at(1, "e2"), NOON + MINUTE)) == {"push": "held quiet_hours"}


def test_quiet_hours_may_drop_or_be_ignored() -> None:
    asleep = Profile(("phone",), quiet_hours=NIGHT)
    dropped = Person(kind('quiet_hours = "drop"'), asleep)
    assert told(dropped.meet(at(0), NOON)) == {"push": "suppressed quiet_hours"}
    loud = Person(kind('quiet_hours = "ignore"'), asleep)
    assert told(loud.meet(at(0), NOON)) == {"push": "sent"}


def test_what_is_released_in_the_morning_respects_the_limits() -> None:
    spec = kind("rate_limit = { count = 2, seconds = 3600 }")
    ann = Person(spec, Profile(("phone",), quiet_hours=NIGHT))
    for number in range(5):
        ann.meet(at(number, f"e{number}"), NOON + number * MINUTE)
    outcomes = [told(decision)["push"] for decision in ann.on_timer(ONE)]
    assert sorted(outcomes) == ["held rate_limited"] * 3 + ["sent"] * 2


def test_a_fall_back_goes_only_where_the_other_can_not() -> None:
    spec = kind('fallback = { sms = ["push"] }', "push sms")
    wants_sms = {Channel.SMS: True}
    reached = Person(spec, Profile(("phone",), phone="+49151", channels=wants_sms))
    assert told(reached.meet(at(0), NOON)) == {"push": "sent", "sms": "suppressed fall_back"}
    without = Person(spec, Profile((), phone="+49151", channels=wants_sms))
    assert told(without.meet(at(0), NOON)) == {"push": "suppressed no_address", "sms": "sent"}
    asleep = Profile(("phone",), phone="+49151", channels=wants_sms, quiet_hours=NIGHT)
    later = Person(spec, asleep)
    assert told(later.meet(at(0), NOON))["sms"] == "held fall_back"


ESCALATING = kind(
    """escalation = [{ after = "5m", channels = ["push"] },
                     { after = "1h", channels = ["email"], unless = "opened" }]""",
    "inapp",
)


def test_an_escalation_goes_on_until_it_is_seen() -> None:
    ann = Person(ESCALATING)
    first = ann.meet(at(0), NOON)
    assert told(first) == {"inapp": "sent", "push": "held escalation"}
    assert ann.on_timer(NOON + 5 * MINUTE - 1) == []
    assert told(*ann.on_timer(NOON + 5 * MINUTE)) == {"push": "sent", "email": "held escalation"}
    assert told(*ann.on_timer(NOON + 65 * MINUTE)) == {"email": "sent"}
    assert not ann.ledger.waiting
    assert {d.notification_id for d in first.deliveries} == {first.notification_id}


@pytest.mark.parametrize(
    ("minute", "stage", "left"),
    [
        (1, Stage.SEEN, {"push": "suppressed engaged"}),
        (1, Stage.CLICKED, {"push": "suppressed engaged"}),
        (6, Stage.SEEN, {"push": "sent", "email": "sent"}),
        (6, Stage.OPENED, {"push": "sent", "email": "suppressed engaged"}),
    ],
)
def test_what_the_user_does_ends_an_escalation(
    minute: int, stage: Stage, left: dict[str, str]
) -> None:
    ann = Person(ESCALATING)
    name = ann.meet(at(0), NOON).notification_id
    decisions = ann.on_timer(NOON + minute * MINUTE)
    decisions.append(ann.take(hear(name, stage, ann.ledger, _waiting(ann, name), ann.type_of)))
    decisions += ann.on_timer(NOON + 5 * MINUTE) + ann.on_timer(NOON + 65 * MINUTE)
    outcomes = told(*decisions)
    assert {channel: outcomes[channel] for channel in left} == left
    assert not ann.ledger.waiting


def test_feedback_that_comes_before_the_decision_counts() -> None:
    ann = Person(ESCALATING)
    name = Person(ESCALATING).meet(at(0), NOON).notification_id
    ann.take(hear(name, Stage.OPENED, ann.ledger, {}, ann.type_of))
    ann.meet(at(0), NOON)
    assert told(*ann.on_timer(NOON + 5 * MINUTE)) == {"push": "suppressed engaged"}


def test_feedback_on_what_is_done_with_does_not_displace_that_on_what_waits() -> None:
    late, silent = kind("", "push inapp"), kind("", "inapp")
    ann = Person(late, Profile(("phone",), quiet_hours=NIGHT))
    name = ann.meet(at(0), NOON).notification_id
    ann.take(hear(name, Stage.SEEN, ann.ledger, _waiting(ann, name), ann.type_of))
    ann.spec = silent
    for number in range(1, MOST_HEARD + 1):
        # Their marks are under the key, so that nothing tells that they were decided.
        asked = request(
            event_id=f"other {number}",
            key=f"key {number}",
            origin=Origin("events", 1, number),
            data={"text": "t", "key": "k"},
        )
        other = ann.meet(asked, NOON).notification_id
        ann.take(hear(other, Stage.SEEN, ann.ledger, {}, ann.type_of))
    assert len(ann.ledger.heard) <= MOST_HEARD
    ann.spec = late
    assert told(*ann.on_timer(ONE)) == {"push": "suppressed engaged"}


def test_a_step_that_reaches_nobody_does_not_keep_the_next_waiting() -> None:
    ann = Person(ESCALATING, Profile(("phone",), channels={Channel.INAPP: False}))
    assert told(ann.meet(at(0), NOON)) == {
        "inapp": "suppressed opted_out",
        "push": "sent",
        "email": "held escalation",
    }


def test_a_step_that_waits_for_the_morning_delays_the_next() -> None:
    profile = Profile(("phone",), email="ann@example.com", quiet_hours=NIGHT)
    ann = Person(ESCALATING, profile)
    ann.meet(at(0), NOON)
    assert told(*ann.on_timer(NOON + 5 * MINUTE)) == {"push": "held quiet_hours"}
    assert told(*ann.on_timer(ONE)) == {"push": "sent", "email": "held escalation"}
    assert [waiting.due_at for waiting in ann.ledger.waiting.values()] == [ONE + HOUR]


@pytest.mark.parametrize(
    ("minute", "stage", "outcome"),
    [
        (1, Stage.SEEN, "sent"),
        (35, Stage.SEEN, "sent"),
        (1, Stage.OPENED, "suppressed engaged"),
        (35, Stage.OPENED, "suppressed engaged"),
    ],
)
def test_a_step_that_waits_for_the_morning_is_stopped_by_no_less_than_before(
    minute: int, stage: Stage, outcome: str
) -> None:
    spec = kind('escalation = [{ after = "30m", channels = ["push"], unless = "opened" }]', "inapp")
    ann = Person(spec, Profile(("phone",), quiet_hours=NIGHT))
    name = ann.meet(at(0), NOON).notification_id
    decisions = ann.on_timer(NOON + minute * MINUTE)
    decisions.append(ann.take(hear(name, stage, ann.ledger, _waiting(ann, name), ann.type_of)))
    decisions += ann.on_timer(NOON + 40 * MINUTE) + ann.on_timer(ONE)
    assert told(*decisions)["push"] == outcome
    assert not ann.ledger.waiting


def test_a_channel_that_the_catalogue_took_from_the_step_is_suppressed_with_a_reason() -> None:
    ann = Person(kind("", "push email"), replace(EVERYWHERE, quiet_hours=NIGHT))
    ann.meet(at(0), NOON)
    ann.spec = kind("", "email")
    outcomes = told(*ann.on_timer(ONE))
    assert outcomes == {"push": "suppressed unknown_type", "email": "sent"}


def test_a_delayed_type_and_a_scheduled_event_wait_and_live_from_then_on() -> None:
    ann = Person(kind('delay = "30m"'))
    assert told(ann.meet(at(0), NOON)) == {"push": "held scheduled"}
    assert ann.on_timer(NOON + 30 * MINUTE - 1) == []
    (decision,) = ann.on_timer(NOON + 30 * MINUTE)
    assert decision.deliveries[0].expires_at == NOON + 30 * MINUTE + 24 * HOUR


def test_only_a_delay_makes_an_event_wait_that_is_ahead_of_our_clock() -> None:
    ann = Person(kind(""))
    assert told(ann.meet(at(1), NOON)) == {"push": "sent"}


def test_a_variable_is_missed_when_it_is_put_off_and_not_in_the_night() -> None:
    ann = Person(kind('delay = "30m"'))
    with pytest.raises(BadRecord, match="'text' is missing"):
        ann.meet(request(data={"key": "k"}), NOON)
    assert ann.ledger == Ledger()


def test_a_cancelled_row_is_told_and_forgotten() -> None:
    ann = Person(kind('delay = "30m"'))
    name = ann.meet(at(0), NOON).notification_id
    (row,) = ann.held
    decision = ann.take(cancel(row, ann.held[row], ann.ledger, name))
    assert told(decision) == {"push": "suppressed cancelled"}
    assert ann.on_timer(NOON + HOUR) == []
    assert not ann.held


def test_too_much_that_waits_is_refused_with_a_reason() -> None:
    full = {f"{number:032x}.0": Waiting(NOON + HOUR) for number in range(MOST_WAITING)}
    ann = Person(kind('delay = "30m"'), ledger=Ledger(waiting=full))
    assert told(ann.meet(at(0), NOON)) == {"push": "suppressed too_many_held"}


def test_what_the_catalogue_has_no_more_is_suppressed() -> None:
    ann = Person(kind('delay = "30m"'))
    ann.meet(at(0), NOON)
    ann.spec = unknown_type("thing")
    assert told(*ann.on_timer(NOON + HOUR)) == {"push": "suppressed unknown_type"}


def test_expired_while_it_waited_for_us() -> None:
    ann = Person(kind(""), Profile(("phone",), quiet_hours=NIGHT))
    ann.meet(at(0), NOON)
    assert told(*ann.on_timer(NOON + 24 * HOUR)) == {"push": "suppressed expired"}


def test_a_user_with_a_hundred_devices() -> None:
    ann = Person(kind(""), Profile(tuple(f"device-{n}" for n in range(100))))
    decision = ann.meet(at(0), NOON)
    assert len({delivery.delivery_id for delivery in decision.deliveries}) == 100


def test_the_same_id_with_another_body_is_a_conflict() -> None:
    ann = Person(kind(""))
    first = at(0)
    ann.meet(_with_body(first, "0" * 16, 1), NOON)
    assert told(ann.meet(_with_body(first, "0" * 16, 2), NOON)) == {"all": "suppressed duplicate"}
    assert told(ann.meet(_with_body(first, "1" * 16, 3), NOON)) == {"all": "suppressed conflict"}


def _with_body(asked: Request, body: str, offset: int) -> Request:
    return request(
        at=NOON, data=asked.event.data, origin=Origin("events", 0, offset, body), event_id="e1"
    )


def _waiting(person: Person, name: str) -> dict[str, Held]:
    return {row[0]: held for row, held in person.held.items() if row[0].startswith(f"{name}.")}


def test_what_can_not_be_rendered_any_more_is_suppressed_with_the_reason() -> None:
    """The catalogue may be another by the time that it is due."""
    ann = Person(kind('delay = "30m"'))
    ann.meet(at(0), NOON)
    ann.spec = variant(("{{ data.text }}", "{{ data.missing }}"))
    (decision,) = ann.on_timer(NOON + HOUR)
    assert told(decision) == {"push": "suppressed render_failed"}
    assert "'missing' is missing" in decision.outcomes[0].detail
    assert not decision.deliveries
    assert not ann.ledger.waiting


def test_a_channel_that_is_gathered_and_one_that_waits_are_both_kept() -> None:
    gathered = 'digests = [{ channels = ["push"], key = "key", every = "1h" }]'
    ann = Person(kind(gathered, "push email"), replace(EVERYWHERE, quiet_hours=NIGHT))
    assert told(ann.meet(at(0), NOON)) == {"push": "held digest", "email": "held quiet_hours"}
    kept = sorted(channel for held in ann.held.values() for channel in held.channels)
    assert kept == ["email", "push"]


@pytest.mark.parametrize("priority", ["critical", "high", "normal", "low"])
def test_a_message_has_the_priority_of_its_type(priority: str) -> None:
    decision = Person(kind("", priority=priority)).meet(at(0), NOON)
    assert {delivery.priority for delivery in decision.deliveries} == {priority}
