"""Gathering events under one key and window, to be sent as one notification.

Events are gathered by their own time, so whatever the order in which they arrive, and however
often, the same ones are in the same digest. A window stays open for its lateness after its end;
what comes later than that goes into the next one.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from policy.body import data_size
from policy.decision.builder import Draft
from policy.decision.decision import Row
from policy.decision.deferral import OVERDUE_MS, has_room
from policy.decision.rule import WISH, Gather
from policy.digest.user_frequency import NEVER, in_time, moments, own_ends
from policy.digest.windows import DigestWindow
from policy.field_paths import text_at
from policy.identity import gathering_name, wish_name
from policy.quiet_hours import zone_of
from policy.time.timestamps import text
from policy.user.ledger import (
    MOST_CLOSED,
    MOST_GATHERED,
    MOST_GATHERED_BYTES,
    Gathering,
)
from schemas.request import Request
from schemas.vocabulary import Channel, Reason

DAY_MS = 86_400_000
NOTIFICATION_DIGITS = 32
TIME_DIGITS = 15
"""A row within a gathering begins with the event's time in as many digits, so rows are in order."""
OFFSET_DIGITS = 19


def gather(draft: Draft, verdict: Gather) -> None:
    """Put the draft's event, for the channel looked at, with the others of its kind.

    Raises BadRecord for an event that lacks what a template needs.
    """
    plan, request = draft.plan, draft.request
    draft.rendered(plan)
    name = _name_of(draft, verdict)
    found = draft.gathering.get(name)
    size = data_size(request.event)
    if _is_full(found, size) if found and found.due_at else not has_room(draft):
        draft.suppress(plan.channel, Reason.TOO_MANY_HELD, "so much is gathered already")
        if found and 0 < found.due_at <= draft.now:
            # Noted anew, so that it has a timer: versions until 0.5.0 could leave it without.
            draft.gathering = {**draft.gathering, name: replace(found)}
        return
    if found is None:
        draft.gathering = _without_idle(draft.gathering, draft.when)
        category = draft.spec.category if verdict.source == WISH else ""
        found = Gathering(draft.spec.name, plan.channel, verdict.window, category=category)
    at = max(draft.when, found.closed_until)
    if found.category and request.accepted_at - draft.when > OVERDUE_MS:
        # Its day is over, and the message of that is gone: at once would not be when it is wanted.
        at = max(at, request.accepted_at)
    gathering = _joined(found, draft, at, size, verdict.window)
    draft.gathering = {**draft.gathering, name: gathering}
    row = (name, place_of(at, draft.request, draft.name))
    draft.keep += ((row, draft.held((plan.channel,))),)
    draft.waits += (plan.channel,)
    # Whoever asks what a message waits for is told until when, as far as it is known by now.
    due = f"due at {text(gathering.due_at)}"
    detail = f"{verdict.detail}, {due}" if verdict.detail else due
    draft.hold(plan.channel, verdict.reason, detail)


def _name_of(draft: Draft, verdict: Gather) -> str:
    channel = draft.plan.channel
    if verdict.source == WISH:
        return wish_name(draft.spec.category, channel)
    key = text_at(draft.request.event.data, draft.plan.digest_key)
    return gathering_name(draft.spec.name, channel, verdict.source, key)


def join_digest(draft: Draft, others: Sequence[Channel], detail: str) -> None:
    """Make the current channel a fallback in the last digest that one of `others` is combined in.

    Raises BadRecord for an event that lacks what a template needs.
    """
    plan = draft.plan
    draft.rendered(plan)
    place = max(at for at, (_, held) in enumerate(draft.keep) if held.channels[0] in others)
    row, held = draft.keep[place]
    joined = row, replace(held, channels=(*held.channels, plan.channel))
    draft.keep = (*draft.keep[:place], joined, *draft.keep[place + 1 :])
    draft.waits += (plan.channel,)
    draft.hold(plan.channel, Reason.FALL_BACK, detail)


def place_of(at: int, request: Request, notification: str) -> str:
    """Where an event stands within a digest: by its time, and then as it was accepted."""
    accepted = f"{request.accepted_at:0{TIME_DIGITS}}{request.origin.offset:0{OFFSET_DIGITS}}"
    return f"{at:0{TIME_DIGITS}}{accepted}{notification}"


def first_of(row: Row) -> str:
    """What names a digest by its first row, however late that event was accepted."""
    return f"{row[1][:TIME_DIGITS]}{notification_in(row)}"


def notification_in(row: Row) -> str:
    """The notification whose event is in this row of a digest."""
    return row[1][-NOTIFICATION_DIGITS:]


def _is_full(found: Gathering, more: int) -> bool:
    return found.count >= MOST_GATHERED or found.size + more > MOST_GATHERED_BYTES


def _joined(found: Gathering, draft: Draft, at: int, size: int, wanted: DigestWindow) -> Gathering:
    is_open, zone = found.due_at > 0, zone_of(draft.profile, draft.tenant)
    found = replace(found, count=found.count + 1, size=found.size + size)
    window, latest = wanted, NEVER
    if found.category:
        (own_end,) = own_ends([at], draft.spec, found.channel, wanted, zone)
        latest = in_time(at, draft.expires_at, wanted, draft.plan, draft.state)
        at, _, latest = moments(at, own_end, latest, wanted)
    elif is_open:
        if at >= found.first:
            return found
        window = found.window
    first = min(at, found.first) if is_open else at
    due = window.end([first], zone, [latest]) + window.lateness
    if found.category and is_open:
        due = min(due, found.due_at)  # when it is looked at, all that is gathered says until when
    # While a digest waits for the morning, an earlier event does not wake it.
    due = max(due, found.extended_until)
    counted = found.counted if is_open else ()
    return replace(found, window=window, due_at=due, first=first, counted=counted)


def _without_idle(gathering: dict[str, Gathering], at: int) -> dict[str, Gathering]:
    closed = sorted(each.closed_until for each in gathering.values() if not each.due_at)
    since = at - DAY_MS
    if len(closed) >= MOST_CLOSED:
        since = max(since, closed[-MOST_CLOSED])
    return {
        name: each for name, each in gathering.items() if each.due_at or each.closed_until > since
    }
