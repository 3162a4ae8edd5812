"""A day whose figures can be counted by hand."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from policy.identity import delivery_event_id
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Channel, Priority, Reason, Stage

# Days ago by the clock that ClickHouse has too: it drops what is older than it keeps.
_DATE = datetime.now(UTC).date() - timedelta(days=5)
DAY = _DATE.isoformat()
NOON = int(datetime.combine(_DATE, time(12), UTC).timestamp() * 1000)
TENANT = "acme"
NO_DELIVERY = (Stage.SUPPRESSED, Stage.HELD)


def happened(
    stage: Stage, notification: str, after: int = 0, again: str = "", **fields: Any
) -> DeliveryEvent:
    """A stage of a push, `after` so many ms; the notification's name is its user's as well."""
    channel = fields.pop("channel", Channel.PUSH)
    known = {
        "id": delivery_event_id(notification, channel, stage, fields.get("attempt", 0)) + again,
        "stage": stage,
        "at": NOON + after,
        "occurred_at": NOON,
        "accepted_at": NOON,
        "tenant": TENANT,
        "type": "order_shipped",
        "category": "orders",
        "priority": Priority.HIGH,
        "user": f"user-{notification}",
        "event_id": f"event-{notification}",
        "notification_id": notification,
        "delivery_id": ""
        if stage in (Stage.SUPPRESSED, Stage.HELD)
        else f"delivery-{notification}",
        "channel": channel,
        "catalogue": "c1",
    }
    return DeliveryEvent(**{**known, **fields})


def sent(notification: str, after: int, **fields: Any) -> list[DeliveryEvent]:
    """Queued, and so long after that the event was accepted, taken by a provider."""
    provider = fields.pop("provider", "fcm")
    return [
        happened(Stage.QUEUED, notification, 1, **fields),
        happened(Stage.SENT, notification, after, provider=provider, **fields),
    ]


STORY = [
    *sent("a", 100, variant="title/short"),
    happened(Stage.DELIVERED, "a", 300, provider="fcm"),
    happened(Stage.OPENED, "a", 5000, provider="link"),
    happened(Stage.CLICKED, "a", 6000, provider="link"),
    *sent("b", 7000, variant="title/long"),
    # A machine opened it, and no person.
    happened(Stage.OPENED, "b", 8000, ".machine", provider="link", detail="machine"),
    # The provider's clock is two seconds behind ours.
    *sent("c", -2000),
    # Put off, then given up.
    happened(Stage.QUEUED, "d", 1),
    happened(Stage.RETRYING, "d", 10, provider="fcm", reason=Reason.TIMEOUT),
    happened(Stage.FAILED, "d", 20, provider="fcm", reason=Reason.UNREGISTERED, attempt=1),
    # Nobody ever heard of it again.
    happened(Stage.QUEUED, "e", 1),
    happened(Stage.SUPPRESSED, "f", 1, reason=Reason.OPTED_OUT, detail="category orders"),
    happened(Stage.SUPPRESSED, "g", 1, reason=Reason.OPTED_OUT),
    # Waited for the morning, so its eight hours say nothing of how fast we are.
    happened(Stage.HELD, "h", 1, ".quiet_hours", reason=Reason.QUIET_HOURS),
    *sent("h", 28_800_000),
    *sent("i", 400, channel=Channel.SMS, provider="twilio"),
    happened(Stage.SENT, "j", 500, channel=Channel.SMS, provider="twilio", segments=3, cost=0.225),
    happened(Stage.BOUNCED, "j", 900, channel=Channel.SMS, provider="twilio", detail="hard: gone"),
]
"""Ten notifications, a to j, all of one moment."""
