"""The decision: is this user notified of this event, where and when, and if not, why not."""

from msgspec.structs import replace

from policy.audience.actor import unheard
from policy.body import counted_digest, is_another_body
from policy.decision.builder import Draft, Trace, draft_of
from policy.decision.decision import Decision, Outcome
from policy.decision.deferral import OVERDUE_MS, wait
from policy.decision.ending import is_over, said_of
from policy.decision.precondition_explanations import Opening
from policy.decision.replacing import is_outdated, noted, replaces
from policy.decision.replacing import shown as shown_thing
from policy.decision.steps import take_step
from policy.dedupe import LATE_MS, Mark, Spilled, mark_key, mark_of, remember, spilled_by
from policy.experiments.holdout import held_out, held_out_by
from policy.identity import counted_id, notification_id
from policy.message import message_of
from policy.notification_type import YEAR_MS, NotificationType
from policy.time.best_hour import shown_hour, worth_waiting_for
from policy.time.timestamps import epoch_ms
from policy.user.state import UserState
from schemas.errors import BadRecord
from schemas.request import Request
from schemas.vocabulary import Reason


def decide(
    request: Request,
    spec: NotificationType,
    state: UserState,
    now: int,
    trace: Trace | None = None,
) -> Decision:
    """Decide at `now` (epoch ms) whether, where and when `request.user` is notified of the event.

    Expiry, presence and quiet hours look at `now`; rate windows and deduplication look at the
    event's own time, so that a replay decides the same. An event's time is never later than
    `accepted_at`: a producer whose clock is ahead can't keep a mark or a window alive.
    Raises BadRecord where the event lacks what a template needs; nothing is counted then.
    """
    event, origin, ledger = request.event, request.origin, state.ledger
    at = occurred_at = epoch_ms(event.occurred_at)
    if at > request.accepted_at:
        at = request.accepted_at
    name = notification_id(event.tenant, event.id, request.user, spec.name)
    has_key = event.idempotency_key is not None
    key = mark_key(counted_id(event, request.user, spec.name) if has_key else name)
    mark = mark_of(ledger.marks, key)
    if mark is None and state.spilled:
        mark = mark_of(state.spilled, key)
    # Asked before expiry: a replay after the time to live must not deny what was sent in time.
    if mark is not None and mark.is_from(origin):
        return Decision(name, (), (), ledger, replay=True)
    start = starts_at(request, spec, at)
    expires_at = start + spec.time_to_live
    refusal = _refusal(request, spec, mark, state, at, now >= expires_at)
    if trace is not None:
        opening = Opening(request, spec, state, mark, at, start, now)
        for rule, shown, objection in opening.asked(refusal):
            trace(0, None, rule, shown, objection)
    if refusal is not None:
        return Decision(name, (), (refusal,), ledger)
    draft = draft_of(name, request, spec, state, occurred_at, now, start, expires_at, trace)
    new = Mark(origin.partition, origin.offset, at, spec.dedupe_hours, counted_digest(request))
    draft.marks = remember(ledger.marks, key, new, is_new=mark is None)
    is_late = request.accepted_at - at >= LATE_MS
    # Where nothing was dropped, there are more bytes than before.
    if is_late or len(draft.marks) <= len(ledger.marks):
        _spill(draft, spilled_by(ledger.marks, key, new, request.accepted_at, is_late=is_late))
    if spec.replaces and (about := replaces(request, spec)):
        draft.newest = noted(request, about, ledger.newest)
    _begin(draft, at)
    if spec.holdouts and (draft.deliveries or draft.keep):
        # Last, so that both groups are of those alone whom nothing known by now keeps from it.
        found = _held_out(draft, spec)
        if found is not None:
            until = draft.spilled_until
            left = replace(ledger, marks=draft.marks, newest=draft.newest, spilled_until=until)
            return Decision(name, (), (found,), left, spilled=draft.spilled)
    return draft.decision()


def _spill(draft: Draft, spilled: tuple[Spilled, ...]) -> None:
    draft.spilled = spilled
    for until, _ in spilled:
        draft.spilled_until = max(draft.spilled_until, until)


def _held_out(draft: Draft, spec: NotificationType) -> Outcome | None:
    tenant, user = draft.request.event.tenant, draft.request.user
    found = held_out_by(spec.holdouts, tenant, user)
    outcome = None if found is None else held_out(found)
    if draft.trace is not None:
        asked = (found,) if found is not None else spec.holdouts
        shown = "; ".join(each.shown(tenant, user) for each in asked)
        draft.trace(0, None, "holdout", shown, outcome)
    return outcome


def _begin(draft: Draft, at: int) -> None:
    """Take the first step, or have it wait: for its start, or for the best hour from then on."""
    spec, start, why = draft.spec, draft.when, ""
    after = draft.request.after
    if after and OVERDUE_MS < draft.now - (start - after) < spec.time_to_live:
        start = draft.now + after  # those before are told only now, too, and have their time
    # An event that is ahead of us only as clocks differ does not wait.
    due = start if start > max(at, draft.now) else None
    if spec.at_best_hour:
        found = worth_waiting_for(draft)
        shown = shown_hour(draft.profile.best_hour, draft.profile.local_hour)
        if draft.trace is not None:
            draft.trace(0, None, "best hour", shown, None)
        if found is not None:
            due, why = found, shown
    named = message_of(draft.request.event).channels if spec.names_channels else None
    if due is None:
        take_step(draft, named)
    else:
        said = Reason.SCHEDULED, why
        used = (plan.channel for plan in spec.steps[0].plans)
        wait(draft, {each: said for each in used if named is None or each in named}, due)


def starts_at(request: Request, spec: NotificationType, at: int) -> int:
    """When the first step is due (epoch ms): at once, or as the event or its type delays it.

    Raises BadRecord for more than a year ahead.
    """
    wanted = request.event.deliver_at
    start = at + spec.delay
    if request.after and request.accepted_at - start > OVERDUE_MS:
        start = request.accepted_at  # those before were told then, and have their time
    if wanted is None:
        return start + request.after
    start = max(start, epoch_ms(wanted))
    if start > request.accepted_at + YEAR_MS:
        raise BadRecord(Reason.INVALID, f"deliver_at is over a year ahead: {wanted.isoformat()}")
    return start + request.after


def expires_at(request: Request, spec: NotificationType) -> int:
    """From when on (epoch ms) a deferred notification is not to be sent any more."""
    at = min(epoch_ms(request.event.occurred_at), request.accepted_at)
    return starts_at(request, spec, at) + spec.time_to_live


def _refusal(
    request: Request,
    spec: NotificationType,
    mark: Mark | None,
    state: UserState,
    at: int,
    expired: bool,
) -> Outcome | None:
    # Asked before its time: what was told when it came first is not told to be too old when its
    # producer sends it again.
    if mark is not None and mark.covers(at):
        first = f"of events/{mark.partition}/{mark.offset}"
        if is_another_body(mark.body, request):
            return Outcome(None, Reason.CONFLICT, f"another body under the id or key {first}")
        return Outcome(None, Reason.DUPLICATE, first)
    if expired:
        return Outcome(None, Reason.EXPIRED)
    if is_cancelled(request, state):
        return Outcome(None, Reason.CANCELLED, request.event.cancel_key or "")
    if is_over(request, state.ended_at):
        return Outcome(None, Reason.CANCELLED, said_of(spec.until))
    about = replaces(request, spec) if spec.replaces else ""
    if about and is_outdated(request, about, state.ledger.newest):
        return Outcome(None, Reason.CANCELLED, f"a later one of {shown_thing(spec)} came first")
    reason = unheard(request.event, request.user, spec, state.profile)
    return Outcome(None, reason) if reason else None


def is_cancelled(request: Request, state: UserState) -> bool:
    """Whether the event's cancel key was cancelled at or after the event."""
    return request.event.cancel_key is not None and is_over(request, state.cancelled_at)
