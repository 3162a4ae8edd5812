"""Faults put in on purpose: each must be found, or the simulation proves nothing."""

from typing import Any

import pytest
from msgspec.structs import replace

from agents.rehearsal import HeldClock, Rehearsal
from pipeline.memory_log import MemoryLog
from pipeline.producer import Entry
from policy import limits, rules
from policy.digest_closing import close as close_digest
from policy.digest_window import DigestWindow
from policy.rate_limit import Window
from tables.timers import Timers
from tables.turn import Turn
from tests.simulation.play import MortalStore


def drop_one(patch: pytest.MonkeyPatch) -> None:
    """Now and then a delivery is not written."""
    written = MemoryLog.write

    async def write(self: MemoryLog, topic: str, partition: int, entries: list[Entry]) -> int:
        if topic.startswith("deliver.push") and len(self.topics[topic]) % 7 == 3:
            self.topics[topic].append(self.topics[topic][-1])
            return len(self.topics[topic])
        return await written(self, topic, partition, entries)

    patch.setattr(MemoryLog, "write", write)


def state_before_outputs(patch: pytest.MonkeyPatch) -> None:
    """State is stored first, so that a crash in between loses the outputs."""
    finish = Turn.finish

    async def finished(self: Turn, *, divisible: bool = False) -> None:
        outputs, self.outputs = self.outputs, type(self.outputs)(self.outputs._producer)
        await finish(self)
        await outputs.flush()

    patch.setattr(Turn, "finish", finished)


def tear_the_state(patch: pytest.MonkeyPatch) -> None:
    """Write the state of a slice in batches of which a crash may leave the first."""
    patch.setattr(MortalStore, "batch_bytes", 1000)


def forget_what_was_in_hand(patch: pytest.MonkeyPatch) -> None:
    """What was cut short is decided anew after a crash, with what has become known since."""
    patch.setattr("agents.state.find_in_hand", lambda _: None)


def send_digests_twice(patch: pytest.MonkeyPatch) -> None:
    """What went out in a digest stays gathered, and goes out again."""

    def close(*args: Any) -> Any:
        decision = close_digest(*args)
        return replace(decision, release=()) if decision.notices else decision

    patch.setattr("agents.decisions.close", close)


def send_early(patch: pytest.MonkeyPatch) -> None:
    """The workers' clock is ten minutes ahead."""
    built = Rehearsal.__init__

    def init(
        self: Rehearsal, catalogues: Any, settings: Any, log: Any, clock: HeldClock, *stores: Any
    ) -> None:
        built(self, catalogues, settings, log, AheadClock(clock), *stores)
        self.clock = clock

    patch.setattr(Rehearsal, "__init__", init)


class AheadClock(HeldClock):
    """Ten minutes ahead of another."""

    def __init__(self, clock: HeldClock) -> None:
        super().__init__()
        self._clock = clock

    def now(self) -> int:
        return self._clock.now() + 600_000


def ignore_quiet_hours(patch: pytest.MonkeyPatch) -> None:
    """It is never quiet."""
    patch.setattr(rules, "quiet", lambda *_: None)


def ignore_opt_outs(patch: pytest.MonkeyPatch) -> None:
    """Everybody wants everything."""
    patch.setattr(rules, "opt_out", lambda *_: None)


def ignore_limits(patch: pytest.MonkeyPatch) -> None:
    """There is always room for one more."""
    patch.setattr(limits, "admit", lambda window, limit, at: Window(limit.seconds, (at,)))


def lose_timers(patch: pytest.MonkeyPatch) -> None:
    """A timer that is moved is not found any more."""
    patch.setattr(Timers, "move", lambda *_: None)


def digest_as_it_comes(patch: pytest.MonkeyPatch) -> None:
    """A digest ends by the last event that came rather than by the first that happened."""
    ended = DigestWindow.end

    def end(self: DigestWindow, times: Any, zone: str) -> int:
        return ended(self, times[-1:], zone)

    patch.setattr(DigestWindow, "end", end)


FAULTS = (
    drop_one,
    send_digests_twice,
    state_before_outputs,
    tear_the_state,
    forget_what_was_in_hand,
    send_early,
    ignore_quiet_hours,
    ignore_opt_outs,
    ignore_limits,
    lose_timers,
    digest_as_it_comes,
)
