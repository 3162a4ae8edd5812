"""What waited is due: decided again, on the day as it is now."""

from policy.audience.actor import unheard
from policy.decision.builder import Draft, Trace, draft_of
from policy.decision.decide import expires_at, is_cancelled
from policy.decision.decision import Decision, Outcome
from policy.decision.deferral import UNREAD, is_engaged, is_next_timed, notification_of
from policy.decision.ending import is_over, said_of
from policy.decision.steps import go_on_unless, take_step
from policy.limits.counting import share_counted
from policy.notification_type import NotificationType
from policy.time.timestamps import epoch_ms
from policy.user.ledger import Held
from policy.user.state import UserState
from schemas.errors import BadRecord
from schemas.vocabulary import Reason, Stage


def resume(
    name: str,
    held: Held,
    spec: NotificationType,
    state: UserState,
    now: int,
    trace: Trace | None = None,
) -> Decision:
    """Decide at `now` (epoch ms) what waited as `name`; every rule is asked again.

    It counts against limits as of when it was due, however late that is noticed. What can't be
    rendered, since the catalogue has changed since it was deferred, is suppressed.
    """
    request = held.request
    draft = _draft(name, held, spec, state, now, trace)
    refusal, is_timed = _refusal(name, held, spec, state, draft), is_next_timed(name, held)
    if refusal is None:
        try:
            take_step(draft, held.channels, is_next_timed=is_timed)
            draft.outcomes += _gone(held, draft)
            share_counted(draft, {draft.name: request.event.data})
        except BadRecord as error:
            draft = _draft(name, held, spec, state, now, trace)
            refusal = error.reason, error.detail
    if refusal is not None:
        reason, detail = refusal
        draft.outcomes += tuple(Outcome(channel, reason, detail) for channel in held.channels)
        if reason is Reason.ENGAGED and not is_timed:
            go_on_unless(draft, Stage(detail))
    return draft.decision()


def _draft(
    name: str,
    held: Held,
    spec: NotificationType,
    state: UserState,
    now: int,
    trace: Trace | None,
) -> Draft:
    request, waiting = held.request, state.ledger.waiting[name]
    occurred_at = epoch_ms(request.event.occurred_at)
    end = expires_at(request, spec)
    when = waiting.due_at
    # Then it waited for nothing but the reading of what had been accepted before it.
    is_read_late = name.endswith(UNREAD) and when <= request.accepted_at
    if is_read_late:
        when = end - spec.time_to_live
    draft = draft_of(
        notification_of(name), request, spec, state, occurred_at, now, when, end, trace
    )
    draft.step, draft.before, draft.waited = held.step, held.sent, not is_read_late
    draft.counted = draft.counted_before = held.counted + waiting.counted
    draft.waiting = {other: left for other, left in draft.waiting.items() if other != name}
    draft.release += ((name,),)
    return draft


def _gone(held: Held, draft: Draft) -> tuple[Outcome, ...]:
    """Why nothing was sent on channels that the step had when it was deferred, and has no more."""
    told = {*draft.sent, *(outcome.channel for outcome in draft.outcomes)}
    detail = "the catalogue has it no more"
    return tuple(
        Outcome(channel, Reason.UNKNOWN_TYPE, detail)
        for channel in held.channels
        if channel not in told
    )


def _refusal(
    name: str, held: Held, spec: NotificationType, state: UserState, draft: Draft
) -> tuple[Reason, str] | None:
    if draft.now >= draft.expires_at:
        return Reason.EXPIRED, ""
    if is_cancelled(held.request, state):
        return Reason.CANCELLED, held.request.event.cancel_key or ""
    if is_over(held.request, state.ended_at):
        return Reason.CANCELLED, said_of(spec.until)
    reason = unheard(held.request.event, held.request.user, spec, state.profile)
    if reason:
        return reason, ""
    engaged = is_engaged(state.ledger, name)
    if engaged is not None:
        return Reason.ENGAGED, engaged
    if held.step >= len(spec.steps):
        return Reason.UNKNOWN_TYPE, f"{spec.name} has no such step any more"
    return None
