"""What is free in form, and moments, within bounds that everybody after can rely on."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from schemas.bounds import DEEPEST, LARGEST, OutOfBounds, bounded
from schemas.event import Event, Notify
from schemas.follow import Follow
from schemas.profile import Contacts, Preferences
from web.api.bodies import EventBody, EventsBody

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
EVENT = Event(id="e", type="t", actor="a", occurred_at=NOON, data={"order": 7})


def nested(levels: int, inner: Any = 1) -> dict[str, Any]:
    """So many objects within each other."""
    value = inner
    for _ in range(levels - 1):
        value = [value]
    return {"x": value}


def test_what_is_within_bounds_is_the_very_same_object() -> None:
    assert bounded(EVENT) is EVENT
    contacts = Contacts(user="ada")
    assert bounded(contacts) is contacts


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        (2**64 - 1, 2**64 - 1),
        (2**64, "18446744073709551616"),
        (-(2**63), -(2**63)),
        (-(2**63) - 1, "-9223372036854775809"),
        (10**30, "1000000000000000000000000000000"),
    ],
)
def test_a_number_that_64_bits_cant_hold_is_kept_as_text(number: int, kept: object) -> None:
    data = {"wei": number, "each": [1, {"wei": number}], "small": 1, "part": 0.5}
    assert bounded(replace(EVENT, data=data)).data == {
        "wei": kept,
        "each": [1, {"wei": kept}],
        "small": 1,
        "part": 0.5,
    }


def test_data_may_be_so_deep_and_no_deeper() -> None:
    assert bounded(replace(EVENT, data=nested(DEEPEST))).data == nested(DEEPEST)
    with pytest.raises(OutOfBounds, match=r"deeper than 32 levels - at `\$\.data`"):
        bounded(replace(EVENT, data=nested(DEEPEST + 1)))


def test_data_may_be_so_large_and_no_larger() -> None:
    most = LARGEST - len(msgspec.msgpack.encode({"x": "y" * LARGEST})) + LARGEST
    event = replace(EVENT, data={"x": "y" * most})
    assert bounded(event) is event
    with pytest.raises(OutOfBounds, match=f"{LARGEST + 1} bytes, {LARGEST} are allowed"):
        bounded(replace(EVENT, data={"x": "y" * (most + 1)}))


@pytest.mark.parametrize(
    ("moment", "is_taken"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), True),
        (datetime(1970, 1, 1, tzinfo=timezone(timedelta(hours=1))), False),
        (datetime(1, 1, 1, tzinfo=UTC), False),
        (datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC), True),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-1))), False),
    ],
)
@pytest.mark.parametrize("field", ["occurred_at", "deliver_at"])
def test_a_moment_is_of_the_years_that_everybody_can_count_with(
    moment: datetime, is_taken: bool, field: str
) -> None:
    event = replace(EVENT, **{field: moment})
    if is_taken:
        assert bounded(event) is event
        return
    with pytest.raises(OutOfBounds, match=rf"from 1970 to 9998 - at `\$\.{field}`"):
        bounded(event)


LATE = datetime(9999, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (Follow(follower="a", followee="b", at=LATE), r"\$\.at"),
        (Preferences(user="a", snooze_until=LATE), r"\$\.snooze_until"),
        (Preferences(user="a", mutes={"c/t": None, "d/t": LATE}), r"\$\.mutes\[\.\.\.\]"),
        (
            EventsBody([EventBody(id="1", type="t", actor="a", deliver_at=LATE)]),
            r"\$\.events\[0\]\.deliver_at",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Struct) else "",
)
def test_the_place_of_what_is_out_of_bounds_is_named(value: Struct, path: str) -> None:
    with pytest.raises(OutOfBounds, match=f"at `{path}`"):
        bounded(value)


def test_in_a_list_the_others_stay_as_they_are() -> None:
    bodies = [EventBody(id=name, type="t", actor="a", data={"n": n}) for name, n in NUMBERS]
    kept = bounded(EventsBody(bodies))
    assert [body.data["n"] for body in kept.events] == [1, str(2**70)]
    assert kept.events[0] is bodies[0]


NUMBERS = (("1", 1), ("2", 2**70))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_whatever_is_taken_can_be_stored_and_read_again(data: dict[str, Any]) -> None:
    try:
        event = bounded(replace(EVENT, data=data, notify=Notify(type="t", users=("a",))))
    except OutOfBounds:
        return
    for form in (msgspec.msgpack, msgspec.json):
        again = form.decode(form.encode(event), type=Event)
        assert msgspec.json.encode(again) == msgspec.json.encode(event)
