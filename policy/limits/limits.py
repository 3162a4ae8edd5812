"""The rule of the rate limits: all must let it through, and only then does it count in any."""

from policy.decision.builder import Draft
from policy.decision.decision import Outcome
from policy.decision.rule import LIMIT, Gather, Later, Verdict
from policy.digest.windows import fixed
from policy.limits.rate_limit import Window, admit, count_in, free_at, store, used_of
from policy.notification_type import Limited
from policy.time.duration import shown
from policy.user.state import Quota
from schemas.delivery import Content
from schemas.vocabulary import Channel, Priority, Reason

ACTOR = "actor."
TRANSACTIONAL = "transactional"
"""The window of types that are, by channel: chatter must not use up what a receipt needs."""
Counts = tuple[dict[str, Window], Quota | None, tuple[str, ...]]
"""What counts where: windows, the tenant's quota, and which of them count the draft."""
MOST_WINDOWS = 256
"""Windows of one user. Past it, limits by actor forget whom was not heard of for longest."""


def limits(draft: Draft) -> Verdict | None:
    """Over any limit it is dropped, or put into a digest for when there is room again.

    What waited already is never dropped for that, unless it is too old by then.
    """
    passed: list[tuple[Limited, Window]] = []
    for limited in _limited(draft):
        if limited.window in draft.counted:
            continue
        window = draft.windows.get(limited.window)
        admitted = admit(window, limited.limit, draft.when)
        if admitted is None:
            assert window is not None  # noqa: S101  an empty window admits
            return _over(draft, limited, window)
        passed.append((limited, admitted))
    refused = None if draft.quota is None else _count_for_tenant(draft, draft.quota)
    if refused is None:
        for limited, admitted in passed:
            windows = store(draft.windows, limited.window, admitted)
            draft.windows = windows if len(windows) <= MOST_WINDOWS else _without_oldest(windows)
            if limited.once:
                draft.counted += (limited.window,)
    return refused


def _without_oldest(windows: dict[str, Window]) -> dict[str, Window]:
    """Without the actor's window that counted nothing for longest."""
    actors = [name for name in windows if name.startswith(ACTOR)]
    oldest = min(actors, key=lambda name: windows[name].times[-1], default="")
    return {name: window for name, window in windows.items() if name != oldest}


def shown_limits(draft: Draft) -> str:
    """How much of each limit is used, for an explanation."""
    used = []
    for limited in _limited(draft):
        limit, window = limited.limit, draft.windows.get(limited.window)
        start = draft.when - limit.seconds * 1000
        count = sum(start < time <= draft.when for time in window.times) if window else 0
        counted = ", counted already" if limited.window in draft.counted else ""
        name = _shown_window(draft, limited.window)
        used.append(f"{name}: {count} of {limit.count} in {shown(limit.seconds * 1000)}{counted}")
    quota = draft.quota
    if quota is not None:
        name = f"tenant {draft.request.event.tenant}, this partition"
        count = used_of(quota.tally, quota.seconds, draft.when)
        used.append(f"{name}: {count} of {quota.count} in {shown(quota.seconds * 1000)}")
    return "; ".join(used)


def _shown_window(draft: Draft, name: str) -> str:
    if name.startswith(ACTOR):
        return f"{draft.spec.name} from {draft.request.event.actor}"
    first, _, rest = name.partition(".")
    if first == "category":
        return f"category {rest}"
    if first == TRANSACTIONAL:
        return f"what is transactional by {rest}"
    return f"{rest} by {first}" if rest else f"all by {first}"


def _limited(draft: Draft) -> tuple[Limited, ...]:
    plan = draft.plan
    own = plan.actor_limit
    if own is None:
        return plan.limits
    window = f"{own.window}.{draft.request.event.actor}"
    return (*plan.limits, Limited(window, own.limit, own.once, own.folds))


def _over(draft: Draft, limited: Limited, window: Window) -> Verdict:
    limit = limited.limit
    detail = f"{limit.count} in {limit.seconds} s ({_nameless(draft, limited.window)})"
    if not limited.folds and not draft.waited:
        return _dropped(draft, detail)
    free = max(free_at(window, limit, draft.when), draft.when + 1000)
    if draft.closing:
        return Later(free, Reason.RATE_LIMITED, detail)
    if free >= draft.expires_at:
        return _dropped(draft, f"{detail}, and by then it is too old")
    return Gather(fixed(free - draft.when), LIMIT, Reason.RATE_LIMITED, detail)


def _nameless(draft: Draft, window: str) -> str:
    """Without the actor: the row is the user's, and stays when the actor is forgotten."""
    return (
        window.removesuffix(f".{draft.request.event.actor}") if window.startswith(ACTOR) else window
    )


def _dropped(draft: Draft, detail: str) -> Outcome:
    draft.limited += (draft.plan.channel,)
    return Outcome(draft.plan.channel, Reason.RATE_LIMITED, detail)


def _count_for_tenant(draft: Draft, quota: Quota) -> Outcome | None:
    if "tenant" in draft.counted:
        return None
    tally = count_in(quota.tally, quota.count, quota.seconds, draft.when)
    if tally is None:
        return _dropped(draft, f"the tenant's {quota.count} in {quota.seconds} s in this partition")
    draft.quota = Quota(quota.count, quota.seconds, tally)
    draft.counted += ("tenant",)
    return None


def counts_of(draft: Draft) -> Counts:
    """What the draft counts in so far, for `spend`."""
    return draft.windows, draft.quota, draft.counted


def spend(draft: Draft, content: Content, before: Counts) -> Outcome | None:
    """Count a message that is about to be sent against its tenant's day, or say why it is not sent.

    Then it counts in no other limit either: those are put back to `before`. Critical messages are
    sent all the same, unless the limit is for them too.
    """
    allowance, plan = draft.allowance, draft.plan
    if allowance is None:
        return None
    messages, spent = len(draft.usable), 0
    if plan.channel is Channel.SMS:
        spent = allowance.cost_of(content.body, draft.usable)
    refused = None
    if allowance.critical or draft.spec.priority is not Priority.CRITICAL:
        why = allowance.objection(messages, spent, draft.when)
        refused = Outcome(plan.channel, Reason.DAILY_LIMIT, why) if why else None
    if draft.trace is not None:
        shown = allowance.shown(draft.when)
        draft.trace(draft.step, plan.channel, "daily limit", shown, refused)
    if refused is None:
        draft.allowance = allowance.using(messages, spent, draft.when)
    else:
        draft.windows, draft.quota, draft.counted = before
        draft.limited += (plan.channel,)
    return refused
