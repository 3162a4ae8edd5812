"""Closing a digest: what was gathered in one window goes out as one notification, or not at all."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from policy.body import data_size
from policy.decision.builder import Draft, Trace, draft_of, variant_of
from policy.decision.decide import expires_at
from policy.decision.decision import Decision
from policy.decision.rule import Later
from policy.digest.digest import TIME_DIGITS, first_of, notification_in
from policy.digest.members import left_in
from policy.digest.sending import Item, send
from policy.digest.user_frequency import (
    AT_ONCE,
    NEVER,
    Moments,
    in_time,
    moments,
    own_ends,
    window_of,
)
from policy.identity import digest_id
from policy.limits.counting import share_counted
from policy.notification_type import NotificationType
from policy.quiet_hours import zone_of
from policy.time.timestamps import epoch_ms
from policy.user.ledger import Gathering
from policy.user.state import UserState
from schemas.request import Request

TypeOf = Callable[[Request], NotificationType]
"""The notification type of a request."""

_Dated = tuple[Item, Moments]


def close(
    name: str,
    items: Sequence[Item],
    type_of: TypeOf,
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
    Each event is judged by itself, as one of its own type: one that is muted, blocked or past its
    time to live is left out, and the message is made of the others. Every event in it is told as
    digested, or as not sent, with the reason.
    """
    found = state.ledger.gathering[name]
    if not items:  # all of them were cancelled, and what comes next opens a window of its own
        return _kept(name, replace(found, due_at=0, count=0, extended_until=0, size=0), state)
    found, dated = _dated(found, items, type_of, state)
    end, lateness = _end(found, dated, state), found.window.lateness
    # 0 is a moment as any other: nothing was read yet.
    known_to = now if read_to is None else read_to
    if end + lateness > known_to and not found.extended_until:
        first = min(each.opens for _, each in dated)
        return _kept(name, replace(found, due_at=end + lateness, first=first), state)
    end = max(end, found.extended_until)
    if found.window == AT_ONCE:
        end = max(end, min(now, known_to))
    inside = [item for item, each in dated if each.ready <= end]
    draft, verdict = _decided(found, inside, type_of, state, now, trace)
    if verdict is not None:
        until = verdict.due_at
        return _kept(name, replace(found, due_at=until, extended_until=until), state)
    left = Gathering(
        found.type, found.channel, found.window, closed_until=end, category=found.category
    )
    others = [item for item, each in dated if each.ready > end]
    if others:
        left = _with(left, others, type_of, state)
    draft.gathering = {**draft.gathering, name: left}
    draft.release += tuple(row for row, _ in inside)
    return replace(draft.decision(), due_at=found.due_at)


def _dated(
    found: Gathering, items: Sequence[Item], type_of: TypeOf, state: UserState
) -> tuple[Gathering, list[_Dated]]:
    """All that is gathered, with its moments; by a user's wish, as they wish it now."""
    times = [int(row[1][:TIME_DIGITS]) for row, _ in items]
    if not found.category:
        each = (Moments(time, time + 1, NEVER) for time in times)
        return found, list(zip(items, each, strict=True))
    wish, zone = window_of(found.category, state), zone_of(state.profile, state.tenant)
    by_type: dict[str, tuple[Request, list[int]]] = {}
    for time, (_, held) in zip(times, items, strict=True):
        by_type.setdefault(held.request.type, (held.request, []))[1].append(time)
    ends = {
        name: own_ends(those, type_of(request), found.channel, wish, zone)
        for name, (request, those) in by_type.items()
    }
    dated = []
    for time, item in zip(times, items, strict=True):
        request = item[1].request
        spec, end = type_of(request), next(ends[request.type])
        too_old, plan = expires_at(request, spec), spec.plan_of(found.channel)
        latest = in_time(time, too_old, wish, plan, state)
        dated.append((item, moments(time, end, latest, wish, found.closed_until)))
    return replace(found, window=wish), dated


def _end(found: Gathering, dated: Sequence[_Dated], state: UserState) -> int:
    ordered = sorted(each for _, each in dated)
    opens, latest = [each.opens for each in ordered], [each.latest for each in ordered]
    return found.window.end(opens, zone_of(state.profile, state.tenant), latest)


def _kept(name: str, found: Gathering, state: UserState) -> Decision:
    gathering = {**state.ledger.gathering, name: found}
    return Decision("", (), (), replace(state.ledger, gathering=gathering))


def _with(left: Gathering, others: Sequence[Item], type_of: TypeOf, state: UserState) -> Gathering:
    left, dated = _dated(left, others, type_of, state)
    return replace(
        left,
        due_at=_end(left, dated, state) + left.window.lateness,
        first=min(each.opens for _, each in dated),
        count=len(others),
        size=sum(data_size(held.request.event) for _, held in others),
    )


def _decided(
    found: Gathering,
    items: Sequence[Item],
    type_of: TypeOf,
    state: UserState,
    now: int,
    trace: Trace | None,
) -> tuple[Draft, Later | None]:
    name, newest = digest_id(first_of(items[0][0]), found.channel), items[-1][1].request
    draft = _draft(name, newest, found.due_at, type_of(newest), state, now, trace)
    requests = {held.request.type: held.request for _, held in items}
    types = {name: variant_of(each, type_of(each)) for name, each in requests.items()}
    members = left_in(draft, items, types)
    if members and members[-1][1].request is not newest:
        notices, newest = draft.notices, members[-1][1].request
        draft = _draft(name, newest, found.due_at, type_of(newest), state, now, trace)
        draft.notices = notices
    counted = dict.fromkeys(found.counted)
    for _, held in members:
        counted |= dict.fromkeys(held.counted)
    draft.counted = draft.counted_before = tuple(counted)
    verdict = send(draft, found.channel, members, types)
    told_of = {notification_in(row): held.request.event.data for row, held in members}
    share_counted(draft, told_of)
    return draft, verdict


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
