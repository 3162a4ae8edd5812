"""Sending the events of a digest: as one message, on its channel or on a fallback."""

from collections.abc import Mapping, Sequence

from policy.decision.builder import Draft
from policy.decision.decision import Notice, Outcome, Row
from policy.decision.rule import Later
from policy.digest.digest import notification_in
from policy.field_paths import text_at
from policy.limits.limits import Counts, counts_of, spend
from policy.notification_type import NotificationType
from policy.rendering.joint_digest import together
from policy.rendering.rendering import Rendering
from policy.user.ledger import Held
from schemas.delivery import Content
from schemas.errors import BadRecord
from schemas.event import Event
from schemas.vocabulary import Channel, Reason, Stage

Item = tuple[Row, Held]
"""A gathered event in its row; all of one gathering are in the order of the events."""
Types = Mapping[str, NotificationType]
"""The types of the events of a digest, by name; of those with an experiment, the user's variant."""


def send(draft: Draft, channel: Channel, members: Sequence[Item], types: Types) -> Later | None:
    """Send it on its channel, or else on its fallbacks.

    Nothing is noted where it has to wait.
    """
    places = dict.fromkeys([channel])
    for _, held in members:
        places |= dict.fromkeys(held.channels)
    notices = draft.notices
    for each in places:
        own = [item for item in members if each in item[1].channels]
        verdict = _sent(draft, each, own, types)
        if verdict is not None:
            draft.notices = notices
            return verdict
    return None


def say(draft: Draft, items: Sequence[Item], outcome: Outcome) -> None:
    """Note what became of these events."""
    draft.notices += tuple(
        Notice(held.request, notification_in(row), outcome) for row, held in items
    )


def _sent(draft: Draft, channel: Channel, items: Sequence[Item], types: Types) -> Later | None:
    """Send it on one channel, or note why not.

    The rules are asked of the newest event's type; where they object, of the next one's.
    """
    left = _known(draft, channel, items, types)
    while left:
        newest = left[-1][1].request
        spec = types[newest.type]
        plan = spec.plan_of(channel)
        assert plan is not None  # noqa: S101  the others are not known
        draft.turn_to(newest, spec)
        draft.look_at(plan)
        before = counts_of(draft)
        verdict = draft.objection()
        if isinstance(verdict, Later) and draft.deliveries:
            # What is out can't be put off any more.
            verdict = Outcome(channel, verdict.reason, verdict.detail)
        if isinstance(verdict, Later):
            return verdict
        if not isinstance(verdict, Outcome):
            _deliver(draft, channel, left, types, before)
            return None
        say(draft, [item for item in left if item[1].request.type == newest.type], verdict)
        left = [item for item in left if item[1].request.type != newest.type]
    return None


def _known(draft: Draft, channel: Channel, items: Sequence[Item], types: Types) -> Sequence[Item]:
    """The items whose types still use the channel; of each other one, the draft notes why not."""
    unknown = {name for name, spec in types.items() if spec.plan_of(channel) is None}
    if not unknown:
        return items
    detail = "the catalogue has it no more"
    gone = [item for item in items if item[1].request.type in unknown]
    say(draft, gone, Outcome(channel, Reason.UNKNOWN_TYPE, detail))
    return [item for item in items if item[1].request.type not in unknown]


def _deliver(
    draft: Draft, channel: Channel, items: Sequence[Item], types: Types, before: Counts
) -> None:
    told, content = _rendered(draft, channel, items, types)
    if content is None:
        draft.uncount()
        return
    newest = told[-1][1].request
    if newest is not draft.request:
        draft.turn_to(newest, types[newest.type])
    refused = spend(draft, content, before)
    if refused is not None:
        say(draft, told, refused)
        return
    draft.deliver(content)
    said = Outcome(channel, Reason.DIGEST, f"in {draft.name}", Stage.DIGESTED, draft.name)
    say(draft, told, said)


def _rendered(
    draft: Draft, channel: Channel, items: Sequence[Item], types: Types
) -> tuple[Sequence[Item], Content | None]:
    """What those of the items say that can be rendered; of each other one, the draft notes why not.

    None where nothing can be said.
    """
    try:
        return items, _text(draft, channel, items, types)
    except BadRecord as error:
        failed = error
    good = []
    for item in items:
        try:
            _text(draft, channel, [item], types)
        except BadRecord as error:
            say(draft, [item], Outcome(channel, error.reason, error.detail))
        else:
            good.append(item)
    if good and len(good) < len(items):
        try:
            return good, _text(draft, channel, good, types)
        except BadRecord as error:
            failed = error
    # Each can be told alone, and not together.
    say(draft, good, Outcome(channel, failed.reason, failed.detail))
    return (), None


def _text(draft: Draft, channel: Channel, items: Sequence[Item], types: Types) -> Content:
    """What the items say: what belongs together by type and key as one, the newest of it first."""
    parts: dict[tuple[str, str], tuple[Rendering, list[Event]]] = {}
    for _, held in reversed(items):
        event, name = held.request.event, held.request.type
        plan = types[name].plan_of(channel)
        assert plan is not None  # noqa: S101  the others are not known
        place = name, text_at(event.data, plan.digest_key)
        parts.setdefault(place, (plan.rendering, []))[1].append(event)
    told = [(rendering, events[::-1]) for rendering, events in parts.values()]
    is_personal = any(rendering.is_personal for rendering, _ in told)
    return together(told, draft.locale, draft.reader() if is_personal else None)
