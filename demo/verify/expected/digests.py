"""Which events belong into one digest, and when it is due, by the events' own times."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from demo.verify.expected.model import Model
from demo.verify.expected.notification import Notification
from demo.verify.expected.outcome import Held, Silent
from demo.verify.expected.quiet_hours import next_time
from demo.verify.expected.type_spec import DigestRule
from demo.verify.expected.wishes import Waiting, messages


@dataclass(frozen=True)
class Digest:
    """What goes out together to one person on one channel, the oldest first.

    `first_look` is when the window is over if nothing more comes, `due` when it really is, or
    when the quiet hours end into which that falls (epoch ms). `left_out` were gathered as well, and
    are too old by then.
    """

    channel: str
    members: tuple[Notification, ...]
    first_look: int
    due: int
    left_out: tuple[Notification, ...] = ()

    @property
    def user(self) -> str:
        """Whom it is for."""
        return self.members[0].user

    def waited_for(self) -> Iterator[tuple[Notification, Held]]:
        """Of each event that was gathered, how it waits, and how it ends if not in the digest."""
        for it in self.members:
            yield it, Held("digest", self.first_look, self.due)
        for it in self.left_out:
            yield it, Held("digest", self.first_look, self.due, Silent("expired"))


Dated = tuple[int, Notification]
"""A notification, and when it joined its digest (epoch ms)."""


def digests_of(expected: Iterable[Notification], model: Model) -> Iterator[Digest]:
    """Every digest that these notifications make up; of some, no event may be left.

    What escalates joins a digest when its step is due.
    """
    gathered: defaultdict[tuple[str, ...], list[Dated]] = defaultdict(list)
    wished: defaultdict[tuple[str, ...], list[Dated]] = defaultdict(list)
    for it in expected:
        for channel in it.spec.templates:
            rule, wish = it.spec.digests.get(channel), model.wish(it, channel)
            if (rule or wish) and not it.is_read and model.may_use(it, channel):
                joins = it.claim.happened_at + it.spec.begins_after(channel)
                if wish:
                    wished[it.user, it.spec.category, channel].append((joins, it))
                elif rule:
                    key = str(it.claim.data.get(rule.key, ""))
                    gathered[it.user, it.spec.name, channel, key].append((joins, it))
    for (user, _, channel, _), members in gathered.items():
        members.sort(key=lambda dated: (dated[0], dated[1].id))
        yield from _windows(user, channel, members, model)
    for (user, _, channel), members in wished.items():
        members.sort(key=lambda dated: (dated[0], dated[1].id))
        yield from _messages(user, channel, members, model)


def _messages(user: str, channel: str, members: list[Dated], model: Model) -> Iterator[Digest]:
    wish = model.wish(members[0][1], channel)
    assert wish is not None  # noqa: S101  that is why they are here
    waiting: list[Waiting] = []
    for spec in {it.spec.name: it.spec for _, it in members}.values():
        rule, of_type = (
            spec.digests.get(channel),
            [each for each in members if each[1].spec is spec],
        )
        if rule is None or rule.most_ms <= min(wish.span_ms, spec.lives_ms):
            waiting += [Waiting(it, joins) for joins, it in of_type]
            continue
        while of_type:
            end = _over(rule, model.zone(user), [time for time, _ in of_type])
            waiting += [Waiting(it, joins, end) for joins, it in of_type if joins < end]
            of_type = [each for each in of_type if each[0] >= end]
    for each in messages(waiting, wish, model.quiet_hours(user).until):
        yield _digest(channel, each.members, each.first_look, each.due)


def _digest(channel: str, gathered: Iterable[Notification], first_look: int, due: int) -> Digest:
    """Each event is judged by itself: what is too old by then is left out."""
    members = tuple(it for it in gathered if due < it.expires_at)
    left_out = tuple(it for it in gathered if due >= it.expires_at)
    return Digest(channel, members, first_look, due, left_out)


def _windows(user: str, channel: str, members: list[Dated], model: Model) -> Iterator[Digest]:
    rule = members[0][1].spec.digests[channel]
    quiet = model.quiet_hours(user)
    while members:
        times = [time for time, _ in members]
        end = _over(rule, model.zone(user), times)
        first_end = end if rule.times else times[0] + rule.pause_ms
        due = end + rule.lateness_ms
        if (until := quiet.until(due)) is not None:
            # It waits for the morning, and what comes until then joins it.
            end = due = until
        inside = [it for time, it in members if time < end]
        yield _digest(channel, inside, first_end + rule.lateness_ms, due)
        members = members[len(inside) :]


def _over(rule: DigestRule, zone: str, times: list[int]) -> int:
    if rule.times:
        return next_time(zone, rule.times, times[0], rule.days)
    return _end(rule, times)


def _end(rule: DigestRule, times: list[int]) -> int:
    last = times[0] + rule.longest_ms
    end = min(times[0] + rule.pause_ms, last)
    for time in times:
        if time >= end:
            break
        end = min(time + rule.pause_ms, last)
    return end
