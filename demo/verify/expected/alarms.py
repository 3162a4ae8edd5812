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
    """What one person is called for, and every call, as if nobody ever acknowledged it."""

    it: Notification
    calls: tuple[Call, ...]
    begins: int
    """When the person's turn begins (epoch ms)."""


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
        calls = (call for call in _calls(it, repeat, at, model) if call.due < it.expires_at)
        yield Alarm(it, tuple(calls), at)


def _calls(it: Notification, repeat: Repeat, at: int, model: Model) -> Iterator[Call]:
    """The steps one after the other, then all of them together as often as it says."""
    spec, called = it.spec, False
    steps = [(0, spec.channels), *((step.after_ms, step.channels) for step in spec.escalation)]
    for after, channels in steps:
        usable = [channel for channel in channels if model.usable(it.user, channel)]
        # Where nobody was called, there is nothing that could be answered.
        at += after if called else 0
        yield from (Call(channel, at) for channel in usable)
        called = called or bool(usable)
    if not called:
        return
    every = [channel for _, channels in steps for channel in channels]
    usable = [channel for channel in every if model.usable(it.user, channel)]
    for number in range(1, repeat.times + 1):
        yield from (Call(channel, at + number * repeat.every_ms) for channel in usable)
