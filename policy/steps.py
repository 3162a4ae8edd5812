"""Taking a step of a notification: each of its channels goes out, waits, is gathered or silent."""

from collections.abc import Container

from policy.decision import Outcome
from policy.digest import gather, join_digest
from policy.draft import Draft
from policy.later import later_step, wait
from policy.notification_type import Step
from policy.rule import Gather, Later, StandBy
from policy.shown import shown_presence
from schemas.vocabulary import Channel, Reason, Stage


def take_step(draft: Draft, channels: Container[Channel] | None = None) -> None:
    """Decide the draft's step on these of its channels, or on all, and time what follows.

    The next step is timed once no channel of this one waits any more. Where nothing of the
    notification went out, in this step or before, there is nothing that the user might have seen,
    so the next step is taken at once.
    """
    while True:
        step = draft.spec.steps[draft.step]
        later = _decide_channels(draft, step, channels)
        if later:
            # Only quiet hours put off, and they end at one moment for all channels.
            due_at = next(iter(later.values())).due_at
            unless = step.unless if draft.step else None  # nothing but an escalation has one
            why = {name: each.said for name, each in later.items()}
            wait(draft, why, due_at, unless, is_quiet=True)
            return
        if draft.step + 1 == len(draft.spec.steps):
            return
        if draft.sent or draft.waits or draft.before:
            time_step(draft, draft.step + 1, draft.when + draft.spec.steps[draft.step + 1].after)
            return
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


def _decide_channels(
    draft: Draft, step: Step, channels: Container[Channel] | None
) -> dict[Channel, Later]:
    profile = draft.profile
    is_online = (profile.online or profile.left_at) and profile.is_online(
        draft.now, draft.spec.online_grace
    )
    if draft.trace is not None and step.online_plans != step.plans:
        draft.trace(draft.step, None, "presence", shown_presence(draft), None)
    later: dict[Channel, Later] = {}
    for plan in step.online_plans if is_online else step.plans:
        if channels is not None and plan.channel not in channels:
            continue
        draft.look_at(plan)
        verdict = draft.objection()
        if verdict is None:
            draft.deliver(plan.rendering.content(draft.request.event, draft.locale))
        elif isinstance(verdict, Outcome):
            draft.outcomes += (verdict,)
        elif isinstance(verdict, Gather):
            gather(draft, verdict)
        elif isinstance(verdict, StandBy):
            _stand_by(draft, verdict, later)
        else:
            draft.waits += (plan.channel,)
            later[plan.channel] = verdict
    return later


def _stand_by(draft: Draft, verdict: StandBy, later: dict[Channel, Later]) -> None:
    """Wait with the channel that is stood by for, or in the digest that it is gathered in."""
    channel = draft.plan.channel
    for other in verdict.waited_for:
        if other in later:
            draft.waits += (channel,)
            later[channel] = Later(later[other].due_at, Reason.FALL_BACK, verdict.detail)
            return
    join_digest(draft, verdict.waited_for, verdict.detail)
