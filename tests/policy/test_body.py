from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from policy.body import body_digest
from schemas.event import Event

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
