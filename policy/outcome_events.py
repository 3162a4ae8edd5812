"""Which delivery events are outcomes that other services are told of, and in which words."""

from urllib.parse import quote

from policy.identity import notification_id
from policy.time.timestamps import timestamp
from schemas.delivery_event import DeliveryEvent
from schemas.outcome import TYPE, Outcome, OutcomeData
from schemas.vocabulary import Reason, Stage

TOLD = frozenset(
    {
        Stage.SUPPRESSED,
        Stage.DIGESTED,
        Stage.SENT,
        Stage.DELIVERED,
        Stage.SEEN,
        Stage.OPENED,
        Stage.CLICKED,
        Stage.BOUNCED,
        Stage.COMPLAINED,
        Stage.UNSUBSCRIBED,
        Stage.FAILED,
    }
)
"""Stages that say how it ended, or what its user did; the others are on the way there."""
_MACHINE = "machine"
"""The detail of what a mail scanner has opened or clicked."""


def outcome_of(event: DeliveryEvent, prefix: str = "") -> Outcome | None:
    """The outcome that a delivery event is, where names in Kafka have this prefix.

    None for what is no end, for what no person did, and for rows that stand for everybody whom an
    event might have reached.
    """
    if event.stage not in TOLD or event.detail == _MACHINE or _is_of_nobody(event):
        return None
    return Outcome(
        id=event.id,
        source=f"/{quote(prefix, safe='')}tocsin/{quote(event.tenant, safe='')}",
        type=f"{TYPE}{event.stage}.v1",
        subject=event.notification_id,
        time=timestamp(event.at),
        data=OutcomeData(
            tenant=event.tenant,
            user=event.user,
            notification_id=event.notification_id,
            event_id=event.event_id,
            type=event.type,
            category=event.category,
            priority=event.priority,
            occurred_at=timestamp(event.occurred_at),
            channel=event.channel,
            delivery_id=event.delivery_id,
            reason=_reason(event),
            provider=event.provider,
            digest=event.digest,
            variant=event.variant,
            origin=event.origin,
        ),
    )


def _reason(event: DeliveryEvent) -> str:
    if event.stage is Stage.BOUNCED:
        return event.detail.partition(":")[0]
    return str(event.reason)


def _is_of_nobody(event: DeliveryEvent) -> bool:
    if event.reason is Reason.FAN_OUT_ON_READ:
        return True
    if event.reason is not Reason.CONDITION:
        return False
    everybody = notification_id(event.tenant, event.event_id, "", event.type)
    return event.notification_id == everybody
