"""A delivery as Apple's JSON and headers."""

import uuid
from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from schemas.delivery import KEEPS_BADGE, SILENT, Delivery
from schemas.vocabulary import Priority

URGENT = (Priority.CRITICAL, Priority.HIGH)
IDS = uuid.UUID("6f0f2bd4-5b5c-4c8e-9f6e-6f6f1c2f7a31")
"""The namespace of our `apns-id`s."""


class Alert(Struct, frozen=True, omit_defaults=True):
    """What the device shows."""

    title: str = ""
    body: str = ""


class Aps(Struct, frozen=True):
    """Apple's own part of a payload; the default sound is the device's."""

    alert: Alert
    sound: str | UnsetType = "default"
    thread_id: str = field(name="thread-id", default="")
    badge: int | UnsetType = UNSET
    mutable_content: int | UnsetType = field(name="mutable-content", default=UNSET)


def payload_of(delivery: Delivery) -> dict[str, Any]:
    """The payload: the app's data, Apple's part, and last our ids, whose place no data takes."""
    content = delivery.content
    alert, more = Alert(content.title, content.body), dict[str, Any]()
    if content.image:
        more["image"] = content.image
    if content.actions:
        more["actions"] = content.actions
    # The app's own extension then fetches the image and makes the buttons.
    aps = Aps(
        alert,
        UNSET if content.sound == SILENT else content.sound or "default",
        delivery.category,
        UNSET if content.badge == KEEPS_BADGE else content.badge,
        1 if more else UNSET,
    )
    return {
        **content.data,
        **more,
        "aps": aps,
        "notification_id": delivery.notification_id,
        "delivery_id": delivery.delivery_id,
    }


def headers_of(delivery: Delivery, topic: str) -> dict[str, str]:
    """The headers of a request, but for the provider token; the same for the same delivery.

    A repeat takes the place of the first on the device, as both bear one collapse id.
    """
    return {
        "apns-id": str(uuid.uuid5(IDS, delivery.delivery_id)),
        "apns-topic": topic,
        "apns-push-type": "alert",
        "apns-collapse-id": delivery.collapses_by,  # 32 of at most 64 bytes
        "apns-expiration": str(delivery.expires_at // 1000),
        "apns-priority": "10" if delivery.priority in URGENT else "5",
    }
