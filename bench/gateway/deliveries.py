"""In-app deliveries, as a decider would write them."""

import time

import msgspec

from schemas.delivery import Content, Delivery
from schemas.topics import DELIVER
from schemas.vocabulary import Channel, Priority

TOPIC = DELIVER[Channel.INAPP, Priority.HIGH].name
TITLE, BODY = "Bo", "See you at eight?"


def delivery(user: str, number: int) -> bytes:
    """The delivery with this number, to this user, accepted now."""
    now = time.time_ns() // 1_000_000
    said = Delivery(
        delivery_id=f"{number:032x}",
        notification_id=f"{number:032x}",
        event_id=f"event-{number}",
        type="chat_message",
        category="chat",
        user=user,
        channel=Channel.INAPP,
        priority=Priority.HIGH,
        address=user,
        content=Content(title=TITLE, body=BODY),
        occurred_at=now,
        accepted_at=now,
        expires_at=now + 3_600_000,
    )
    return msgspec.json.encode(said)
