"""Values that the tests of the policy vary."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from policy.catalogue.catalogue import Catalogue, parse
from policy.notification_type import NotificationType
from policy.user.profile import Profile
from schemas.event import Event
from schemas.request import Origin, Request

NOON = 1_772_366_400_000  # 2026-03-01T12:00Z
HOUR = 3_600_000
ORIGIN = Origin("events", 3, 41)
EVERYWHERE = Profile(devices=("phone", "tablet"), email="ann@example.com", phone="+4915112345")

TYPE = """
event = "thing.happened"

[types.thing]
category = "things"
priority = "normal"
channels = ["push", "email", "sms", "inapp"]
users = "who"
time_to_live = 86400

[types.thing.templates]
push = { title = "Hi", body = "{{ data.text }}", data = ["text"] }
email = { title = "Hi", body = "{{ data.text }}", html = "<p>{{ data.text }}</p>" }
sms = { body = "{{ data.text }}" }
inapp = { body = "{{ data.text }}" }
"""


def variant(*changes: tuple[str, str]) -> NotificationType:
    """The type above with pieces of its text replaced."""
    text = TYPE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse({"thing.toml": text}).types["thing"]


@cache
def shipped_catalogue() -> Catalogue:
    """The catalogue that Tocsin ships."""
    folder = Path(__file__).parents[2] / "catalogue"
    return parse({path.name: path.read_text() for path in folder.glob("*.toml")})


def request(
    *,
    at: int = NOON,
    event_id: str = "e1",
    origin: Origin = ORIGIN,
    data: dict[str, Any] | None = None,
    key: str | None = None,
    accepted_at: int | None = None,
    event_type: str = "thing.happened",
) -> Request:
    """A request about `ann` for an event at `at`, epoch ms."""
    event = Event(
        id=event_id,
        type=event_type,
        actor="bob",
        occurred_at=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at),
        data={"text": "hello"} if data is None else data,
        idempotency_key=key,
    )
    accepted = at if accepted_at is None else accepted_at
    return Request(type="thing", user="ann", event=event, origin=origin, accepted_at=accepted)


def happened(kind: str, **fields: Any) -> Event:
    """An event of this type."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Event(id="e", type=kind, actor="a", occurred_at=at, **fields)
