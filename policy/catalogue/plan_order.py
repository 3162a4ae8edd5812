"""In which order the channels of a step are decided, where one is a fallback for another."""

from msgspec.structs import replace

from policy.decision import rules
from policy.notification_type import Plan
from schemas.vocabulary import Channel, Reason

Plans = tuple[Plan, ...]


def in_order(plans: Plans, *, prefers_inapp: bool = False) -> tuple[Plans, Plans]:
    """The plans for a user who is offline, and for one who is online.

    A fallback comes after the channels that it is for. With `prefers_inapp`, a user who is online
    gets the in-app message and one who is offline the push, and the other only if that can't go.
    """
    if not prefers_inapp:
        ordered = _by_fallback(plans)
        return ordered, ordered
    offline = _first(plans, Channel.PUSH, Channel.INAPP, Reason.OFFLINE)
    online = _first(plans, Channel.INAPP, Channel.PUSH, Reason.ONLINE)
    return _by_fallback(offline), _by_fallback(online)


def _first(plans: Plans, wanted: Channel, other: Channel, reason: Reason) -> Plans:
    """The plans with `wanted` decided first, and `other` only needed where that doesn't go."""
    first = tuple(plan for plan in plans if plan.channel is wanted)
    rest = (
        _needless(plan, wanted, reason) if plan.channel is other else plan
        for plan in plans
        if plan.channel is not wanted
    )
    return (*first, *rest)


def _needless(plan: Plan, wanted: Channel, reason: Reason) -> Plan:
    at = plan.rules.index(rules.DIGEST) if rules.DIGEST in plan.rules else len(plan.rules)
    asked = (*plan.rules[:at], rules.NEEDLESS, *plan.rules[at:])
    return replace(plan, rules=asked, instead_of=(wanted,), needless=reason)


def _by_fallback(plans: Plans) -> Plans:
    """Fallbacks last: the channels that they are for must be decided before them."""
    ordered = [
        plan for plan in plans if plan.needless is not Reason.FALL_BACK or not plan.instead_of
    ]
    left = [plan for plan in plans if plan not in ordered]
    while left:
        names = {plan.channel for plan in left}
        ready = [plan for plan in left if not names & set(plan.instead_of)] or left
        ordered += ready
        left = [plan for plan in left if plan not in ready]
    return tuple(ordered)
