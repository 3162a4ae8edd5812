"""What is repeated until somebody acknowledges it, and who is told next."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.audience.audience import addressed_to, told_after
from policy.catalogue.catalogue import parse
from policy.decision.context import Standing, explanations
from policy.decision.decide import decide
from policy.decision.deferral import hear
from policy.user.profile import Profile
from policy.user.state import UserState
from schemas.event import Notify
from schemas.request import Request
from schemas.vocabulary import Channel, Stage
from tests.policy.person import MINUTE, Person
from tests.policy.samples import EVERYWHERE, NOON, TYPE, happened, request

CATALOGUE = parse(
    {
        "thing.toml": TYPE.replace('"normal"', '"critical"').replace(
            "time_to_live = 86400",
            """time_to_live = 86400
until = { event = "thing.over", match = "id" }
repeat = { every = "5m", times = 3, then = ["next", "last.of_all"] }""",
        )
    }
)
SPEC = CATALOGUE.types["thing"]


def test_the_next_ones_are_told_after_all_repeats_and_one_interval_more() -> None:
    data = {"who": ["ann", "bea"], "next": ["bea", "cy"], "last": {"of_all": "dee"}}
    event = happened("thing.happened", data=data)
    assert told_after(event, SPEC) == {
        "ann": 0, "bea": 0, "cy": 20 * MINUTE, "dee": 40 * MINUTE,
    }  # fmt: skip
    assert told_after(replace(event, data={"who": "ann"}), SPEC) == {"ann": 0}
    named = replace(event, notify=Notify(type="thing", users=("eve",)))
    assert told_after(named, SPEC) == {"eve": 0}


def test_nobody_reads_of_the_others_that_an_event_lists() -> None:
    data = {"who": ["ann", "bea"], "next": ["cy", "dee"], "last": {"of_all": "eve"}}
    event = happened("thing.happened", data=data)
    last = {"of_all": "eve"}
    assert addressed_to("ann", event, SPEC).data == {"who": ["ann"], "next": [], "last": last}
    assert addressed_to("cy", event, SPEC).data == {"who": [], "next": ["cy"], "last": last}
    assert event.data == data


@pytest.mark.parametrize(
    ("decided", "due"),
    [
        (0, 20),
        (1, 20),  # workers are a little behind
        (2, 22),
        (60, 80),  # nobody decided for an hour
    ],
)
def test_who_is_told_next_has_the_others_told_before_them_after_an_outage(
    decided: int, due: int
) -> None:
    cy = Person(SPEC, Profile(("phone",)))
    late = replace(request(), after=20 * MINUTE)
    assert not cy.meet(late, NOON + decided * MINUTE).deliveries
    assert [waiting.due_at for waiting in cy.ledger.waiting.values()] == [NOON + due * MINUTE]


@given(st.integers(0, 3))
def test_each_repeat_is_another_message_of_the_same_notification(seen: int) -> None:
    """Seen after that many repeats, it is not repeated again."""
    ann = Person(SPEC, Profile(("phone",)))
    messages = list(ann.meet(request(), NOON).deliveries)
    name = messages[0].notification_id
    for number in range(4):
        if number == seen:
            held = {row[0]: each for row, each in ann.held.items()}
            ann.take(hear(name, Stage.SEEN, ann.ledger, held, ann.type_of))
        for decision in ann.on_timer(NOON + (number + 1) * 5 * MINUTE):
            messages += decision.deliveries
    pushes = [each for each in messages if each.channel is Channel.PUSH]
    assert len(pushes) == 1 + seen
    assert len({each.delivery_id for each in messages}) == len(messages)
    assert {each.notification_id for each in messages} == {name}
    assert not ann.held


def test_it_ends_by_itself() -> None:
    ann = Person(SPEC, Profile(("phone",)))
    ann.meet(request(), NOON)
    for number in range(1, 10):
        ann.on_timer(NOON + number * 5 * MINUTE)
    assert not ann.ledger.waiting
    assert not ann.held


def test_whoever_is_next_waits_and_has_as_long_as_all_others() -> None:
    asked = replace(request(), after=20 * MINUTE)
    decision = decide(asked, SPEC, UserState(EVERYWHERE), NOON)
    assert not decision.deliveries
    assert [each.due_at for each in decision.ledger.waiting.values()] == [NOON + 20 * MINUTE]
    late = NOON + 86_400_000 + 19 * MINUTE
    assert decide(asked, SPEC, UserState(EVERYWHERE), late).deliveries


def test_an_explanation_says_by_which_field_one_is_named_and_after_how_long() -> None:
    data = {"who": "ann", "next": ["bea"], "text": "x"}
    event = happened("thing.happened", data=data)
    at = round(event.occurred_at.timestamp() * 1000)
    (found,) = explanations(event, "bea", at, CATALOGUE, Standing(EVERYWHERE), 1000)
    assert found.membership.why == "data.next names bea"
    assert found.asked[0].looked_at.endswith("; others are told 20m before")
    assert {each.until for each in found.waits} == {at + 20 * MINUTE}
    (found,) = explanations(event, "cy", at, CATALOGUE, Standing(EVERYWHERE), 1000)
    assert found.membership.why == "data.who names ann, bea, not cy"


def test_a_request_of_before_is_for_at_once() -> None:
    written = msgspec.json.encode(request())
    assert b"after" not in written
    assert msgspec.json.decode(written, type=Request).after == 0
