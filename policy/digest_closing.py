"""Closing a digest: what was gathered in one window goes out as one notification, or not at all."""

from collections.abc import Sequence

from msgspec.structs import replace

from pipeline.errors import BadRecord
from policy.actor import unheard
from policy.body import data_size
from policy.counting import share_counted
from policy.decide import expires_at
from policy.decision import Decision, Notice, Outcome, Row
from policy.digest import TIME_DIGITS, first_of, notification_in
from policy.draft import Draft, Trace, draft_of
from policy.identity import digest_id
from policy.instants import epoch_ms
from policy.notification_type import NotificationType, Plan
from policy.paths import text_at
from policy.quiet_hours import zone_of
from policy.rule import Later
from policy.user.ledger import Gathering, Held
from policy.user.preferences import muted
from policy.user.state import UserState
from schemas.delivery import Content
from schemas.request import Request
from schemas.vocabulary import Channel, Reason, Stage

Item = tuple[Row, Held]
"""A gathered event in its row; all of one gathering are in the order of the events."""


def close(
    name: str,
    items: Sequence[Item],
    spec: NotificationType,
    state: UserState,
    now: int,
    read_to: int | None = None,
    trace: Trace | None = None,
) -> Decision:
    """The gathering `name` is due at `now` (epoch ms): send what belongs together.

    `items` is all that is gathered; what happened after `read_to` may still be unread, so that a
    window that ends later is not over yet, whatever the clock says. Where later events made the
    window longer, or quiet hours or a limit stand against it now, it becomes due again, and what
    comes until then joins it.
    Each event is judged by itself: one that is muted, blocked or past its time to live is left
    out, and the message is made of the others. Every event in it is told as digested, or as not
    sent, with the reason.
    """
    found = state.ledger.gathering[name]
    if not items:  # all of them were cancelled, and what comes next opens a window of its own
        return _kept(name, replace(found, due_at=0, count=0, extended_until=0, size=0), state)
    times = [int(row[1][:TIME_DIGITS]) for row, _ in items]
    end = _end(found, times, state)
    # 0 is a moment as any other: nothing was read yet.
    known_to = now if read_to is None else read_to
    if end + found.window.lateness > known_to and not found.extended_until:
        again = replace(found, due_at=end + found.window.lateness, first=times[0])
        return _kept(name, again, state)
    end = max(end, found.extended_until)
    inside = sum(time < end for time in times)
    draft, verdict = _decided(found, items[:inside], spec, state, now, trace)
    if verdict is not None:
        until = verdict.due_at
        return _kept(name, replace(found, due_at=until, extended_until=until), state)
    left = _left(found, items[inside:], times[inside:], end, state)
    draft.gathering = {**draft.gathering, name: left}
    draft.release += tuple(row for row, _ in items[:inside])
    return draft.decision()


def _end(found: Gathering, times: Sequence[int], state: UserState) -> int:
    return found.window.end(times, zone_of(state.profile, state.tenant))


def _kept(name: str, found: Gathering, state: UserState) -> Decision:
    gathering = {**state.ledger.gathering, name: found}
    return Decision("", (), (), replace(state.ledger, gathering=gathering))


def _left(
    found: Gathering, items: Sequence[Item], times: Sequence[int], end: int, state: UserState
) -> Gathering:
    left = Gathering(found.type, found.channel, found.window, closed_until=end)
    if not times:
        return left
    due = _end(found, times, state) + found.window.lateness
    size = sum(data_size(held.request.event) for _, held in items)
    return replace(left, due_at=due, first=times[0], count=len(times), size=size)


def _decided(
    found: Gathering,
    items: Sequence[Item],
    spec: NotificationType,
    state: UserState,
    now: int,
    trace: Trace | None,
) -> tuple[Draft, Later | None]:
    name, newest = digest_id(first_of(items[0][0]), found.channel), items[-1][1].request
    draft = _draft(name, newest, found.due_at, spec, state, now, trace)
    members = _left_in(draft, items)
    if members and members[-1][1].request is not newest:
        notices, newest = draft.notices, members[-1][1].request
        draft = _draft(name, newest, found.due_at, spec, state, now, trace)
        draft.notices = notices
    counted = dict.fromkeys(found.counted)
    for _, held in members:
        counted |= dict.fromkeys(held.counted)
    draft.counted = draft.counted_before = tuple(counted)
    verdict = _sent_somehow(draft, found.channel, members)
    told_of = {notification_in(row): held.request.event.data for row, held in members}
    share_counted(draft, told_of)
    return draft, verdict


def _sent_somehow(draft: Draft, channel: Channel, members: Sequence[Item]) -> Later | None:
    """Send it on its channel, or else on those that stand by for it."""
    places = dict.fromkeys([channel])
    for _, held in members:
        places |= dict.fromkeys(held.channels)
    notices = draft.notices
    for each in places:
        own = [item for item in members if each in item[1].channels]
        verdict = _sent(draft, each, own)
        if verdict is not None:
            draft.notices = notices
            return verdict
    return None


def _draft(
    name: str,
    newest: Request,
    due_at: int,
    spec: NotificationType,
    state: UserState,
    now: int,
    trace: Trace | None,
) -> Draft:
    occurred_at, lives_until = epoch_ms(newest.event.occurred_at), now + spec.time_to_live
    draft = draft_of(name, newest, spec, state, occurred_at, now, due_at, lives_until, trace)
    draft.closing = draft.waited = True
    return draft


def _left_in(draft: Draft, items: Sequence[Item]) -> list[Item]:
    """The items whose events may be told of; of each other one, the draft notes why not."""
    members = []
    for item in items:
        reason = _silenced(item[1], draft)
        if reason is None:
            members.append(item)
        else:
            for channel in item[1].channels:
                _say(draft, [item], Outcome(channel, *reason))
    return members


def _sent(draft: Draft, channel: Channel, items: Sequence[Item]) -> Later | None:
    """Send it on one channel, or note why not; nothing is noted where it has to wait."""
    plan = draft.spec.plan_of(channel)
    if not items:
        return None
    if plan is None:
        detail = "the catalogue has it no more"
        _say(draft, items, Outcome(channel, Reason.UNKNOWN_TYPE, detail))
        return None
    draft.look_at(plan)
    verdict = draft.objection()
    if isinstance(verdict, Later) and draft.deliveries:
        # What is out can't be put off any more.
        verdict = Outcome(channel, verdict.reason, verdict.detail)
    if isinstance(verdict, Later):
        return verdict
    if isinstance(verdict, Outcome):
        _say(draft, items, verdict)
        return None
    told, content = _rendered(draft, plan, items)
    if content is None:
        draft.uncount()
    else:
        draft.deliver(content)
        detail = f"in {draft.name}"
        _say(draft, told, Outcome(channel, Reason.DIGEST, detail, Stage.DIGESTED))
    return None


def _rendered(
    draft: Draft, plan: Plan, items: Sequence[Item]
) -> tuple[Sequence[Item], Content | None]:
    """What those of the items say that can be rendered; of each other one, the draft notes why not.

    None where nothing can be said.
    """
    try:
        return items, _text(draft, plan, items)
    except BadRecord as error:
        failed = error
    good = []
    for item in items:
        try:
            _text(draft, plan, [item])
        except BadRecord as error:
            _say(draft, [item], Outcome(plan.channel, error.reason, error.detail))
        else:
            good.append(item)
    if good and len(good) < len(items):
        try:
            return good, _text(draft, plan, good)
        except BadRecord as error:
            failed = error
    # Each can be told alone, and not together.
    _say(draft, good, Outcome(plan.channel, failed.reason, failed.detail))
    return (), None


def _text(draft: Draft, plan: Plan, items: Sequence[Item]) -> Content:
    return plan.rendering.digest([held.request.event for _, held in items], draft.locale)


def _silenced(held: Held, draft: Draft) -> tuple[Reason, str] | None:
    if draft.now >= expires_at(held.request, draft.spec):
        return Reason.EXPIRED, ""
    reason = unheard(held.request.event, held.request.user, draft.spec, draft.profile)
    return (reason, "") if reason else _muted(held, draft)


def _muted(held: Held, draft: Draft) -> tuple[Reason, str] | None:
    if not draft.profile.mutes or draft.spec.transactional:
        return None
    topic = text_at(held.request.event.data, draft.spec.topic)
    return muted(draft.profile, draft.spec.category, topic, draft.now)


def _say(draft: Draft, items: Sequence[Item], outcome: Outcome) -> None:
    draft.notices += tuple(
        Notice(held.request, notification_in(row), outcome) for row, held in items
    )
