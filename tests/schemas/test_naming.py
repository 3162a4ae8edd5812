"""What may be a name, held to one rule wherever one comes in."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from schemas.bounds import OutOfBounds, bounded
from schemas.event import Cancellation, Event
from schemas.follow import Follow
from schemas.naming import LONGEST_NAME, is_name
from schemas.profile import Block, Contacts, Preferences, Presence
from web.api.bodies import EventsBody, NotificationBody

NAMES = (
    "ada",
    "a b",
    "größe",
    "ада",
    "\N{FAMILY}",
    "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}",
    "a\N{NO-BREAK SPACE}b",
    "\ue000",  # of a company's own font
    "x" * LONGEST_NAME,
)
NO_NAMES = (
    "\0",
    "ada\0",
    "a\nb",
    "a\r",
    "\t",
    "a\x1f",
    "\x7f",
    "a\x85b",
    "\x9f",
    "a\u2028b",
    "\u2029",
)
AT = "2026-03-14T12:00:00Z"
EVENT = {"id": "e", "type": "t", "actor": "a", "occurred_at": AT}
TAKEN: tuple[tuple[type[msgspec.Struct], dict[str, Any], str, str], ...] = (
    (Event, EVENT, "id", "id"),
    (Event, EVENT, "actor", "actor"),
    (Event, EVENT, "tenant", "tenant"),
    (Event, EVENT, "idempotency_key", "idempotency_key"),
    (Event, EVENT, "cancel_key", "cancel_key"),
    (Event, {**EVENT, "notify": {"type": "t", "users": ["ann", "%"]}}, "", "notify.users[1]"),
    (Contacts, {"user": "ann"}, "user", "user"),
    (Contacts, {"user": "ann", "attributes": {"%": "x"}}, "", "attributes[...]"),
    (Preferences, {"user": "ann", "frequency": {"%": "daily"}}, "", "frequency[...]"),
    (Presence, {"user": "ann", "online": True, "until": AT}, "device", "device"),
    (Follow, {"follower": "f", "followee": "g", "at": AT}, "followee", "followee"),
    (Block, {"user": "ann", "actor": "a", "at": AT}, "actor", "actor"),
    (Cancellation, {"cancel_key": "k", "actor": "a", "at": AT}, "cancel_key", "cancel_key"),
    (EventsBody, {"events": [{**EVENT, "id": "%"}]}, "", "events[0].id"),
    (NotificationBody, {"users": ["%"], "type": "t"}, "", "users[0]"),
)
"""A record or body, a field of it that is a name or one that is marked, and where that is."""


def put(value: Any, name: str) -> Any:
    """The value with the name where it is marked."""
    if isinstance(value, dict):
        return {put(key, name): put(inner, name) for key, inner in value.items()}
    if isinstance(value, list):
        return [put(inner, name) for inner in value]
    return name if value == "%" else value


def read(kind: type[msgspec.Struct], said: dict[str, Any], field: str, name: str) -> Any:
    """What is taken from outside, as topics and requests take it."""
    full = put({**said, field: "%"} if field else said, name)
    return bounded(msgspec.json.decode(msgspec.json.encode(full), type=kind))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_one_in_a_path_and_in_a_record(name: str) -> None:
    assert is_name(name)
    for kind, said, field, _ in TAKEN:
        read(kind, said, field, name)


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_in_a_path_is_none_in_a_record(name: str) -> None:
    assert not is_name(name)
    for kind, said, field, where in TAKEN:
        with pytest.raises(OutOfBounds) as caught:
            read(kind, said, field, name)
        complaint = "Expected a name without control characters or line breaks"
        assert str(caught.value) == f"{complaint} - at `$.{where}`"


@pytest.mark.parametrize("name", ["", "x" * (LONGEST_NAME + 1), "a\udc80"])
def test_a_path_has_as_many_characters_as_a_record(name: str) -> None:
    assert not is_name(name)


def test_a_text_that_is_no_name_may_have_lines() -> None:
    contacts = Contacts(user="ann", attributes={"address": "Main Street 1\nBerlin"})
    assert bounded(contacts) is contacts
    at = datetime(2026, 3, 14, tzinfo=UTC)
    event = Event(id="e", type="t", actor="a", occurred_at=at, data={"text": "one\ntwo\0"})
    assert bounded(event) is event
