"""Delivery events of a busy week, whose figures are known beforehand."""

import time
from collections.abc import Iterator

from policy.identity import delivery_event_id
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Channel, Priority, Reason, Stage

WEEK_MS = 7 * 86_400_000
TENANT = "acme"
TYPES = tuple(f"type_{number:02}" for number in range(40))
USERS = 1_000_000
STAGES = (Stage.QUEUED, Stage.SENT, Stage.DELIVERED, Stage.OPENED)
"""Of each notification that goes out, one row each; every fifth does not, which is one row."""
PER_FIVE = 4 * len(STAGES) + 1
"""Rows of five notifications."""
CHANNELS = (Channel.PUSH, Channel.EMAIL, Channel.INAPP, Channel.PUSH)
PROVIDERS = {Channel.PUSH: "fcm", Channel.EMAIL: "sendgrid", Channel.INAPP: "inbox"}


def happenings(rows: int, name: str = "", end: int | None = None) -> Iterator[DeliveryEvent]:
    """So many rows, spread evenly over the week before `end` (epoch ms), now unless given."""
    end = time.time_ns() // 1_000_000 if end is None else end
    notifications = max(1, rows * 5 // PER_FIVE)
    made = number = 0
    while made < rows:
        at = end - WEEK_MS + number * WEEK_MS // (notifications + 1)
        for event in _notification(name, number, at):
            if made == rows:
                return
            made += 1
            yield event
        number += 1


def _notification(name: str, number: int, at: int) -> Iterator[DeliveryEvent]:
    channel = CHANNELS[number % len(CHANNELS)]
    notification = f"{name}{number:024x}"
    goes_out = number % 5 != 0
    for step, stage in enumerate(STAGES if goes_out else (Stage.SUPPRESSED,)):
        yield DeliveryEvent(
            id=delivery_event_id(notification, channel, stage, 0),
            stage=stage,
            at=at + (0, 250, 900, 60_000)[step],
            occurred_at=at,
            accepted_at=at,
            tenant=TENANT,
            type=TYPES[number % len(TYPES)],
            category="orders",
            priority=Priority.HIGH,
            user=f"user-{number * 7919 % USERS:07}",
            event_id=f"event-{number:012x}",
            notification_id=notification,
            delivery_id=notification if goes_out else "",
            channel=channel,
            reason=Reason.NONE if goes_out else Reason.OPTED_OUT,
            provider=PROVIDERS[channel] if step else "",
            detail="" if goes_out else "by user, category and channel",
            catalogue="5d41402abc4b",
        )
