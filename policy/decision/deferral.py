"""Deferral: what is deferred, evaluated again, cancelled, or made redundant by the user."""

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from policy.body import data_size
from policy.decision.builder import Draft
from policy.decision.decision import Decision, Notice, Outcome, Row
from policy.dedupe import mark_key, mark_of
from policy.identity import notification_id
from policy.notification_type import NotificationType
from policy.user.ledger import MOST_HEARD, MOST_WAITING, Held, Ledger, Waiting
from schemas.request import Request
from schemas.vocabulary import Channel, Reason, Stage

_FAULT = Reason.UNPROCESSABLE
UNREAD = ".contacts"
"""What the name of a part ends with that waits until older contacts are read."""
BESIDE = ".beside"
"""And of one that waits though the next step has its time by what went out beside it."""
OVERDUE_MS = 60_000
"""How late a step may be for the next one to count from when it was due. After an outage, or where
an event comes late, all that follows would be due at once, and no reader had the time to react."""
ORDER = (Stage.DELIVERED, Stage.SEEN, Stage.OPENED, Stage.CLICKED)
"""What a notification comes to with a person; each includes those before it."""


def wait(
    draft: Draft,
    why: Mapping[Channel, tuple[Reason, str]],
    due_at: int,
    unless: Stage | None = None,
    suffix: str = "",
    *,
    is_quiet: bool = False,
) -> None:
    """Keep these channels of the draft's step until `due_at` (ms), or refuse if too much waits.

    Rendered already now, so that an event that lacks a variable is a dead letter now and not in
    the middle of the night: raises BadRecord.
    """
    if not has_room(draft):
        for channel, (_, detail) in why.items():
            draft.suppress(channel, Reason.TOO_MANY_HELD, f"would wait: {detail}")
        return
    for plan in draft.spec.steps[draft.step].plans:
        if plan.channel in why:
            draft.rendered(plan)
    name = f"{draft.name}.{draft.step}{suffix}"
    draft.waiting = {**draft.waiting, name: Waiting(due_at, unless, is_quiet=is_quiet)}
    draft.keep += (((name,), draft.held(tuple(why))),)
    for channel, (reason, detail) in why.items():
        draft.hold(channel, reason, detail)


def is_next_timed(name: str, held: Held) -> bool:
    """Whether the step after what waits as `name` has its time: by what else went out with it."""
    return name.endswith((UNREAD, BESIDE)) and bool(held.sent)


def later_step(
    spec: NotificationType, step: int, due_at: int, stage: Stage
) -> tuple[int, int] | None:
    """The first step after this one that `stage` does not make needless, and when it is due.

    `due_at` (epoch ms) is when this one is; each counts from the one before it, as if that came.
    """
    for number, following in enumerate(spec.steps[step + 1 :], step + 1):
        due_at += following.after
        if not includes(stage, following.unless):
            return number, due_at
    return None


def has_room(draft: Draft) -> bool:
    """Whether one more may wait for this user."""
    # Digests that were closed are only remembered, and must not keep out what is to come.
    gathered = sum(each.due_at > 0 for each in draft.gathering.values())
    return len(draft.waiting) + gathered < MOST_WAITING


def notification_of(name: str) -> str:
    """The notification of which a part waits under this name."""
    return name.partition(".")[0]


def is_engaged(ledger: Ledger, name: str) -> Stage | None:
    """What the user did with the notification, if it makes redundant what is pending as `name`."""
    heard = ledger.heard.get(mark_key(notification_of(name)))
    wanted = ledger.waiting[name].unless or Stage.SEEN
    return heard if heard is not None and includes(heard, wanted) else None


def hear(
    notification: str,
    stage: Stage,
    ledger: Ledger,
    held: Mapping[str, Held],
    type_of: Callable[[Request], NotificationType],
) -> Decision:
    """A notification came to this: drop the steps that wait for that not to happen.

    A later step with a condition that is not met yet waits in their place. `held` is what waits
    for the user under names that begin with the notification's. Told before the notification is
    decided here, as can happen after a crash, it is remembered; so it is while anything is in a
    digest.
    """
    key = mark_key(notification)
    before = ledger.heard.get(key)
    is_news = before is None or not includes(before, stage)
    # What is in a digest looks at it when that is closed.
    is_needed = bool(held) or any(each.due_at for each in ledger.gathering.values())
    if not is_news or (not is_needed and mark_of(ledger.marks, key) is not None):
        return Decision(notification, (), (), ledger)
    done = [
        name
        for name in held
        if (unless := ledger.waiting[name].unless) is not None and includes(stage, unless)
    ]
    waiting = {name: value for name, value in ledger.waiting.items() if name not in done}
    notices: list[Notice] = []
    keep: list[tuple[Row, Held]] = []
    for name in done:
        each = held[name]
        outcomes = [Outcome(channel, Reason.ENGAGED, stage) for channel in each.channels]
        spec, left = type_of(each.request), ledger.waiting[name]
        following = later_step(spec, each.step, left.due_at, stage)
        if following is not None and not is_next_timed(name, each):
            number, due_at = following
            step, name_after = spec.steps[number], f"{notification}.{number}"
            channels = tuple(plan.channel for plan in step.plans)
            waiting[name_after] = Waiting(due_at, step.unless, left.counted)
            keep.append(((name_after,), replace(each, step=number, channels=channels)))
            reason, shown = Reason.ESCALATION, step.shown_condition()
            outcomes += [Outcome(each, reason, shown, Stage.HELD) for each in channels]
        notices += [Notice(each.request, notification, outcome) for outcome in outcomes]
    heard = _bounded({**ledger.heard, key: stage}, waiting)
    return Decision(
        notification,
        (),
        (),
        replace(ledger, waiting=waiting, heard=heard),
        notices=tuple(notices),
        keep=tuple(keep),
        release=tuple((name,) for name in done),
    )


def _bounded(heard: dict[bytes, Stage], waiting: Iterable[str]) -> dict[bytes, Stage]:
    """At most `MOST_HEARD`: of what waits for nothing the oldest go, and only then others."""
    surplus = len(heard) - MOST_HEARD
    if surplus <= 0:
        return heard
    needed = {mark_key(notification_of(name)) for name in waiting}
    gone = sorted(heard, key=needed.__contains__)[:surplus]
    return {key: stage for key, stage in heard.items() if key not in gone}


def cancel(row: Row, held: Held, ledger: Ledger, notification: str, detail: str = "") -> Decision:
    """Drop what is held in this row; a digest that it was to be part of continues without it."""
    name = row[0]
    waiting, gathering = dict(ledger.waiting), dict(ledger.gathering)
    waiting.pop(name, None)
    if name in gathering:
        found, size = gathering[name], data_size(held.request.event)
        gathering[name] = replace(found, count=found.count - 1, size=max(0, found.size - size))
    notices = tuple(
        Notice(held.request, notification, Outcome(channel, Reason.CANCELLED, detail))
        for channel in held.channels
    )
    left = replace(ledger, waiting=waiting, gathering=gathering)
    return Decision(notification, (), (), left, notices=notices, release=(row,))


def give_up(name: str, held: Iterable[tuple[Row, Held]], ledger: Ledger, why: str) -> Decision:
    """Forget all that waits, or is gathered, under a name, as working on it can't succeed."""
    items = list(held)
    notices = tuple(
        Notice(each.request, _notification(each.request), Outcome(channel, _FAULT, why))
        for _, each in items
        for channel in each.channels
    )
    waiting = {key: value for key, value in ledger.waiting.items() if key != name}
    gathering = {key: value for key, value in ledger.gathering.items() if key != name}
    left = replace(ledger, waiting=waiting, gathering=gathering)
    release = tuple(row for row, _ in items)
    return Decision(notification_of(name), (), (), left, notices=notices, release=release)


def _notification(request: Request) -> str:
    event = request.event
    return notification_id(event.tenant, event.id, request.user, request.type)


def includes(stage: Stage, wanted: Stage) -> bool:
    """Whether what was reached is `wanted`, or more."""
    return ORDER.index(stage) >= ORDER.index(wanted)
