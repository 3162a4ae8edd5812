"""The decision: is this user told of this event, where, and if not, why not."""

from policy.decision import Decision, Suppressed
from policy.dedupe import Mark, mark_key, remember
from policy.eligibility import addresses, refusal
from policy.identity import delivery_id, notification_id
from policy.notification_type import NotificationType, Plan
from policy.rate_limit import Window, admit, store
from policy.user import Ledger, Profile, epoch_ms
from schemas.delivery import Delivery
from schemas.request import Request
from schemas.vocabulary import Channel, Reason

__all__ = ["Decision", "Suppressed", "decide"]


def decide(
    request: Request, spec: NotificationType, profile: Profile, ledger: Ledger, now: int
) -> Decision:
    """Decide at `now` (epoch ms) whether and where `request.user` is told of the event.

    Expiry, presence and quiet hours look at `now`; rate windows and deduplication look at the
    event's own time, so that a replay decides the same. An event's time is never later than
    `accepted_at`: a producer whose clock is ahead can't keep a mark or a window alive.
    Raises BadRecord where the event lacks what a template needs; nothing is counted then.
    """
    event, origin = request.event, request.origin
    at = min(epoch_ms(event.occurred_at), request.accepted_at)
    name = notification_id(event.tenant, event.id, request.user, spec.name)
    key = _mark_key(request, spec, name)
    mark = ledger.marks.get(key)
    # Asked before expiry: a replay after the time to live must not deny what was sent in time.
    if mark is not None and mark.is_from(origin):
        return Decision(name, (), (), ledger, replay=True)
    if now >= at + spec.time_to_live:
        return Decision(name, (), (Suppressed(None, Reason.EXPIRED),), ledger)
    if mark is not None and mark.covers(at):
        first = f"of {mark.topic}/{mark.partition}/{mark.offset}"
        return Decision(name, (), (Suppressed(None, Reason.DUPLICATE, first),), ledger)
    deliveries, suppressed, windows = _channels(request, spec, profile, ledger, name, at, now)
    new = Mark(origin.topic, origin.partition, origin.offset, at, spec.dedupe_hours)
    marks = remember(ledger.marks, key, new)
    return Decision(name, deliveries, suppressed, Ledger(marks, windows))


def _mark_key(request: Request, spec: NotificationType, name: str) -> bytes:
    event = request.event
    if event.idempotency_key is None:
        return mark_key(name)
    return mark_key(notification_id(event.tenant, event.idempotency_key, request.user, spec.name))


def _channels(
    request: Request,
    spec: NotificationType,
    profile: Profile,
    ledger: Ledger,
    name: str,
    at: int,
    now: int,
) -> tuple[tuple[Delivery, ...], tuple[Suppressed, ...], dict[str, Window]]:
    deliveries: list[Delivery] = []
    suppressed: list[Suppressed] = []
    windows = ledger.windows
    sent: list[Channel] = []
    for plan in spec.online_plans if now < profile.online_until else spec.plans:
        known = usable = addresses(profile, plan.channel, request.user)
        if profile.suppressed and plan.channel is not Channel.INAPP:
            usable = tuple(address for address in known if address not in profile.suppressed)
        refused = refusal(plan, spec, profile, known, usable, sent, now)
        if refused is None and plan.limit is not None:
            window = admit(windows.get(plan.window), plan.limit, at)
            if window is None:
                refused = Suppressed(plan.channel, Reason.RATE_LIMITED)
            else:
                windows = store(windows, plan.window, window)
        if refused is not None:
            suppressed.append(refused)
            continue
        deliveries += _deliveries(request, spec, plan, usable, name, at)
        sent.append(plan.channel)
    return tuple(deliveries), tuple(suppressed), windows


def _deliveries(
    request: Request,
    spec: NotificationType,
    plan: Plan,
    usable: tuple[str, ...],
    name: str,
    at: int,
) -> list[Delivery]:
    event = request.event
    content = plan.rendering.content(event)
    return [
        Delivery(
            delivery_id=delivery_id(name, plan.channel, address),
            notification_id=name,
            event_id=event.id,
            type=spec.name,
            category=spec.category,
            user=request.user,
            channel=plan.channel,
            priority=spec.priority,
            address=address,
            content=content,
            occurred_at=epoch_ms(event.occurred_at),
            accepted_at=request.accepted_at,
            expires_at=at + spec.time_to_live,
            catalogue=spec.catalogue,
            tenant=event.tenant,
        )
        for address in usable
    ]
