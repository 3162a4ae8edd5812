"""What comes back about a message, and what follows from it for its user."""

from enum import StrEnum

from msgspec import Struct

from policy.delivery_events import reported
from policy.time.timestamps import moment
from policy.tracking.ticket import Ticket
from schemas.delivery_event import DeliveryEvent
from schemas.feedback import Feedback, Receipt, Suppression
from schemas.profile import Subscription
from schemas.vocabulary import Channel, Stage, SuppressionReason

MOST_DETAIL = 300
"""Characters of what a provider says that are kept."""
_DAY_MS = 86_400_000


class Kind(StrEnum):
    """What is reported; STOP and START are of a phone number, the rest of a message."""

    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    COMPLAINED = "complained"
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    RESUBSCRIBED = "resubscribed"
    STOP = "stop"
    START = "start"


class Report(Struct, frozen=True, kw_only=True):
    """One event, as far as a provider reports it.

    `ticket` is the text that the message carried, `reference` what counts where it had no room for
    one, or came back without it, and `channel` the one whose sink then knows the ticket;
    `address` is what the provider calls the recipient; `at` is epoch ms. A `hard` bounce says that
    nobody can be reached there; what a `machine` opened or clicked, nobody has read. `carrier` is
    that of policy.tracking.carrier, where the provider tells it.
    """

    kind: Kind
    at: int
    ticket: str = ""
    reference: str = ""
    address: str = ""
    detail: str = ""
    hard: bool = False
    machine: bool = False
    carrier: str = ""
    channel: Channel = Channel.SMS


_STAGES = {
    Kind.DELIVERED: Stage.DELIVERED,
    Kind.BOUNCED: Stage.BOUNCED,
    Kind.FAILED: Stage.FAILED,
    Kind.COMPLAINED: Stage.COMPLAINED,
    Kind.OPENED: Stage.OPENED,
    Kind.CLICKED: Stage.CLICKED,
    Kind.UNSUBSCRIBED: Stage.UNSUBSCRIBED,
}


def told(ticket: Ticket, report: Report, provider: str) -> DeliveryEvent | None:
    """The delivery event; the same report again makes the same one."""
    stage = _STAGES.get(report.kind)
    if stage is None:
        return None
    said, again = shown(report.detail), ""
    if report.machine:
        said, again = "machine", "machine"
    elif stage is Stage.BOUNCED:
        again = "" if report.hard else "soft"
        said = ": ".join(filter(None, ("hard" if report.hard else "soft", said)))
    return reported(
        ticket,
        stage,
        report.at,
        provider=provider,
        detail=said,
        again=again,
        carrier=report.carrier,
    )


def feedback_of(ticket: Ticket, report: Report) -> Feedback | None:
    """What a user did, so that what is pending unless it happens is dropped."""
    if report.machine or report.kind not in (Kind.OPENED, Kind.CLICKED):
        return None
    return Feedback(
        user=ticket.user,
        tenant=ticket.tenant,
        accepted_at=ticket.accepted_at,
        notification_id=ticket.notification_id.hex(),
        stage="opened" if report.kind is Kind.OPENED else "clicked",
        at=moment(report.at),
    )


def receipt_of(ticket: Ticket, report: Report) -> Receipt | None:
    """That the message arrived, so that what is pending unless it does is dropped."""
    if report.kind is not Kind.DELIVERED:
        return None
    return Receipt(
        user=ticket.user,
        tenant=ticket.tenant,
        accepted_at=ticket.accepted_at,
        notification_id=ticket.notification_id.hex(),
        channel=ticket.channel,
        at=moment(report.at),
    )


def suppression_of(ticket: Ticket, report: Report, bounce_days: int) -> Suppression | None:
    """What bars the address from now on."""
    if report.kind is Kind.BOUNCED and report.hard:
        reason, until = SuppressionReason.HARD_BOUNCE, moment(report.at + bounce_days * _DAY_MS)
    elif report.kind is Kind.COMPLAINED:
        reason, until = SuppressionReason.COMPLAINT, None
    else:
        return None
    return Suppression(
        user=ticket.user,
        tenant=ticket.tenant,
        accepted_at=ticket.accepted_at,
        channel=ticket.channel,
        reason=reason,
        at=moment(report.at),
        until=until,
        address=report.address,
        notification_id=ticket.notification_id.hex(),
        delivery_id=ticket.delivery_id.hex(),
    )


def subscription_of(ticket: Ticket, report: Report) -> Subscription | None:
    """What was left or taken up again by one click."""
    if report.kind not in (Kind.UNSUBSCRIBED, Kind.RESUBSCRIBED):
        return None
    return Subscription(
        user=ticket.user,
        tenant=ticket.tenant,
        category=ticket.category,
        channel=ticket.channel,
        at=moment(report.at),
        subscribed=report.kind is Kind.RESUBSCRIBED,
    )


def shown(text: str) -> str:
    """What a provider says, on one line and not too long."""
    return "".join(c if c.isprintable() else " " for c in text[:MOST_DETAIL]).strip()
