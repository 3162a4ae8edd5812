"""Which of the events in a digest are still told of when it is closed: each is asked by itself."""

from collections.abc import Sequence

from policy.audience.actor import unheard
from policy.decision.builder import Draft
from policy.decision.decide import expires_at
from policy.decision.decision import Outcome
from policy.decision.deferral import includes
from policy.decision.replacing import Newest, is_outdated, order_of, replaces, shown
from policy.dedupe import mark_key
from policy.digest.digest import notification_in
from policy.digest.sending import Item, Types, say
from policy.field_paths import text_at
from policy.notification_type import NotificationType
from policy.user.ledger import Held
from policy.user.preferences import muted
from schemas.vocabulary import Channel, Reason, Stage

_Why = tuple[Reason, str]


def left_in(draft: Draft, items: Sequence[Item], types: Types) -> list[Item]:
    """The items whose events may be told of; of each other one, the draft notes why not."""
    members, newest = [], _newest(draft, items, types)
    for item in items:
        _, held = item
        why = _silenced(item, draft, types[held.request.type], newest)
        if why is None:
            members.append(item)
            continue
        for channel in held.channels:
            # What stands by for a push is not needed because of the message in the app.
            is_beside = why[0] is Reason.ONLINE and channel is not held.channels[0]
            say(draft, [item], Outcome(channel, *((Reason.FALL_BACK, "") if is_beside else why)))
    return members


def _newest(draft: Draft, items: Sequence[Item], types: Types) -> Newest:
    """Of each thing the last that was accepted, those included that only these items tell of."""
    newest = dict(draft.newest)
    for _, held in items:
        name = replaces(held.request, types[held.request.type])
        if name and not is_outdated(held.request, name, newest):
            newest[bytes.fromhex(name)] = order_of(held.request)
    return newest


def _silenced(item: Item, draft: Draft, spec: NotificationType, newest: Newest) -> _Why | None:
    row, held = item
    if draft.now >= expires_at(held.request, spec):
        return Reason.EXPIRED, ""
    name = replaces(held.request, spec)
    # Left in until now, so that its window stays as it was, however often it is replaced.
    if name and is_outdated(held.request, name, newest):
        return Reason.CANCELLED, f"replaced by a later one of {shown(spec)}"
    reason = unheard(held.request.event, held.request.user, spec, draft.profile)
    if reason:
        return reason, ""
    engaged = _engaged(notification_in(row), held, draft, spec)
    return engaged or _muted(held, draft, spec) or _online(held, draft, spec)


def _engaged(name: str, held: Held, draft: Draft, spec: NotificationType) -> _Why | None:
    """Whether the user did by now what makes a later step needless, or saw what a push is of."""
    heard = draft.heard.get(mark_key(name))
    if heard is None or held.step >= len(spec.steps):
        return None
    if held.step:
        wanted = spec.steps[held.step].unless
    elif held.channels[0] is Channel.PUSH:
        wanted = Stage.SEEN
    else:
        return None
    return (Reason.ENGAGED, heard) if includes(heard, wanted) else None


def _muted(held: Held, draft: Draft, spec: NotificationType) -> _Why | None:
    if not draft.profile.mutes or spec.transactional:
        return None
    topic = text_at(held.request.event.data, spec.topic)
    return muted(draft.profile, spec.category, topic, draft.now)


def _online(held: Held, draft: Draft, spec: NotificationType) -> _Why | None:
    """Whether the user has the app open by now, in which the message is already."""
    profile = draft.profile
    if not (profile.online or profile.left_at) or held.step >= len(spec.steps):
        return None
    if not profile.is_online(draft.now, spec.online_grace):
        return None
    for plan in spec.steps[held.step].online_plans:
        if plan.channel is held.channels[0] and plan.needless is Reason.ONLINE:
            return (Reason.ONLINE, "") if set(plan.instead_of) & {*held.sent} else None
    return None
