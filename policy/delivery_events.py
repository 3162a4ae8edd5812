"""What is reported to analysts: delivery events built from decisions and outcomes."""

from msgspec.structs import replace

from policy.condition import MOST_SHOWN, Condition
from policy.decision.context import NOWHERE
from policy.decision.decision import Decision, Outcome
from policy.experiments.holdout import groups
from policy.identity import delivery_event_id, goal_id, notification_id
from policy.notification_type import NotificationType
from policy.quiet_hours import zone_of
from policy.time.timestamps import epoch_ms
from policy.tracking.ticket import Ticket
from policy.user.state import UserState
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.event import Event
from schemas.feed import Post
from schemas.request import Origin, Request
from schemas.trace import trace_id_of
from schemas.vocabulary import Reason, Stage

_QUEUED = Stage.QUEUED  # see schemas.vocabulary
_OF_ITS_EVENT = frozenset((Reason.DUPLICATE, Reason.CONFLICT))


def not_sent(
    request: Request,
    spec: NotificationType,
    notification: str,
    outcome: Outcome,
    now: int,
) -> DeliveryEvent:
    """Decided not to send, or not yet or not by itself, on one channel or on all."""
    name = delivery_event_id(notification, outcome.channel, outcome.stage, 0)
    told = DeliveryEvent(
        id=f"{name}.{outcome.reason}" if _may_come_again(outcome) else name,
        stage=outcome.stage,
        at=now,
        occurred_at=epoch_ms(request.event.occurred_at),
        accepted_at=request.accepted_at,
        tenant=request.event.tenant,
        type=spec.name,
        category=spec.category,
        priority=spec.priority,
        user=request.user,
        event_id=request.event.id,
        notification_id=notification,
        channel=outcome.channel,
        reason=outcome.reason,
        detail=outcome.detail,
        catalogue=spec.catalogue,
    )
    if outcome.digest or request.origin.source or request.event.trace:
        trace = trace_id_of(request.event.trace)
        return replace(told, digest=outcome.digest, origin=request.origin.source, trace=trace)
    return told


def _may_come_again(outcome: Outcome) -> bool:
    """Whether it may be said of a notification beside something else of the same stage: it is held
    for one reason and later for another, and its event comes again, whatever became of it first."""
    return outcome.stage is Stage.HELD or outcome.reason in _OF_ITS_EVENT


def reached(
    delivery: Delivery,
    stage: Stage,
    at: int,
    *,
    reason: Reason = Reason.NONE,
    provider: str = "",
    detail: str = "",
    segments: int = 0,
    cost: float = 0.0,
) -> DeliveryEvent:
    """A delivery reached a stage."""
    # No more than 15 keywords at once: CPython passes more in a dict, at four times the cost.
    told = DeliveryEvent(
        id=delivery_event_id(delivery.delivery_id, delivery.channel, stage, delivery.attempt),
        stage=stage,
        at=at,
        occurred_at=delivery.occurred_at,
        accepted_at=delivery.accepted_at,
        tenant=delivery.tenant,
        type=delivery.type,
        category=delivery.category,
        priority=delivery.priority,
        user=delivery.user,
        event_id=delivery.event_id,
        notification_id=delivery.notification_id,
        delivery_id=delivery.delivery_id,
        channel=delivery.channel,
        catalogue=delivery.catalogue,
    )
    attempt, variant, origin = delivery.attempt, delivery.variant, delivery.origin
    if delivery.trace:
        told = replace(told, trace=trace_id_of(delivery.trace))
    if delivery.attribute:
        told = replace(told, attribute=delivery.attribute)
    if not (reason or provider or attempt or detail or segments or cost or variant or origin):
        return told
    return replace(
        told,
        reason=reason,
        provider=provider,
        attempt=attempt,
        detail=detail,
        segments=segments,
        cost=cost,
        variant=variant,
        origin=origin,
    )


def queued(delivery: Delivery, decision: Decision, state: UserState, now: int) -> DeliveryEvent:
    """A delivery was handed to its channel; with where its user lives, as far as that is known, and
    when a digest was due."""
    told, zone = reached(delivery, _QUEUED, now), zone_of(state.profile, state.tenant)
    zone = "" if zone == "UTC" else zone
    if not (zone or decision.due_at):
        return told
    digest = delivery.notification_id if decision.due_at else ""
    return replace(told, zone=zone, digest=digest, due_at=decision.due_at)


def reported(
    ticket: Ticket,
    stage: Stage,
    at: int,
    *,
    provider: str,
    detail: str,
    again: str = "",
    carrier: str = "",
) -> DeliveryEvent:
    """A message reached this stage, as a provider or its reader reports; `again` separates
    several reports of the same stage of one message. `carrier` is whose network it went to."""
    name = delivery_event_id(ticket.delivery_id.hex(), ticket.channel, stage, 0)
    told = DeliveryEvent(
        id=f"{name}.{again}" if again else name,
        stage=stage,
        at=at,
        occurred_at=ticket.occurred_at,
        accepted_at=ticket.accepted_at,
        tenant=ticket.tenant,
        type=ticket.type,
        category=ticket.category,
        priority=ticket.priority,
        user=ticket.user,
        event_id=ticket.event_id,
        notification_id=ticket.notification_id.hex(),
        delivery_id=ticket.delivery_id.hex(),
        channel=ticket.channel,
        provider=provider,
        detail=detail,
        catalogue=ticket.catalogue,
    )
    if carrier:
        told = replace(told, carrier=carrier)
    context = ticket.context
    return told if context is None else replace(told, trace=context.trace_id)


def read_by_feeds(post: Post, spec: NotificationType, followers: int, now: int) -> DeliveryEvent:
    """Not written to the actor's followers: one row for all of them, under the actor's name."""
    outcome = Outcome(None, Reason.FAN_OUT_ON_READ, f"{followers} followers")
    asked = _asked(post.event, spec, post.event.actor, post.accepted_at)
    return not_sent(asked, spec, post.notification_id, outcome, now)


def passed_over(
    event: Event,
    spec: NotificationType,
    condition: Condition,
    accepted_at: int,
    now: int,
    user: str = "",
    origin: Origin = NOWHERE,
) -> DeliveryEvent:
    """The type is for other events. Without a user it stands for all whom it would tell, under the
    actor's name."""
    name = notification_id(event.tenant, event.id, user, spec.name)
    outcome = Outcome(None, Reason.CONDITION, f"not {condition.source}"[:MOST_SHOWN])
    asked = _asked(event, spec, user or event.actor, accepted_at, origin)
    return not_sent(asked, spec, name, outcome, now)


def assigned(
    request: Request, spec: NotificationType, decision: Decision, now: int
) -> list[DeliveryEvent]:
    """In which groups the user counts of those whose goals are compared, if in any."""
    goal = spec.goal
    if goal is None or not spec.holdouts:
        return []
    is_held_out = any(outcome.reason is Reason.HOLDOUT for outcome in decision.outcomes)
    about = goal.about(request.event)
    if about is None or not (is_held_out or decision.deliveries or decision.keep):
        return []
    outcome = Outcome(None, Reason.NONE, about[:MOST_SHOWN], Stage.ASSIGNED)
    row = not_sent(request, spec, decision.notification_id, outcome, now)
    return [
        replace(row, id=f"{row.id}.{group}", variant=group, within=goal.within // 1000)
        for group in groups(spec.holdouts, request.event.tenant, request.user)
    ]


def did(
    event: Event, spec: NotificationType, user: str, about: str, accepted_at: int, now: int
) -> DeliveryEvent:
    """The user did what a type is to bring about, whether or not they were notified."""
    name = goal_id(event.tenant, event.id, user, spec.name)
    asked = _asked(event, spec, user, accepted_at)
    outcome = Outcome(None, Reason.NONE, about[:MOST_SHOWN], Stage.GOAL)
    return not_sent(asked, spec, name, outcome, now)


def _asked(
    event: Event, spec: NotificationType, user: str, accepted_at: int, origin: Origin = NOWHERE
) -> Request:
    """What would have been asked of the decider."""
    return Request(type=spec.name, user=user, event=event, origin=origin, accepted_at=accepted_at)
