"""One notification as the model has it, and as it was seen: each difference in a sentence."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

from demo.verify.expected.notification import Notification
from demo.verify.expected.outcome import WHOLE, Held, Outcome, Send, Silent
from demo.verify.findings import Kind
from demo.verify.observed import Arrival, Seen

OVERDUE_MS = 60_000
"""How long after its time a message that waited may still be on its way."""
ROUNDING_MS = 2
"""Times are written by two processes, in whole milliseconds by one of them."""
BULK = "bulk"
"""The priority of what a tenant sends beyond its share, which only Tocsin measures."""


class Difference(NamedTuple):
    """One fault, of a channel or, with none, of the whole notification."""

    kind: Kind
    channel: str
    sentence: str


def differences(
    it: Notification, outcomes: Mapping[str, Outcome], seen: Mapping[str, Seen], ended_at: int
) -> Iterator[Difference]:
    """Everything in which what was seen by `ended_at` is not what should have become of it."""
    for channel, outcome in outcomes.items():
        yield from _of_channel(it, channel, outcome, seen.get(channel, Seen()), ended_at)
    for channel in seen.keys() - outcomes.keys():
        yield from _unforeseen(it, channel, seen[channel], ended_at)


def _of_channel(
    it: Notification, channel: str, outcome: Outcome, seen: Seen, ended_at: int
) -> Iterator[Difference]:
    match outcome:
        case Send():
            yield from _sent(it, channel, outcome, seen)
        case Silent():
            yield from _silent(channel, outcome, seen)
        case Held():
            yield from _held(it, channel, outcome, seen, ended_at)


def _sent(it: Notification, channel: str, outcome: Send, seen: Seen) -> Iterator[Difference]:
    for address, arrival in seen.arrivals.items():
        if wrong := arrival.says(outcome.text):
            sentence = f"the message to {address} has another {wrong}"
            yield Difference(Kind.WRONG_CONTENT, channel, sentence)
        yield from _timed(it, channel, arrival, outcome.not_before)
    missing = outcome.addresses - seen.arrivals.keys()
    excuses = seen.suppressed | seen.held
    if excuses:
        sentence = f"reported as {_listed(excuses)}, but by the rules it is to be sent"
        yield Difference(Kind.UNEXCUSED, channel, sentence)
    elif missing:
        sentence = f"{len(missing)} of {len(outcome.addresses)} addresses got nothing"
        yield Difference(Kind.LOST, channel, sentence)
    if wrong_priorities := seen.priorities - {it.spec.priority, BULK}:
        sentence = f"sent with the priority {_listed(wrong_priorities)}, not {it.spec.priority}"
        yield Difference(Kind.UNEXPECTED, channel, sentence)
    yield from _stored_as_well(channel, seen)


def _silent(channel: str, outcome: Silent, seen: Seen) -> Iterator[Difference]:
    if seen.arrivals:
        sentence = f"sent, but by the rules it is {outcome.reason}"
        yield Difference(Kind.UNEXPECTED, channel, sentence)
    if seen.held or seen.suppressed - {outcome.reason}:
        reasons = _listed(seen.held | seen.suppressed)
        sentence = f"reported as {reasons}, but by the rules it is {outcome.reason}"
        yield Difference(Kind.UNEXCUSED, channel, sentence)
    elif not seen.suppressed and not seen.arrivals:
        sentence = f"by the rules it is {outcome.reason}, and no row says so"
        yield Difference(Kind.LOST, channel, sentence)
    yield from _stored_as_well(channel, seen)


def _held(
    it: Notification, channel: str, outcome: Held, seen: Seen, ended_at: int
) -> Iterator[Difference]:
    rest = replace(seen, held=seen.held - {outcome.reason})
    is_over = outcome.due <= ended_at
    if outcome.reason not in seen.held or (rest.has_ended and not is_over):
        if any(arrival.at < outcome.due for arrival in seen.arrivals.values()):
            sentence = f"sent, but by the rules it waits as {outcome.reason} until "
            yield Difference(Kind.UNEXPECTED, channel, sentence + _shown(outcome.due))
        else:
            reasons = _listed(seen.held | seen.suppressed) or "nothing at all"
            sentence = f"reported as {reasons}, but by the rules it waits as {outcome.reason}"
            yield Difference(Kind.UNEXCUSED, channel, sentence)
    elif not rest.has_ended:
        yield from _waiting(channel, outcome, seen, ended_at)
    elif outcome.then is None:
        yield from _unforeseen(it, channel, rest, ended_at)
    else:
        yield from _of_channel(it, channel, outcome.then, rest, ended_at)
        for arrival in rest.arrivals.values():
            if isinstance(outcome.then, Send) and arrival.at > outcome.latest + OVERDUE_MS:
                sentence = f"was due at {_shown(outcome.due)}, accepted at {_shown(arrival.at)}"
                yield Difference(Kind.LATE, channel, sentence)


def _waiting(channel: str, outcome: Held, seen: Seen, ended_at: int) -> Iterator[Difference]:
    if not seen.stored:
        if outcome.then is None and outcome.latest <= ended_at:
            return  # and whether the digest came is judged by itself
        sentence = f"reported to wait until {_shown(outcome.due)}, but nothing is stored for then"
        yield Difference(Kind.LOST, channel, sentence)
    elif not all(outcome.due <= due <= outcome.latest for due in seen.stored):
        dues = ", ".join(map(_shown, sorted(seen.stored)))
        sentence = f"waits until {dues}, but by the rules until {_shown(outcome.due)}"
        yield Difference(Kind.UNEXCUSED, channel, sentence)
    elif outcome.latest + OVERDUE_MS < ended_at:
        sentence = f"was due at {_shown(outcome.due)} and still waits"
        yield Difference(Kind.LATE, channel, sentence)


def _unforeseen(it: Notification, channel: str, seen: Seen, ended_at: int) -> Iterator[Difference]:
    if seen.arrivals:
        sentence = "sent, and the rules don't give this channel yet"
        yield Difference(Kind.UNEXPECTED, channel, sentence)
    if reasons := seen.suppressed | seen.held:
        kind, sentence = Kind.UNEXCUSED, f"reported as {_listed(reasons)}, against the rules"
        if reasons == {"expired"} and channel == WHOLE and ended_at >= it.expires_at:
            kind, sentence = Kind.LATE, "it was valid when it was written, and expired on its way"
        yield Difference(kind, channel, sentence)
    yield from _stored_as_well(channel, seen)


def _stored_as_well(channel: str, seen: Seen) -> Iterator[Difference]:
    """Nothing may be left that would go out later."""
    for due in sorted(seen.stored):
        sentence = f"is stored to go out at {_shown(due)}, and by the rules it does not wait"
        yield Difference(Kind.UNEXPECTED, channel, sentence)


def _timed(
    it: Notification, channel: str, arrival: Arrival, not_before: int
) -> Iterator[Difference]:
    if arrival.at >= it.expires_at:
        sentence = f"accepted at {_shown(arrival.at)}, after its time to live"
        yield Difference(Kind.LATE, channel, sentence)
    if arrival.at < not_before - ROUNDING_MS:
        sentence = f"accepted at {_shown(arrival.at)}, and not to be sent before "
        yield Difference(Kind.UNEXPECTED, channel, sentence + _shown(not_before))


def _shown(at: float) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


def _listed(words: set[str]) -> str:
    return " and ".join(sorted(words))
