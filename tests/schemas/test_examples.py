"""A golden example of every record: what stands in a topic today must be readable for ever."""

import json
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from schemas.audit import Audit
from schemas.dead_letter import DeadLetter
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.erasure import Erasure, Withdrawal
from schemas.event import Cancellation, Event
from schemas.feed import Post
from schemas.feedback import Feedback, Receipt, Stop, Suppression
from schemas.follow import Follow
from schemas.inbox import InboxChange, Live
from schemas.kinds import STRUCTS
from schemas.misplaced import Misplaced
from schemas.outcome import Outcome
from schemas.profile import (
    Block,
    Contacts,
    DeviceChange,
    Hint,
    Preferences,
    Presence,
    ProfileChange,
    Subscription,
)
from schemas.question import Owner
from schemas.request import Broadcast, Request
from schemas.topics import TOPICS

FOLDER = Path(__file__).parents[2] / "schemas" / "examples"
KINDS: dict[str, type[Struct]] = {
    "blocks": Block,
    "broadcasts": Broadcast,
    "cancellations": Cancellation,
    "contacts": Contacts,
    "dead-letters": DeadLetter,
    "delivery": Delivery,
    "delivery-events": DeliveryEvent,
    "devices": DeviceChange,
    "erasures": Erasure,
    "events": Event,
    "feedback": Feedback,
    "follows": Follow,
    "hints": Hint,
    "inbox-changes": InboxChange,
    "live": Live,
    "misplaced": Misplaced,
    "outbox": Post,
    "outcomes": Outcome,
    "owners": Owner,
    "preferences": Preferences,
    "presence": Presence,
    "profile-changes": ProfileChange,
    "receipts": Receipt,
    "requests": Request,
    "stops": Stop,
    "subscriptions": Subscription,
    "suppressions": Suppression,
    "withdrawals": Withdrawal,
    "audit": Audit,
}
"""By file: named after the topic, or after the struct where several topics hold it."""


def example_for(topic: str) -> str:
    """The example that shows what a topic holds."""
    if topic.startswith("deliver.") or topic == "retry":
        return "delivery"
    if topic.startswith("requests."):
        return "requests"
    if topic.startswith("placed."):
        return "misplaced"
    return "follows" if topic == "following" else topic


def example_of(struct: type[Struct]) -> str:
    """The example that shows a struct."""
    return next(name for name, kind in KINDS.items() if kind is struct)


@pytest.mark.parametrize("name", KINDS)
def test_an_example_is_read_and_written_as_it_is(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_bytes()
    value = msgspec.json.decode(text, type=KINDS[name], strict=True)
    written = msgspec.json.encode(value)
    assert msgspec.json.decode(written, type=KINDS[name]) == value
    # Nothing in it is unknown to the struct, and nothing is a default, which is left out.
    assert json.loads(written) == json.loads(text)


@pytest.mark.parametrize("name", KINDS)
def test_an_example_shows_every_field(name: str) -> None:
    shown = json.loads((FOLDER / f"{name}.json").read_bytes())
    assert list(shown) == list(KINDS[name].__struct_encode_fields__)


@pytest.mark.parametrize("name", KINDS)
def test_a_field_that_a_newer_producer_adds_is_passed_over(name: str) -> None:
    shown = json.loads((FOLDER / f"{name}.json").read_bytes())
    text = msgspec.json.encode(shown)
    more = msgspec.json.encode({**shown, "added_next_year": {"x": [1]}})
    assert msgspec.json.decode(more, type=KINDS[name]) == msgspec.json.decode(
        text, type=KINDS[name]
    )


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (name, field.name)
        for name, kind in KINDS.items()
        for field in msgspec.structs.fields(kind)
        if field.required
    ],
)
def test_a_record_without_a_required_field_is_refused(name: str, field: str) -> None:
    shown = json.loads((FOLDER / f"{name}.json").read_bytes())
    del shown[field]
    with pytest.raises(msgspec.ValidationError, match=field):
        msgspec.json.decode(msgspec.json.encode(shown), type=KINDS[name])


def test_every_topic_has_an_example_and_every_example_is_tested() -> None:
    topics = {topic.name for topic in TOPICS if not topic.name.endswith("-changelog")}
    named = {example_for(topic) for topic in topics}
    assert named | {example_of(struct) for struct in STRUCTS.values()} == KINDS.keys()
    assert {path.stem for path in FOLDER.iterdir()} == KINDS.keys()
