"""A delivery as FCM's JSON; the same that firebase-admin's encoder makes, at a tenth of its cost.

Measured for one message: 28 µs of CPU there, where `Message(token=…)` also warns each time that
it is deprecated, though the HTTP API is not. A test holds the two encoders together.
"""

from typing import Any

import msgspec
from msgspec import Struct, field

from schemas.delivery import Delivery
from schemas.vocabulary import Priority

MAX_TTL = 2_419_200  # seconds: FCM keeps a message four weeks at most
URGENT = (Priority.CRITICAL, Priority.HIGH)


class Notification(Struct, frozen=True, omit_defaults=True):
    """What every platform shows."""

    title: str = ""
    body: str = ""


class AndroidNotification(Struct, frozen=True):
    """A notification with the tag of one that is shown takes its place."""

    tag: str


class Android(Struct, frozen=True):
    """Android's part.

    No `collapse_key`: FCM ignores it beside a notification, and where it counts, FCM holds four
    keys a device and drops what exceeds them. The tag collapses a repeat without a loss.
    """

    notification: AndroidNotification
    priority: str
    ttl: str


class Apns(Struct, frozen=True):
    """Apple's part, which is all in headers."""

    headers: dict[str, str]


class Message(Struct, frozen=True, omit_defaults=True):
    """One message to one device."""

    token: str
    notification: Notification
    android: Android
    apns: Apns
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
    message = Message(
        token=delivery.address,
        notification=Notification(content.title, content.body),
        android=Android(
            AndroidNotification(delivery.notification_id),
            "high" if urgent else "normal",
            f"{seconds}s",
        ),
        # The id is 32 hex digits; APNs takes 64 bytes.
        apns=Apns(
            {
                "apns-collapse-id": delivery.notification_id,
                "apns-expiration": str(delivery.expires_at // 1000),
                "apns-priority": "10" if urgent else "5",
            }
        ),
        data=data,
    )
    return Body(message)


def _text(value: Any) -> str:
    """FCM's data values are strings; anything else travels as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
