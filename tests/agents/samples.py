"""Events, people and deliveries that the tests of the roles vary."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from schemas.delivery import Content, Delivery
from schemas.event import Event
from schemas.follow import Follow
from schemas.profile import Contacts, Device
from schemas.vocabulary import Channel, Priority
from tests.agents.names import unique
from tests.agents.shifted_clock import ShiftedClock


def event(kind: str, data: Mapping[str, Any], **fields: Any) -> Event:
    """An event that happened just now."""
    values = {
        "id": unique("event"),
        "type": kind,
        "actor": unique("actor"),
        "occurred_at": datetime.now(UTC),
        "data": dict(data),
    }
    return Event(**{**values, **fields})


def order_shipped(customer: str | list[str], **fields: Any) -> Event:
    """Somebody's order left the warehouse."""
    data = {"customer_id": customer, "order_id": "77", "carrier": "DHL", "tracking_number": "JD1"}
    return event("order.shipped", data, **fields)


def reachable(user: str, **fields: Any) -> Contacts:
    """Contacts on every channel: one device, an e-mail address and a phone."""
    values = {
        "devices": (Device(token=f"token-{user}"),),
        "email": f"{user}@example.com",
        "phone": "+15005550009",
    }
    return Contacts(user=user, **{**values, **fields})


def follow(follower: str, followee: str, following: bool = True) -> Follow:
    """One follows the other, or no longer does."""
    return Follow(follower=follower, followee=followee, at=datetime.now(UTC), following=following)


def delivery(clock: ShiftedClock, **fields: Any) -> Delivery:
    """A push on its way to a user of its own."""
    user = unique("user")
    now = clock.now()
    values = {
        "delivery_id": os.urandom(16).hex(),
        "notification_id": os.urandom(16).hex(),
        "event_id": unique("event"),
        "type": "order_shipped",
        "category": "orders",
        "user": user,
        "channel": Channel.PUSH,
        "priority": Priority.HIGH,
        "address": f"token-{user}",
        "content": Content(title="Your order", body="It is on its way"),
        "occurred_at": now,
        "accepted_at": now,
        "expires_at": now + 3_600_000,
    }
    return Delivery(**{**values, **fields})
