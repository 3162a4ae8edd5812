"""A delivery as FCM's JSON; the same that firebase-admin's encoder makes, at a tenth of its cost.

Measured for one message: 28 µs of CPU there, where `Message(token=…)` also warns each time that
it is deprecated, though the HTTP API is not. A test holds the two encoders together.
"""

from typing import Any

import msgspec
from msgspec import Struct, field

from schemas.delivery import KEEPS_BADGE, SILENT, Delivery
from schemas.vocabulary import Priority
from sinks.push.urgency import URGENCY

MAX_TTL = 2_419_200  # seconds: FCM keeps a message four weeks at most
URGENT = (Priority.CRITICAL, Priority.HIGH)
DEFAULT_SOUND = "default"
"""The device's own, by Apple's name and Android's."""


class Notification(Struct, frozen=True, omit_defaults=True):
    """What every platform shows."""

    title: str = ""
    body: str = ""
    image: str = ""


class AndroidNotification(Struct, frozen=True, omit_defaults=True):
    """A notification with the tag of one that is shown takes its place."""

    tag: str
    sound: str = ""
    notification_count: int = KEEPS_BADGE


class Android(Struct, frozen=True):
    """Android's part.

    No `collapse_key`: FCM ignores it beside a notification, and where it counts, FCM holds four
    keys a device and drops what exceeds them. The tag collapses a repeat without a loss.
    """

    notification: AndroidNotification
    priority: str
    ttl: str


class Aps(Struct, frozen=True, omit_defaults=True, rename="kebab"):
    """What Apple's devices do with it; without a sound they make none."""

    sound: str = ""
    badge: int = KEEPS_BADGE
    mutable_content: int = 0
    """1 has the app's own extension look at the message, which fetches the image."""


_PLAIN = Aps()


class ApnsPayload(Struct, frozen=True):
    """What is for Apple's devices alone."""

    aps: Aps


class Apns(Struct, frozen=True, omit_defaults=True):
    """Apple's part."""

    headers: dict[str, str]
    payload: ApnsPayload | None = None


class WebAction(Struct, frozen=True):
    """A button that browsers show; the app's service worker knows it by its name."""

    action: str
    title: str


class WebNotification(Struct, frozen=True, omit_defaults=True):
    """What browsers show beside; with the tag of one that is shown it takes its place."""

    tag: str
    actions: tuple[WebAction, ...] = ()
    silent: bool = False


class WebOptions(Struct, frozen=True):
    """Where a press on the message itself leads."""

    link: str


class Webpush(Struct, frozen=True, omit_defaults=True):
    """The part of browsers that FCM reaches, with the headers of RFC 8030."""

    headers: dict[str, str]
    notification: WebNotification
    fcm_options: WebOptions | None = None


class Message(Struct, frozen=True, omit_defaults=True):
    """One message to one device."""

    token: str
    notification: Notification
    android: Android
    apns: Apns
    webpush: Webpush
    data: dict[str, str] = field(default_factory=dict)


class Body(Struct, frozen=True):
    """The body of a request."""

    message: Message


def body_of(delivery: Delivery, now: int) -> Body:
    """The request for a delivery; `now` (epoch ms) turns its expiry into a time to live."""
    seconds = min(MAX_TTL, max(0, (delivery.expires_at - now) // 1000))
    urgent = delivery.priority in URGENT
    content = delivery.content
    data = {key: _text(value) for key, value in content.data.items()}
    # Last, so that no template takes the ids' place.
    data["notification_id"] = delivery.notification_id
    data["delivery_id"] = delivery.delivery_id
    if content.actions:
        data["actions"] = _text(content.actions)
    sound = "" if content.sound == SILENT else content.sound or DEFAULT_SOUND
    aps = Aps(sound, content.badge, int(bool(content.image or content.actions)))
    message = Message(
        token=delivery.address,
        notification=Notification(content.title, content.body, content.image),
        android=Android(
            # There it is a resource, whose name has no extension.
            AndroidNotification(delivery.collapses_by, sound.partition(".")[0], content.badge),
            "high" if urgent else "normal",
            f"{seconds}s",
        ),
        # The id is 32 hex digits; APNs takes 64 bytes.
        apns=Apns(
            {
                "apns-collapse-id": delivery.collapses_by,
                "apns-expiration": str(delivery.expires_at // 1000),
                "apns-priority": "10" if urgent else "5",
            },
            None if aps == _PLAIN else ApnsPayload(aps),
        ),
        webpush=_webpush(delivery, seconds),
        data=data,
    )
    return Body(message)


def _webpush(delivery: Delivery, seconds: int) -> Webpush:
    content = delivery.content
    headers = {
        "TTL": str(seconds),
        "Urgency": URGENCY[delivery.priority],
        "Topic": delivery.collapses_by,
    }
    buttons = tuple(WebAction(str(at), each.label) for at, each in enumerate(content.actions))
    shown = WebNotification(delivery.collapses_by, buttons, content.sound == SILENT)
    first = content.actions[0].url if content.actions else ""
    # FCM takes no link that is not https.
    return Webpush(headers, shown, WebOptions(first) if first.startswith("https:") else None)


def _text(value: Any) -> str:
    """FCM's data values are strings; anything else travels as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
