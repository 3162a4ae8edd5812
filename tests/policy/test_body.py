from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from policy.body import body_digest, counted_digest, is_another_body
from policy.message import MESSAGE
from schemas.event import Event, Notify
from schemas.request import Origin, Request

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
documents = st.dictionaries(st.text(max_size=3), values, max_size=4)


def event(**fields: Any) -> Event:
    said = {"id": "e1", "type": "t", "actor": "ann", "occurred_at": datetime.now(UTC)}
    return Event(**{**said, **fields})


def turned(value: Any) -> Any:
    """The same with the fields of every object in the opposite order."""
    if isinstance(value, dict):
        return {name: turned(inner) for name, inner in reversed(value.items())}
    return [turned(inner) for inner in value] if isinstance(value, list) else value


@given(documents, documents)
def test_the_digest_is_the_same_exactly_for_the_same_data(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    same = json.encode(one, order="deterministic") == json.encode(other, order="deterministic")
    assert (body_digest(event(data=one)) == body_digest(event(data=other))) is same


@given(documents)
def test_neither_the_order_of_fields_nor_a_trip_over_the_wire_matters(data: dict[str, Any]) -> None:
    first, again = event(data=data), event(data=turned(data))
    assert body_digest(first) == body_digest(json.decode(json.encode(again), type=Event))


@pytest.mark.parametrize(
    "change",
    [{"id": "e2"}, {"tenant": "acme"}, {"idempotency_key": "k"}, {"cancel_key": "c"}],
)
def test_what_identifies_an_event_is_no_part_of_what_it_says(change: dict[str, str]) -> None:
    assert body_digest(event(**change)) == body_digest(event())


@pytest.mark.parametrize("change", [{"type": "u"}, {"actor": "bob"}, {"data": {"a": 1}}])
def test_type_actor_and_data_are_what_it_says(change: dict[str, Any]) -> None:
    assert body_digest(event(**change)) != body_digest(event())


def test_the_digest_of_a_known_body() -> None:
    """Of `["t","ann",{"a":1,"b":[true]}]`: stored marks outlive the program that wrote them."""
    digest = body_digest(event(data={"b": [True], "a": 1}))
    assert digest == "e58ec0fb1a9c3eca"


def asked(said: Event) -> Request:
    """The request of one user, as the router writes it."""
    origin = Origin("events", 0, 7, body_digest(said))
    return Request(type="t", user="ada", event=said, origin=origin, accepted_at=0)


LATER = datetime(2026, 3, 14, 12, tzinfo=UTC)
PLANS: list[dict[str, Any]] = [
    {},
    {"deliver_at": LATER},
    {"deliver_at": LATER + timedelta(hours=1)},
    {"cancel_key": "c"},
    {"cancel_key": "d"},
    {"deliver_at": LATER, "cancel_key": "c"},
]


def test_when_it_goes_out_and_what_cancels_it_are_part_of_what_counts() -> None:
    assert len({counted_digest(asked(event(**plan))) for plan in PLANS}) == len(PLANS)
    here = LATER.astimezone(timezone(timedelta(hours=5)))
    same = counted_digest(asked(event(deliver_at=here)))
    assert same == counted_digest(asked(event(deliver_at=LATER)))


def test_a_plan_makes_another_body_but_not_against_what_0_2_0_stored() -> None:
    stored_by_020 = body_digest(event())
    for plan in PLANS:
        assert body_digest(event(**plan)) == stored_by_020
        assert not is_another_body(stored_by_020, asked(event(**plan)))
        for other in PLANS[1:]:
            counted = counted_digest(asked(event(**other)))
            assert is_another_body(counted, asked(event(**plan))) is (plan != other)


def test_of_an_event_without_a_digest_nothing_is_said() -> None:
    bare = Request(
        type="t", user="ada", event=event(cancel_key="c"), origin=Origin("", 0, 0), accepted_at=0
    )
    assert counted_digest(bare) == ""
    assert not is_another_body("e58ec0fb1a9c3eca", bare)
    assert not is_another_body("", asked(event()))


HELLO: dict[str, Any] = {"title": "Hi", "body": "Hello", "channels": ["push", "email"]}


@pytest.mark.parametrize(
    "again",
    [
        {"priority": "normal"},
        {"actions": []},
        {"image": ""},
        {"category": "messages"},
        {"channels": ["email", "push"]},
        {"users": ["ada", "bo"]},
        {"users": None},
    ],
)
def test_a_message_that_says_the_same_in_another_way_is_the_same(again: dict[str, Any]) -> None:
    notify = Notify(type=MESSAGE, users=("ada",))
    first = event(data=HELLO, notify=notify)
    assert body_digest(event(data=HELLO | again, notify=notify)) == body_digest(first)
    by_type = event(data=HELLO | again, type=MESSAGE)
    assert body_digest(by_type) == body_digest(event(data=HELLO, type=MESSAGE))
    # Of an event of any other type nobody knows what it means.
    assert body_digest(event(data=HELLO | again)) != body_digest(event(data=HELLO))


@pytest.mark.parametrize(
    "other",
    [
        {"title": "Hi "},
        {"body": "Hallo"},
        {"channels": ["push"]},
        {"priority": "high"},
        {"category": "orders"},
        {"actions": [{"label": "Open", "url": "https://x.example"}]},
        {"image": "https://x.example/p.png"},
    ],
)
def test_a_message_that_says_something_else_is_another(other: dict[str, Any]) -> None:
    first = event(data=HELLO, type=MESSAGE)
    assert body_digest(event(data=HELLO | other, type=MESSAGE)) != body_digest(first)


def test_what_is_no_message_has_a_digest_all_the_same() -> None:
    digests = {body_digest(event(type=MESSAGE, data={"body": body})) for body in ("a", "b")}
    assert len(digests) == 2
