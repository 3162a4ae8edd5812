"""What somebody wants hourly or daily: which events are one message, and when it is due."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from demo.verify.expected.notification import Notification
from demo.verify.expected.quiet_hours import next_time

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
LATENESS_MS = 5000
"""How long after its end a message waits for what was delayed on the way."""
IN_TIME_MS = 60_000
"""How long before an event in it is too old it is over at the latest."""


@dataclass(frozen=True)
class Wish:
    """One message an hour from the first event on, or, with a time of day, one then."""

    zone: str
    time: str = ""

    @property
    def span_ms(self) -> int:
        """How long it gathers at most."""
        return DAY_MS if self.time else HOUR_MS

    def end(self, first: int) -> int:
        """When what begins then is over (epoch ms)."""
        return next_time(self.zone, (self.time,), first) if self.time else first + HOUR_MS

    def begin(self, end: int) -> int:
        """When that begins which is over then, at the latest."""
        return end - 1 if self.time else end - HOUR_MS


@dataclass(frozen=True)
class Waiting:
    """An event that waits since `at`; its type's own digest is over at `own_end`, 0 for none that
    may last longer than the wish, or than the event lives (epoch ms)."""

    it: Notification
    at: int
    own_end: int = 0

    def begins(self, wish: Wish, since: int) -> int:
        """When it begins a message, if none ended later than `since`."""
        return max(self.at, since, wish.begin(self.own_end)) if self.own_end else self.at

    def latest(self, quiet_until: Callable[[int], int | None]) -> int | None:
        """When a message is over at the latest that tells of it in time; None for any.

        Before the quiet hours in which that lies; any, where it is quiet from the event on.
        """
        margin = IN_TIME_MS + LATENESS_MS
        latest = self.it.expires_at - margin
        begin = latest + LATENESS_MS
        if quiet_until(begin) is not None:
            begin -= begin % IN_TIME_MS
            while begin > self.at and quiet_until(begin - IN_TIME_MS) is not None:
                begin -= IN_TIME_MS
            if begin <= self.at:
                return None
            latest = begin - margin
        return None if latest < self.own_end else latest


@dataclass(frozen=True)
class Message:
    """What is told at once, the oldest first.

    It is looked at from `first_look` on, and due at `due` (epoch ms).
    """

    members: tuple[Notification, ...]
    first_look: int
    due: int


def messages(
    waiting: list[Waiting], wish: Wish, quiet_until: Callable[[int], int | None]
) -> Iterator[Message]:
    """Every message that these events, of one category and channel, make up; in order of time."""
    since = 0
    while waiting:
        waiting.sort(key=lambda each: (each.at, each.it.id))
        end = soonest = wish.end(min(each.begins(wish, since) for each in waiting))
        for each in sorted(waiting, key=lambda each: each.begins(wish, since)):
            begins, latest = each.begins(wish, since), each.latest(quiet_until)
            if begins < end and latest is not None:
                end = min(end, max(latest, begins + 1))
            soonest = min(soonest, end, wish.end(max(each.at, since)))
        due = end + LATENESS_MS
        until = quiet_until(due)
        if until is not None:
            end = due = until
        inside = [each for each in waiting if max(each.at + 1, each.own_end) <= end]
        yield Message(tuple(each.it for each in inside), soonest + LATENESS_MS, due)
        # What is left waits on, and so does its type's own digest.
        waiting, since = [each for each in waiting if each not in inside], end
