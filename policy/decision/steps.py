"""Taking a step of a notification: each of its channels goes out, waits, is gathered or silent."""

from collections.abc import Container

from policy.decision.builder import Draft
from policy.decision.decision import Outcome
from policy.decision.deferral import BESIDE, OVERDUE_MS, UNREAD, later_step, wait
from policy.decision.rule import Gather, Later, StandBy
from policy.decision.rule_explanations import shown_presence
from policy.digest.digest import gather, join_digest
from policy.limits.limits import counts_of, spend
from policy.notification_type import Step
from schemas.vocabulary import Channel, Reason, Stage

_MAY_COME = "contacts that may have another address are still unread"
_WITHOUT_ADDRESS = (Reason.NO_ADDRESS, Reason.SUPPRESSED_ADDRESS)

Unread = dict[Channel, Reason]
"""Channels that have no address yet that can be used, while older contacts are still unread."""


def take_step(
    draft: Draft, channels: Container[Channel] | None = None, *, is_next_timed: bool = False
) -> None:
    """Decide the draft's step on these of its channels, or on all, and time what follows.

    The next step is timed once no channel of this one waits any more. Where nothing of the
    notification went out, in this step or before, there is nothing that the user might have seen,
    so the next step is taken at once.

    A channel without an address waits while contacts are unread that Kafka took before, unless
    another goes out in its place. Where anything else goes out, the next step is timed by that.
    """
    while True:
        step = draft.spec.steps[draft.step]
        later, unread = _decide_channels(draft, step, channels)
        may_come: dict[Channel, tuple[Reason, str]] = {}
        if unread:
            unread = _without_replaced(draft, step, unread, later)
            may_come = {channel: (reason, _MAY_COME) for channel, reason in unread.items()}
        if later:
            # Only quiet hours and send windows put off, both for all channels that make a sound.
            due_at = next(iter(later.values())).due_at
            why = {channel: each.said for channel, each in later.items()} | may_come
            suffix = BESIDE if is_next_timed else ""
            wait(draft, why, due_at, _unless(draft, step), suffix, is_quiet=True)
            return
        if unread:
            wait(draft, may_come, _known_at(draft), _unless(draft, step), UNREAD)
        if is_next_timed or draft.step + 1 == len(draft.spec.steps):
            return
        if draft.sent or draft.waits or draft.before:
            is_overdue = draft.now - draft.when > OVERDUE_MS
            taken_at = draft.now if is_overdue else draft.when
            time_step(draft, draft.step + 1, taken_at + draft.spec.steps[draft.step + 1].after)
            return
        if unread or draft.spec.steps[draft.step + 1].repeat:
            return  # at once, it would be the same again
        draft.step += 1
        channels = None


def go_on_unless(draft: Draft, stage: Stage) -> None:
    """The user did this, so that the draft's step is needless: time the next one that is not.

    Each step looks at its own condition, and comes when it would have come.
    """
    following = later_step(draft.spec, draft.step, draft.when, stage)
    if following is not None:
        time_step(draft, *following)


def time_step(draft: Draft, number: int, due_at: int) -> None:
    """Have a later step wait until then, unless the user does what makes it needless."""
    draft.step, step = number, draft.spec.steps[number]
    said = Reason.ESCALATION, step.shown_condition()
    wait(draft, {plan.channel: said for plan in step.plans}, due_at, step.unless)


def _unless(draft: Draft, step: Step) -> Stage | None:
    return step.unless if draft.step else None  # nothing but an escalation has one


def _known_at(draft: Draft) -> int:
    """Up to when contacts must be read (ms), for "no address" to be final."""
    return max(draft.request.accepted_at, draft.when)


def _may_come(draft: Draft) -> bool:
    """Whether an address may stand in contacts that are still unread."""
    return draft.state.addresses_read_to < _known_at(draft)


def _without_replaced(
    draft: Draft, step: Step, unread: Unread, later: Container[Channel]
) -> Unread:
    """Those that have yet to be waited for; the others are reported as they are."""
    replaced = _replaced(draft, step, later)
    for channel, reason in unread.items():
        if channel in replaced:
            draft.suppress(channel, reason, _MAY_COME)
    return {channel: unread[channel] for channel in unread if channel not in replaced}


def _replaced(draft: Draft, step: Step, later: Container[Channel]) -> set[Channel]:
    """The channels for which another went out or was gathered; all that waits is asked again."""
    going = {*draft.gone(), *(each for each in draft.waits if each not in later)}
    standing_by = {
        plan.channel
        for plan in step.plans
        if plan.channel in draft.waits and {*plan.instead_of} & {*draft.waits}
    }
    return {
        other
        for plan in step.plans
        if plan.channel in going - standing_by
        for other in plan.instead_of
    }


def _decide_channels(
    draft: Draft, step: Step, channels: Container[Channel] | None
) -> tuple[dict[Channel, Later], Unread]:
    """What is put off, and what has no address as far as is known yet."""
    profile = draft.profile
    is_online = (profile.online or profile.left_at) and profile.is_online(
        draft.now, draft.spec.online_grace
    )
    if draft.trace is not None and step.online_plans != step.plans:
        draft.trace(draft.step, None, "presence", shown_presence(draft), None)
    later: dict[Channel, Later] = {}
    unread: Unread = {}
    for plan in step.online_plans if is_online else step.plans:
        if channels is not None and plan.channel not in channels:
            continue
        draft.look_at(plan)
        before = None if draft.allowance is None else counts_of(draft)
        verdict = draft.objection()
        if verdict is None:
            content = draft.rendered(plan)
            verdict = None if before is None else spend(draft, content, before)
            if verdict is None:
                draft.deliver(content)
                continue
        if isinstance(verdict, Outcome):
            if verdict.reason in _WITHOUT_ADDRESS and _may_come(draft):
                unread[plan.channel] = verdict.reason
            else:
                draft.outcomes += (verdict,)
        elif isinstance(verdict, Gather):
            gather(draft, verdict)
        elif isinstance(verdict, StandBy):
            _stand_by(draft, verdict, later)
        else:
            draft.waits += (plan.channel,)
            later[plan.channel] = verdict
    return later, unread


def _stand_by(draft: Draft, verdict: StandBy, later: dict[Channel, Later]) -> None:
    """Wait with the channel that is stood by for, or in the digest that it is gathered in."""
    channel = draft.plan.channel
    for other in verdict.waited_for:
        if other in later:
            draft.waits += (channel,)
            later[channel] = Later(later[other].due_at, Reason.FALL_BACK, verdict.detail)
            return
    join_digest(draft, verdict.waited_for, verdict.detail)
