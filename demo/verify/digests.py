"""Which events belong into one digest, and when it is due, by the events' own times."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from demo.verify.model import Model
from demo.verify.notification import Notification
from demo.verify.quiet_hours import MINUTE_MS, wall_clock
from demo.verify.type_spec import DigestRule


@dataclass(frozen=True)
class Digest:
    """What goes out together to one person on one channel, the oldest first.

    `first_look` is when the window is over if nothing more comes, `due` when it really is, or
    when the quiet hours end into which that falls (epoch ms).
    """

    channel: str
    members: tuple[Notification, ...]
    first_look: int
    due: int

    @property
    def user(self) -> str:
        """Whom it is for."""
        return self.members[0].user


Dated = tuple[int, Notification]
"""A notification, and when it joined its digest (epoch ms)."""


def digests_of(expected: Iterable[Notification], model: Model) -> Iterator[Digest]:
    """Every digest that these notifications make up.

    What escalates joins a digest when its step is due.
    """
    gathered: defaultdict[tuple[str, ...], list[Dated]] = defaultdict(list)
    for it in expected:
        for channel, rule in it.spec.digests.items():
            if not it.is_read and model.may_use(it, channel):
                key = str(it.claim.data.get(rule.key, ""))
                joins = it.claim.happened_at + it.spec.begins_after(channel)
                gathered[it.user, it.spec.name, channel, key].append((joins, it))
    for (user, _, channel, _), members in gathered.items():
        members.sort(key=lambda dated: (dated[0], dated[1].id))
        yield from _windows(user, channel, members, model)


def _windows(user: str, channel: str, members: list[Dated], model: Model) -> Iterator[Digest]:
    rule = members[0][1].spec.digests[channel]
    quiet = model.quiet_hours(user)
    while members:
        times = [time for time, _ in members]
        if rule.times:
            first_end = end = _next_time(rule, model.zone(user), times[0])
        else:
            first_end, end = times[0] + rule.pause_ms, _end(rule, times)
        due = end + rule.lateness_ms
        if (until := quiet.until(due)) is not None:
            # It waits for the morning, and what comes until then joins it.
            end = due = until
        inside = sum(time < end for time in times)
        # Each event is judged by itself: what is too old by then is left out.
        together = tuple(it for _, it in members[:inside] if due < it.expires_at)
        if together:
            yield Digest(channel, together, first_end + rule.lateness_ms, due)
        members = members[inside:]


def _next_time(rule: DigestRule, zone: str, after: int) -> int:
    minute = after // MINUTE_MS + 1
    while wall_clock(zone, minute) not in rule.times:
        minute += 1
    return minute * MINUTE_MS


def _end(rule: DigestRule, times: list[int]) -> int:
    last = times[0] + rule.longest_ms
    end = min(times[0] + rule.pause_ms, last)
    for time in times:
        if time >= end:
            break
        end = min(time + rule.pause_ms, last)
    return end
