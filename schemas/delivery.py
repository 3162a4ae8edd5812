"""`deliver.CHANNEL.PRIORITY` and `retry` (key: user): one message to one address."""

from typing import Any

from msgspec import Struct

from schemas.event import Hex, Name
from schemas.vocabulary import Channel, Priority


class Approved(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A template that WhatsApp approved, by its name at the provider, and its variables.

    `language` is that of the template, where it has several.
    """

    template: str
    language: str = ""
    variables: tuple[str, ...] = ()


class Action(Struct, frozen=True, kw_only=True, gc=False):
    """A button: what stands on it, and the web page that it leads to."""

    label: str
    url: str


SILENT = "none"
"""In place of a sound's name."""
KEEPS_BADGE = -1


class Content(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the person reads, rendered for one channel.

    `title` is the push title or the e-mail subject; `html` is for e-mail alone; `data` travels
    beside a push or an in-app message for the app to use. `approved` replaces all of it on
    WhatsApp, which takes no other text from who was not written to within a day. `image` is the
    https address of one, and `actions` are buttons, where the channel shows any. A push makes the
    `sound` of this name in the app, the device's own where it is empty, or none where it is
    SILENT; `badge` is the number at the app's icon, which stays as it is where that is negative.
    """

    body: str
    title: str = ""
    html: str = ""
    data: dict[str, Any] = {}
    approved: Approved | None = None
    image: str = ""
    actions: tuple[Action, ...] = ()
    sound: str = ""
    badge: int = KEEPS_BADGE

    @property
    def caption(self) -> str:
        """What is read out in place of the image."""
        return self.title or self.body[:100]


class Sender(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Who an e-mail is from, and where answers go; what is empty is as the sink's settings say."""

    name: str = ""
    address: str = ""
    reply_to: str = ""


class Delivery(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One message on its way to one address.

    `delivery_id` is the same however often this is replayed: sinks send it once, and devices
    collapse by `notification_id`, or by `replaces`, which all have of which the one that was
    accepted last takes the place of the others. Times are epoch milliseconds. `attempt` counts the
    calls that failed so far; `due_at` says when it may be tried again. `variant` is of an
    experiment of the type, as EXPERIMENT/VARIANT. `counts_as` is the id that the notification
    would have by its event's idempotency key, where there is one: feeds know it by that. What is
    `transactional` comes whatever the user chose, so it offers nobody to unsubscribe. E-mails may
    have a `sender` of their own. `trace` is the `traceparent` of its decision, where it is traced,
    and `tracestate` what goes with it. `origin` and `attribute` are those of
    schemas.delivery_event.
    """

    delivery_id: Hex
    notification_id: Hex
    event_id: Name
    type: Name
    category: str
    user: Name
    channel: Channel
    priority: Priority
    address: str
    content: Content
    occurred_at: int
    accepted_at: int
    expires_at: int
    attempt: int = 0
    due_at: int = 0
    catalogue: str = ""
    tenant: Name = "default"
    variant: str = ""
    counts_as: str = ""
    transactional: bool = False
    sender: Sender | None = None
    replaces: str = ""
    trace: str = ""
    origin: str = ""
    tracestate: str = ""
    attribute: str = ""

    @property
    def collapses_by(self) -> str:
        """By which a device knows what takes the place of what: 32 hex digits."""
        return self.replaces or self.notification_id
