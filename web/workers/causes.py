"""Why a notification is where it is: in words for whoever is asked about it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from analytics.timeline import Happening
from policy.time.duration import shown
from policy.time.timestamps import epoch_ms, in_utc, text
from schemas.question import CircuitState
from schemas.vocabulary import Reason, Stage

LATE_MS = 60_000
"""From which on it is told how long something took, and why."""
NOBODY = "no worker of this channel answers"
_MAYBE_TAKEN = (Reason.TIMEOUT, Reason.UNREACHABLE, Reason.UNREADABLE_REPLY)
"""Of a call that ended so it is not known whether the provider has sent the message."""
AGAIN = (Reason.DUPLICATE, Reason.CONFLICT)
"""Of an event that came again, and was not told again."""


def because(reason: Reason, detail: str) -> str:
    """The reason and its detail, as they are read."""
    return ": ".join(filter(None, (str(reason).replace("_", " "), detail)))


def why_waiting(last: Happening, circuits: Sequence[CircuitState] | None, now: int) -> str:
    """Why it has not gone out yet; `circuits` are what the channel's processes say, None where
    they were not asked, and none where none answers. `now` is epoch ms."""
    if last.stage is Stage.HELD:
        return because(last.reason, last.detail)
    is_open = [each for each in circuits or () if each.state != "closed"]
    if is_open and len(is_open) == len(circuits or ()):
        return "; ".join(map(_in_trouble, is_open))
    alone = f"; {NOBODY}" if circuits is not None and not circuits else ""
    if last.stage is Stage.RETRYING:
        return f"{_tried(last)}, is tried again{alone}"
    since = shown(max(0, now - _ms(last.at)))
    return f"handed to the channel's workers {since} ago, which told nothing of it yet{alone}"


def why_ended(rows: Sequence[Happening]) -> str:
    """Why it went no further, of a channel's rows in order: the last one's reason, and what was
    tried before."""
    last = rows[-1]
    why = because(last.reason, last.detail)
    if last.reason is Reason.EXPIRED:
        began = min(filter(None, (last.occurred_at, last.accepted_at)), default=None)
        if began is not None:
            why = f"{why} {shown(max(0, _ms(last.at) - _ms(began)))} after the event"
        tried = [each for each in rows if each.stage is Stage.RETRYING]
        held = [each for each in rows if each.stage is Stage.HELD]
        if tried:
            why = f"{why}; {_tried(tried[-1])}"
        elif held:
            why = f"{why}; it waited: {because(held[-1].reason, held[-1].detail)}"
    return why


def why_late_or_twice(rows: Sequence[Happening]) -> str:
    """Of what went out: what took long on the way and why, and whether it may be there twice.

    `rows` are a channel's and those of all channels, in order. A digest is late by itself, so
    nothing is said of when its events occurred.
    """
    sent = next((each for each in rows if each.stage is Stage.SENT), None)
    said = [_upstream(rows[0]), _took(rows, sent)]
    if sent is not None:
        said += [_on_its_way(rows, sent), _maybe_twice(rows, sent)]
    return "; ".join(filter(None, said))


def why_came_again(rows: Iterable[Happening]) -> str:
    """That the notification's event came more than once, and was not told again."""
    # Each comes under one id, however often, and the first is kept: how often nobody knows.
    first: dict[Reason, datetime] = {}
    for each in rows:
        if each.reason in AGAIN:
            first.setdefault(each.reason, each.at)
    how = {Reason.DUPLICATE: "again", Reason.CONFLICT: "with another body"}
    said = " and ".join(f"{how[reason]}, first at {_at(at)}," for reason, at in first.items())
    return f"its event came {said} and was not sent again" if said else ""


def _upstream(first: Happening) -> str:
    occurred, accepted = first.occurred_at, first.accepted_at
    if occurred is None or accepted is None or first.digest == first.notification_id:
        return ""
    took = _ms(accepted) - _ms(occurred)
    return f"its event came {shown(took)} after it happened" if took >= LATE_MS else ""


def _took(rows: Sequence[Happening], sent: Happening | None) -> str:
    if sent is None or sent.accepted_at is None or sent.digest == sent.notification_id:
        return ""
    took = _ms(sent.at) - _ms(sent.accepted_at)
    if took < LATE_MS:
        return ""
    before = [each for each in rows if each.at <= sent.at]
    held = [because(each.reason, each.detail) for each in before if each.stage is Stage.HELD]
    tried = [each for each in before if each.stage is Stage.RETRYING]
    causes = [*(f"it waited: {each}" for each in dict.fromkeys(held)), *map(_tried, tried[-1:])]
    why = "; ".join(causes) or "no rule held it, so workers were behind"
    return f"sent {shown(took)} after its event came; {why}"


def _on_its_way(rows: Iterable[Happening], sent: Happening) -> str:
    there = next((each for each in rows if each.stage is Stage.DELIVERED), None)
    took = 0 if there is None else _ms(there.at) - _ms(sent.at)
    if took < LATE_MS:
        return ""
    return f"{sent.provider or 'the provider'} brought it {shown(took)} after it had taken it"


def _maybe_twice(rows: Iterable[Happening], sent: Happening) -> str:
    doubtful = [
        each
        for each in rows
        if each.stage is Stage.RETRYING and each.reason in _MAYBE_TAKEN and each.at <= sent.at
    ]
    if not doubtful:
        return ""
    last = doubtful[-1]
    return (
        f"sent again after {last.provider or 'a provider'} said {because(last.reason, '')}, which "
        "may have sent it, too"
    )


def _tried(last: Happening) -> str:
    count = last.attempt + 1
    times = "once" if count == 1 else f"{count} times"
    return f"tried {times}: {last.provider} said {because(last.reason, last.detail)}"


def _in_trouble(circuit: CircuitState) -> str:
    since = f" since {text(circuit.failing_since)}" if circuit.failing_since else ""
    error = f": {circuit.last_error}" if circuit.last_error else ""
    return f"{circuit.provider}'s circuit is {circuit.state.replace('_', ' ')}{since}{error}"


def _ms(at: datetime) -> int:
    return epoch_ms(in_utc(at))


def _at(at: datetime) -> str:
    return text(_ms(at))
