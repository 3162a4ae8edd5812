"""Which events belong into one digest, and when it is due, by the events' own times."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from demo.verify.model import Model
from demo.verify.notification import Notification
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


def digests_of(expected: Iterable[Notification], model: Model) -> Iterator[Digest]:
    """Every digest that these notifications make up."""
    gathered: defaultdict[tuple[str, ...], list[Notification]] = defaultdict(list)
    for it in expected:
        for channel, rule in it.spec.digests.items():
            if not it.is_read and model.may_use(it, channel):
                key = str(it.claim.data.get(rule.key, ""))
                gathered[it.user, it.spec.name, channel, key].append(it)
    for (user, _, channel, _), members in gathered.items():
        members.sort(key=lambda it: (it.claim.happened_at, it.id))
        yield from _windows(user, channel, members, model)


def _windows(
    user: str, channel: str, members: list[Notification], model: Model
) -> Iterator[Digest]:
    rule = members[0].spec.digests[channel]
    quiet = model.quiet_hours(user)
    while members:
        first = members[0].claim.happened_at
        end = _end(rule, [it.claim.happened_at for it in members])
        due = end + rule.lateness_ms
        if (until := quiet.until(due)) is not None:
            # It waits for the morning, and what comes until then joins it.
            end = due = until
        inside = sum(it.claim.happened_at < end for it in members)
        first_look = first + rule.pause_ms + rule.lateness_ms
        yield Digest(channel, tuple(members[:inside]), first_look, due)
        members = members[inside:]


def _end(rule: DigestRule, times: list[int]) -> int:
    last = times[0] + rule.longest_ms
    end = min(times[0] + rule.pause_ms, last)
    for time in times:
        if time >= end:
            break
        end = min(time + rule.pause_ms, last)
    return end
