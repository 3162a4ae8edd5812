"""What in a type comes, always or at times, only when its event is too old to be told of."""

from collections.abc import Iterator

from policy.catalogue.entry import DigestEntry, Entry
from policy.catalogue.problem import Problem
from policy.digest import windows
from policy.notification_type import YEAR_MS
from policy.quiet_hours import longest_closed
from policy.time.duration import milliseconds, shown
from policy.user.profile import quiet_span
from schemas.vocabulary import Channel

_OVER = "ends when the time_to_live is over already"


def begins(entry: Entry, channel: Channel) -> int:
    """How long (ms) after the first step the step comes in which the channel is used."""
    after = 0
    if channel in entry.channels:
        return after
    for step in entry.escalation:
        after += milliseconds(step.after)
        if channel in step.channels:
            break
    return after


def room(entry: Entry, digest: DigestEntry, channel: Channel) -> int:
    """For how long (ms) a digest on the channel may last so that what opened it is not too old."""
    left = milliseconds(entry.time_to_live) - begins(entry, channel)
    return left - milliseconds(digest.lateness) - 1


def too_late(entry: Entry) -> Iterator[Problem]:
    """What can never be of use: an event that is alone would be too old, whenever it happened."""
    for at, digest in enumerate(entry.digests):
        left = min((room(entry, digest, channel) for channel in digest.channels), default=YEAR_MS)
        for field in ("every", "pause"):
            span = getattr(digest, field)
            if span is not None and left < milliseconds(span) <= windows.LONGEST_MS:
                yield ("digests", at, field), f"{_OVER}{_counted_in(entry, digest)}"
    if entry.goal is not None and entry.delay is not None:
        delay = milliseconds(entry.delay)
        if 0 < milliseconds(entry.goal.within) <= delay:
            yield ("goal", "within"), f"is over before the delay of {shown(delay)} is"


def at_times_too_late(entry: Entry) -> Iterator[Problem]:
    """What some events are too old for: those that come when the wait is longest.

    Expects an entry without contradictions.
    """
    for at, digest in enumerate(entry.digests):
        left = min(room(entry, digest, channel) for channel in digest.channels)
        longest = windows.compiled(digest).longest_ms
        if longest <= left or digest.every is not None:
            continue
        if digest.at:
            path = ("digests", at, "at")
            yield path, f"come up to {shown(longest)} after an event{_too_old(entry)}"
        elif digest.longest is not None:
            path = ("digests", at, "longest")
            yield path, f"ends up to {shown(longest)} after an event{_too_old(entry)}"
    closed = longest_closed(tuple(quiet_span(hours) for hours in entry.send_within))
    if closed >= milliseconds(entry.time_to_live):
        yield ("send_within",), f"does not open for up to {shown(closed)}{_too_old(entry)}"


def _too_old(entry: Entry) -> str:
    lives = shown(milliseconds(entry.time_to_live))
    return f", and with a time_to_live of {lives} some events are too old by then"


def _counted_in(entry: Entry, digest: DigestEntry) -> str:
    parts = [f"its lateness of {shown(milliseconds(digest.lateness))}"] * (
        milliseconds(digest.lateness) > 0
    )
    after = max(begins(entry, channel) for channel in digest.channels)
    parts += [f"the {shown(after)} until its step"] * (after > 0)
    return f", with {' and '.join(parts)}" if parts else ""
