"""What producers send by HTTP, and what they are answered."""

import uuid
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from policy.identity import notification_id
from policy.message import (
    MESSAGE,
    Channels,
    Image,
    MessageActions,
    MessageBody,
    MessagePriority,
    Title,
)
from schemas.event import Event, Moment, Name, Notify

MOST_IN_BULK = 1000
API = "api"
"""The actor of notifications that name none."""
Users = Annotated[tuple[Name, ...], Meta(min_length=1, max_length=1000)]


class EventBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something happened; as on the topic `events`. Without `occurred_at`, now."""

    id: Name
    type: Name
    actor: Name
    data: dict[str, Any] = {}
    occurred_at: Moment | None = None
    idempotency_key: Name | None = None
    deliver_at: Moment | None = None
    cancel_key: Name | None = None

    def event(self, tenant: str, now: datetime) -> Event:
        """The event of a tenant."""
        return Event(
            id=self.id,
            type=self.type,
            actor=self.actor,
            data=self.data,
            occurred_at=self.occurred_at or now,
            idempotency_key=self.idempotency_key,
            deliver_at=self.deliver_at,
            cancel_key=self.cancel_key,
            tenant=tenant,
        )


OF_MESSAGE = ("title", "body", "channels", "priority", "category", "image", "actions")


class NotificationBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly these users are told: by a `type` of the catalogue with its `data`, or a message.

    A message is what `title` and `body` say, on the `channels` that are listed. The texts are sent
    as they are, never read as templates. Without a `category` it is one of `messages`, and its
    `priority` is normal unless it says another. An `image` and up to three `actions` are shown in
    pushes, chats and the app. All rules hold for it as for any type: what people
    want to hear, quiet hours, limits.

    Without an `id` or an `idempotency_key`, the request sent again is told again. `scheduled_at`
    is an older name of `deliver_at`.
    """

    users: Users
    type: Name | None = None
    data: dict[str, Any] = {}
    title: Title | None = None
    body: MessageBody | None = None
    channels: Channels | None = None
    priority: MessagePriority | None = None
    category: Name | None = None
    image: Image | None = None
    actions: MessageActions | None = None
    id: Name | None = None
    actor: Name = API
    idempotency_key: Name | None = None
    deliver_at: Moment | None = None
    scheduled_at: Moment | None = None
    cancel_key: Name | None = None

    def event(self, tenant: str, now: datetime) -> Event:
        """The event that notifies them."""
        kind = self.type or MESSAGE
        return Event(
            id=self.id or self.idempotency_key or uuid.uuid4().hex,
            type=f"notify.{kind}"[:200],
            actor=self.actor,
            data=self.data if self.type else self.message(),
            occurred_at=now,
            idempotency_key=self.idempotency_key,
            deliver_at=self.deliver_at or self.scheduled_at,
            cancel_key=self.cancel_key,
            tenant=tenant,
            notify=Notify(type=kind, users=self.users),
        )

    def message(self) -> dict[str, Any]:
        """Those fields of a message that are given, as the event's data have them."""
        given = {name: getattr(self, name) for name in OF_MESSAGE}
        said: dict[str, Any] = msgspec.to_builtins(given)
        return {name: value for name, value in said.items() if value is not None}


class SendQuery(Struct, frozen=True):
    """`position` is what writes answered, with commas between: what is checked has them.

    So a request that is sent again with the `position` of its own 202 learns whether it counts.
    """

    position: str | None = None


class EventsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Many events: all of them are taken, or none."""

    events: Annotated[list[EventBody], Meta(min_length=1, max_length=MOST_IN_BULK)]


class NotificationsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Many notifications: all of them are taken, or none."""

    notifications: Annotated[list[NotificationBody], Meta(min_length=1, max_length=100)]


class CancellationBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop what is still held under this key, of what happened until `at`, or now."""

    cancel_key: Name
    actor: Name = API
    at: Moment | None = None


class Taken(Struct, frozen=True):
    """Kafka has it: it will be decided on. A read that is given `position` waits for that."""

    id: str
    position: str


class AllTaken(Struct, frozen=True):
    """Kafka has all of them. A read that is given `position` waits until all are decided on."""

    ids: list[str]
    position: str


class Notified(Struct, frozen=True, omit_defaults=True):
    """Kafka has it. By user, the notification's id; `opted_out` are users who will not be told.

    A read that is given `position` waits until it is decided on: an inbox has it by then, unless
    it is suppressed, or deferred to a later time.
    """

    id: str
    notifications: dict[str, str]
    position: str
    opted_out: tuple[str, ...] = ()


class AllNotified(Struct, frozen=True):
    """Kafka has all of them; `position` is that of all together."""

    notifications: list[Notified]
    position: str


def ids_of(event: Event) -> dict[str, str]:
    """By user, the ids of the notifications that an event asks for itself."""
    if event.notify is None:
        return {}
    return {
        user: notification_id(event.tenant, event.id, user, event.notify.type)
        for user in event.notify.users
    }
