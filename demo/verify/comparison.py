"""One notification as the model has it, and as it was seen: each difference in a sentence."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import NamedTuple

from demo.verify.evidence import Evidence
from demo.verify.notification import Notification
from demo.verify.observed import Arrival, Seen
from demo.verify.outcome import WHOLE, Held, Outcome, Send, Silent

OVERDUE_MS = 60_000
"""How long after its time a message that waited may still be on its way."""
ROUNDING_MS = 2
"""Times are written by two processes, in whole milliseconds by one of them."""


class Kind(Enum):
    """What kind of fault a difference is."""

    LOST = "lost"
    UNEXPECTED = "unexpected"
    WRONG_CONTENT = "wrong content"
    LATE = "late"
    UNEXCUSED = "unexcused"


class Difference(NamedTuple):
    """One fault, of a channel or, with none, of the whole notification."""

    kind: Kind
    channel: str
    sentence: str


def differences(
    it: Notification,
    outcomes: Mapping[str, Outcome],
    seen: Mapping[str, Seen],
    evidence: Evidence,
) -> Iterator[Difference]:
    """Everything in which what was seen is not what should have become of it."""
    for channel, outcome in outcomes.items():
        each = seen.get(channel, Seen())
        match outcome:
            case Send():
                yield from _sent(it, channel, outcome, each)
            case Silent():
                yield from _silent(channel, outcome, each)
            case Held():
                yield from _held(it, channel, outcome, each, evidence)
    for channel in seen.keys() - outcomes.keys():
        yield from _unforeseen(it, channel, seen[channel], evidence)


def _sent(it: Notification, channel: str, outcome: Send, seen: Seen) -> Iterator[Difference]:
    for address, arrival in seen.arrivals.items():
        if wrong := arrival.says(outcome.text):
            sentence = f"the message to {address} has another {wrong}"
            yield Difference(Kind.WRONG_CONTENT, channel, sentence)
        yield from _timed(it, channel, arrival, outcome.not_before)
    missing = outcome.addresses - seen.arrivals.keys()
    excuses = seen.suppressed | seen.held
    if excuses:
        sentence = f"said to be {_listed(excuses)}, but by the rules it is to be sent"
        yield Difference(Kind.UNEXCUSED, channel, sentence)
    elif missing:
        sentence = f"{len(missing)} of {len(outcome.addresses)} addresses got nothing"
        yield Difference(Kind.LOST, channel, sentence)


def _silent(channel: str, outcome: Silent, seen: Seen) -> Iterator[Difference]:
    if seen.arrivals:
        sentence = f"sent, but by the rules it is {outcome.reason}"
        yield Difference(Kind.UNEXPECTED, channel, sentence)
    if seen.held or seen.suppressed - {outcome.reason}:
        said = _listed(seen.held | seen.suppressed)
        sentence = f"said to be {said}, but by the rules it is {outcome.reason}"
        yield Difference(Kind.UNEXCUSED, channel, sentence)
    elif not seen.suppressed and not seen.arrivals:
        sentence = f"by the rules it is {outcome.reason}, and no row says so"
        yield Difference(Kind.LOST, channel, sentence)


def _held(
    it: Notification, channel: str, outcome: Held, seen: Seen, evidence: Evidence
) -> Iterator[Difference]:
    if seen.arrivals:
        for arrival in seen.arrivals.values():
            yield from _timed(it, channel, arrival, outcome.due)
        if outcome.due > evidence.ended_at:
            return
    if seen.held != {outcome.reason} or (seen.suppressed and outcome.due > evidence.ended_at):
        said = _listed(seen.held | seen.suppressed) or "nothing at all"
        sentence = f"said to be {said}, but by the rules it waits as {outcome.reason}"
        yield Difference(Kind.UNEXCUSED, channel, sentence)
        return
    if seen.arrivals or seen.suppressed:
        return
    stored = evidence.held.get((it.id, channel), set())
    if not stored and outcome.reason == "digest" and outcome.latest <= evidence.ended_at:
        return  # and whether the digest came is judged by itself
    if not stored:
        sentence = f"said to wait until {_shown(outcome.due)}, and nothing is stored for then"
        yield Difference(Kind.LOST, channel, sentence)
    elif not all(outcome.due <= due <= outcome.latest for due in stored):
        dues = ", ".join(map(_shown, sorted(stored)))
        sentence = f"waits until {dues}, but by the rules until {_shown(outcome.due)}"
        yield Difference(Kind.UNEXCUSED, channel, sentence)
    elif outcome.latest + OVERDUE_MS < evidence.ended_at:
        sentence = f"was due at {_shown(outcome.due)} and still waits"
        yield Difference(Kind.LATE, channel, sentence)


def _unforeseen(
    it: Notification, channel: str, seen: Seen, evidence: Evidence
) -> Iterator[Difference]:
    if seen.arrivals:
        yield Difference(
            Kind.UNEXPECTED, channel, "sent, and the rules don't give this channel yet"
        )
    if said := seen.suppressed | seen.held:
        kind, sentence = Kind.UNEXCUSED, f"said to be {_listed(said)}, which the rules don't give"
        if said == {"expired"} and channel == WHOLE and evidence.ended_at >= it.expires_at:
            kind, sentence = Kind.LATE, "it was valid when it was written, and expired on its way"
        yield Difference(kind, channel, sentence)


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
