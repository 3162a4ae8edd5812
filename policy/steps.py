"""Taking a step of a notification: each of its channels goes out, waits, is gathered or silent."""

from collections.abc import Container

from policy.decision import Outcome
from policy.digest import gather
from policy.draft import Draft
from policy.later import wait
from policy.notification_type import Step
from policy.rule import Gather, Later
from policy.shown import shown_presence
from schemas.vocabulary import Channel, Reason


def take_step(draft: Draft, channels: Container[Channel] | None = None) -> None:
    """Decide the draft's step on these of its channels, or on all, and time what follows.

    The next step is timed once no channel of this one waits any more. Where none of them could
    be used, there is nothing that the user might have seen, so the next step is taken at once.
    """
    while True:
        step = draft.spec.steps[draft.step]
        later = _decide_channels(draft, step, channels)
        if later:
            # Only quiet hours put off, and they end at one moment for all channels.
            verdict = next(iter(later.values()))
            unless = step.unless if draft.step else None  # nothing but an escalation has one
            wait(draft, tuple(later), verdict.due_at, verdict.reason, verdict.detail, unless)
            return
        if draft.step + 1 == len(draft.spec.steps):
            return
        draft.step += 1
        if draft.sent or draft.waits:
            _time(draft, draft.spec.steps[draft.step])
            return
        channels = None


def _time(draft: Draft, step: Step) -> None:
    channels = tuple(plan.channel for plan in step.plans)
    detail = f"unless {step.unless} within {step.after // 1000} s"
    wait(draft, channels, draft.when + step.after, Reason.ESCALATION, detail, step.unless)


def _decide_channels(
    draft: Draft, step: Step, channels: Container[Channel] | None
) -> dict[Channel, Later]:
    profile = draft.profile
    is_online = profile.online and profile.is_online(draft.now, draft.spec.online_grace)
    if draft.trace is not None and step.online_plans != step.plans:
        draft.trace(draft.step, None, "presence", shown_presence(draft), None)
    later = {}
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
        else:
            draft.waits += (plan.channel,)
            later[plan.channel] = verdict
    return later
