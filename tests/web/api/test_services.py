"""Positions of writes, and what a write that is not acknowledged comes to."""

import asyncio
from collections.abc import Iterator

import pytest

from pipeline.producing.write_queue import Entry
from policy.user.user_view import Known
from schemas.errors import Unavailable
from schemas.profile import Contacts, Preferences
from schemas.question import ReadUser
from schemas.topics import CONTACTS, PREFERENCES
from tests.sinks.set_clock import SetClock
from tests.web.caller import Memory, memory, settings
from tests.web.desk import Asked, desk_of
from web.api.problem import Problem
from web.workers import ack_timeout
from web.workers.position import Position, places_of


class Silent(Memory):
    """A broker that takes nothing and says nothing."""

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """For ever."""
        await asyncio.Event().wait()
        return 0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(ack_timeout, "ACK_TIMEOUT_SECONDS", 0.05)
    yield


async def test_a_write_is_answered_with_where_it_ends() -> None:
    topics = memory()
    desk = desk_of(topics, settings(), 0)
    contacts = Contacts(user="ann", tenant="acme", email="ann@example.com")
    assert await desk.write(CONTACTS, contacts) == Position("contacts:1")
    assert await desk.write(CONTACTS, contacts) == Position("contacts:2")
    record = topics.topics["contacts"][0]
    assert record.key == b"ann"
    assert topics.said(CONTACTS)[0] == {
        "user": "ann", "tenant": "acme", "email": "ann@example.com",
    }  # fmt: skip


async def test_many_are_written_each_under_its_key() -> None:
    topics = memory()
    desk = desk_of(topics, settings(), 0)
    await desk.write_all(CONTACTS, [Contacts(user="ann"), Contacts(user="bob")])
    assert [record.key for record in topics.topics["contacts"]] == [b"ann", b"bob"]


async def test_who_is_asked_about_whom() -> None:
    owners = Asked()
    desk = desk_of(memory(), settings(), 0, owners)
    contacts, preferences = Contacts(user="ann"), Preferences(user="ann")
    owners.answer = known = Known(contacts=contacts, preferences=preferences)
    assert await desk.known("acme", "ann", "contacts:3") == known
    question = ReadUser(tenant="acme", user="ann")
    assert owners.asked == [("decider", "ann", question, {"contacts": 3})]


async def test_nobody_waits_for_a_silent_broker(impatient: None) -> None:
    desk = desk_of(Silent(SetClock()), settings(), 0)
    said = r"Kafka did not acknowledge within 0\.05 s\. It may have it all the same"
    with pytest.raises(Unavailable, match=said):
        await desk.write(CONTACTS, Contacts(user="ann"))
    with pytest.raises(Unavailable, match=said):
        await desk.write_all(CONTACTS, [Contacts(user="ann")])


@pytest.mark.parametrize(
    ("text", "offsets"),
    [
        (None, {}),
        ("", {}),
        ("contacts:4", {"contacts": 4}),
        ("contacts:4, preferences:0", {"contacts": 4, "preferences": 0}),
        ("contacts:4,contacts:9,contacts:7", {"contacts": 9}),
        (f"devices:{10**18 - 1}", {"devices": 10**18 - 1}),
        ("erasures:1,inbox-changes:2,deliver.inapp.low:3",
         {"erasures": 1, "inbox-changes": 2, "deliver.inapp.low": 3}),
    ],
)  # fmt: skip
def test_positions_are_offsets_by_topic(text: str | None, offsets: dict[str, int]) -> None:
    assert places_of(text, 8) == (offsets, {})


@pytest.mark.parametrize(
    "text",
    ["contacts", "contacts:", ":4", "contacts:-1", "contacts:x", "events:4", "deliver.sms.low:1",
     "contacts:4;preferences:1", "contacts:4,", f"contacts:{10**18}", "contacts:٤"],
)  # fmt: skip
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(Problem) as refused:
        places_of(text, 8)
    assert refused.value.status == 400


def test_what_is_read_back_is_what_writes_are_answered_with() -> None:
    assert {*places_of(f"{PREFERENCES.name}:1", 8).own} == {"preferences"}
