"""What ends a notification that still waits, by the data of both events."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.audience.membership import Membership
from policy.catalogue.catalogue import parse
from policy.decision.context import Standing, ending_keys, explanations
from policy.decision.decide import decide
from policy.decision.ending import Ending
from policy.decision.explanation import explain
from policy.user.ledger import Held
from policy.user.state import UserState
from schemas.errors import BadCatalogue
from schemas.event import Event, Notify
from schemas.vocabulary import Reason, Stage
from tests.policy.samples import EVERYWHERE, HOUR, NOON, TYPE, request, variant

ORDERED = Ending("order.placed", ("cart", "id"), ("who",))
UNTIL = 'time_to_live = 86400\nuntil = { event = "order.placed", match = "cart.id" }'
SPEC = variant(("time_to_live = 86400", UNTIL))
LATER = variant(("time_to_live = 86400", f'{UNTIL}\ndelay = "1h"'))


def with_cart(value: Any, kind: str = "thing.happened") -> Event:
    """An event with this value in its data."""
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    data = {"text": "x", "cart": {"id": value}}
    return Event(id="e", type=kind, actor="a", occurred_at=at, data=data)


def test_a_key_is_of_event_field_user_and_value() -> None:
    keys = [
        ORDERED.key(with_cart("c1"), "ann"),
        ORDERED.key(with_cart("c2"), "ann"),
        ORDERED.key(with_cart("c1"), "bea"),
        ORDERED.key(with_cart("c1"), ""),
        replace(ORDERED, event="order.paid").key(with_cart("c1"), "ann"),
        Ending("order.placed", ("text",)).key(with_cart("c1"), "ann"),
        # Where one part ends and the next begins is in it, too.
        ORDERED.key(with_cart("nc1"), "an"),
    ]
    assert None not in keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("value", [None, "", True, [], ["c1"], {"id": 1}])
def test_what_is_no_text_and_no_number_ends_nothing(value: Any) -> None:
    assert ORDERED.key(with_cart(value), "ann") is None


@given(st.integers(-(2**53), 2**53))
def test_a_number_is_the_same_however_it_is_written(number: int) -> None:
    ways = (number, float(number), str(number))
    assert len({ORDERED.key(with_cart(way), "ann") for way in ways}) == 1


@given(st.text(min_size=1), st.text(min_size=1))
def test_texts_are_the_same_only_where_all_of_them_is(one: str, other: str) -> None:
    keys = {ORDERED.key(with_cart(text), "ann") for text in (one, other)}
    assert len(keys) == len({one, other})


@given(st.integers(-3, 3), st.booleans())
def test_it_is_ended_by_what_happened_then_or_later(minutes: int, waits: bool) -> None:
    """Whichever was read first: what counts is when they happened."""
    spec = LATER if waits else SPEC
    state = UserState(EVERYWHERE, ended_at=NOON + minutes * 60_000)
    decision = decide(request(), spec, state, NOON)
    reasons = [each.reason for each in decision.outcomes if each.stage is Stage.SUPPRESSED]
    assert (Reason.CANCELLED in reasons) == (minutes >= 0)
    assert bool(decision.deliveries or decision.keep) == (minutes < 0)
    if minutes >= 0:
        assert decision.outcomes[0].detail == "ended by order.placed of the same cart.id"


def test_what_waits_knows_by_what_it_is_ended() -> None:
    asked = replace(request(), event=with_cart("c1"))
    ((_, held),) = decide(asked, LATER, UserState(EVERYWHERE), NOON).keep
    assert held.cancel_keys() == ORDERED.keys(asked)
    asked = replace(asked, event=replace(asked.event, cancel_key="c"))
    ((_, held),) = decide(asked, LATER, UserState(EVERYWHERE), NOON).keep
    assert held.cancel_keys() == ("c", *ORDERED.keys(asked))


def test_what_was_held_before_there_were_endings_has_none() -> None:
    held = Held(request(), 0, ())
    before = msgspec.msgpack.encode(msgspec.to_builtins(held)[:-1])
    assert msgspec.msgpack.decode(before, type=Held) == held
    assert held.cancel_keys() == ()


def test_an_explanation_says_what_would_end_it_and_whether_that_came() -> None:
    asked = replace(request(), event=with_cart("c1"))

    def shown(state: UserState, of: Event) -> tuple[str, str]:
        found = explain(replace(asked, event=of), SPEC, Membership(True, ""), state, NOON)
        ((looked_at, said),) = [
            (each.looked_at, each.said) for each in found.asked if each.rule == "cancellation"
        ]
        return looked_at, said

    came = UserState(EVERYWHERE, ended_at=NOON)
    assert shown(UserState(EVERYWHERE), asked.event) == (
        "no cancel key; no order.placed of the same cart.id came yet",
        "",
    )
    assert shown(came, asked.event) == (
        "no cancel key; order.placed of the same cart.id came at 2026-03-01T12:00:00Z",
        "not sent, cancelled: ended by order.placed of the same cart.id",
    )
    assert shown(UserState(EVERYWHERE), with_cart(None))[0] == (
        "no cancel key; without cart.id, no order.placed ends it"
    )


def test_an_explanation_looks_up_what_ends_each_type_for_this_user() -> None:
    other = TYPE.replace("types.thing", "types.other")
    catalogue = parse({"a.toml": TYPE.replace("time_to_live = 86400", UNTIL), "b.toml": other})
    event = replace(with_cart("c1"), data={"text": "x", "who": "ann", "cart": {"id": "c1"}})
    keys = ending_keys(event, "ann", catalogue.for_event(event))
    assert keys == {ORDERED.key(event, "ann"), ORDERED.key(event, "")}
    for key in keys:
        standing = Standing(EVERYWHERE, ended={key: NOON + HOUR})
        ended, told = explanations(event, "ann", NOON, catalogue, standing, 1000)
        assert [each.reason for each in ended.silent] == [Reason.CANCELLED]
        assert told.sent
        assert Reason.CANCELLED not in [each.reason for each in told.silent]


def test_a_catalogue_knows_what_only_ends_others() -> None:
    catalogue = parse({"a.toml": TYPE.replace("time_to_live = 86400", UNTIL)})
    ordered = with_cart("c1", "order.placed")
    assert catalogue.ended_by(ordered) == (ORDERED,)
    assert catalogue.knows(ordered)
    assert not catalogue.for_event(ordered)
    assert not catalogue.knows(with_cart("c1", "order.paid"))
    named = replace(ordered, notify=Notify(type="thing", users=("ann",)))
    assert not catalogue.ended_by(named)


@pytest.mark.parametrize(
    ("until", "complaint"),
    [
        (
            '{ event = "thing.happened", match = "cart" }',
            "until.event: is the type's own event, which would end itself",
        ),
        ('{ event = "order.placed", mach = "cart" }', "did you mean match?"),
        ('{ event = "order.placed" }', "match"),
        ('{ event = "order.placed", match = "a..b" }', "until.match"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(until: str, complaint: str) -> None:
    text = TYPE.replace("time_to_live = 86400", f"time_to_live = 86400\nuntil = {until}")
    with pytest.raises(BadCatalogue) as told:
        parse({"thing.toml": text})
    assert complaint in str(told.value)
    assert "thing.toml:10" in str(told.value)
