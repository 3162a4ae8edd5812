"""When an alarm calls whom: again until somebody acknowledges it, and then the next person."""

from collections.abc import Iterator
from dataclasses import dataclass

from demo.produce.producer_log import Claim
from demo.verify.expected.model import Model
from demo.verify.expected.notification import Notification
from demo.verify.expected.type_spec import Repeat, TypeSpec


@dataclass(frozen=True)
class Call:
    """One message to each address of a person on a channel, due at that moment (epoch ms)."""

    channel: str
    due: int


@dataclass(frozen=True)
class Alarm:
    """What one person is called for, and every call, as if nobody ever acknowledged it.

    `begins` is when the person's turn does (epoch ms), `moments` are those of all its steps, also
    of those by which the person can't be reached.
    """

    it: Notification
    calls: tuple[Call, ...]
    begins: int
    moments: frozenset[int]


def alarms(claim: Claim, spec: TypeSpec, model: Model) -> Iterator[Alarm]:
    """All people of the ladder, each once, in the order in which they are called."""
    repeat = spec.repeat
    if repeat is None or spec.event != claim.type:
        return
    turn = sum(step.after_ms for step in spec.escalation) + repeat.every_ms * (repeat.times + 1)
    begins: dict[str, int] = {}
    for number, field in enumerate((spec.users, *repeat.then)):
        named = claim.data.get(field, [])
        for user in named if isinstance(named, list) else [named]:
            begins.setdefault(user, claim.happened_at + number * turn)
    for user, at in begins.items():
        it = Notification(claim, spec, user)
        steps = [step for step in _steps(it, repeat, at, model) if step[0] < it.expires_at]
        calls = tuple(
            Call(channel, due)
            for due, channels in steps
            for channel in channels
            if model.usable(user, channel)
        )
        yield Alarm(it, calls, at, frozenset(due for due, _ in steps))


def _steps(
    it: Notification, repeat: Repeat, at: int, model: Model
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The steps one after the other, then all of them together as often as it says."""
    spec, called = it.spec, False
    steps = [(0, spec.channels), *((step.after_ms, step.channels) for step in spec.escalation)]
    for after, channels in steps:
        # Where nobody was called, there is nothing that could be answered.
        at += after if called else 0
        yield at, channels
        called = called or any(model.usable(it.user, channel) for channel in channels)
    if called:
        every = tuple(channel for _, channels in steps for channel in channels)
        for number in range(1, repeat.times + 1):
            yield at + number * repeat.every_ms, every
