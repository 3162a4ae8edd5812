"""Faults put in on purpose: each must be found, or the simulation proves nothing."""

from collections.abc import Callable, Collection
from itertools import count
from typing import Any

import pytest
from msgspec.structs import replace

from agents.decider.decisions import Decisions
from agents.replay.in_memory_pipeline import HeldClock, Rehearsal
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Acknowledged, Records
from pipeline.producing.write_queue import Entry, Place
from policy.decision import rules
from policy.decision.builder import Draft
from policy.decision.ending import Ending
from policy.decision.rule import Gather
from policy.dedupe import NO_MARKS, Mark, remember
from policy.digest.closing import close as close_digest
from policy.digest.windows import DigestWindow
from policy.experiments.holdout import Holdout
from policy.identity import gathering_name
from policy.limits import limits
from policy.limits.rate_limit import Window
from tables.storage.journal import Journal, Unsent
from tables.storage.journal_records import LargeWrite, key_of_completion, key_of_part
from tables.storage.memory_store import MemoryStore
from tables.storage.transaction import Transaction
from tables.timers import Timers
from tests.simulation.play import MortalStore, TownLog

ENTRY_BYTES = len(remember(NO_MARKS, bytes(8), Mark(0, 0, 0, 24)))
"""Of a mark in a ledger."""


def drop_one(patch: pytest.MonkeyPatch) -> None:
    """Now and then a delivery is not written."""
    written = MemoryLog.write

    async def write(self: MemoryLog, topic: str, partition: int, entries: list[Entry]) -> int:
        if topic.startswith("deliver.push") and len(self.topics[topic]) % 7 == 3:
            self.topics[topic].append(self.topics[topic][-1])
            return len(self.topics[topic])
        return await written(self, topic, partition, entries)

    patch.setattr(MemoryLog, "write", write)


def outputs_before_state(patch: pytest.MonkeyPatch) -> None:
    """Outputs are sent first, so that after a crash in between they are decided anew."""
    commit = Transaction.commit

    async def committed(self: Transaction, up_to: int | None = None) -> None:
        await self.outputs.flush()
        await commit(self, up_to)

    patch.setattr(Transaction, "commit", committed)


def note_before_outputs(patch: pytest.MonkeyPatch) -> None:
    """Outputs are noted as sent before they are, so that a crash in between loses them."""
    write = MemoryStore.write

    async def written(self: MemoryStore, *args: Any) -> Unsent:
        unsent = await write(self, *args)
        await self.sent(unsent.now)
        await self.note_sent(0)
        return unsent._replace(now=None)

    patch.setattr(MemoryStore, "write", written)


def note_before_they_are_gathered(patch: pytest.MonkeyPatch) -> None:
    """What others are to be sent with is noted as sent once it waits for them."""

    def gather(self: TownLog, records: Records, acknowledged: Acknowledged) -> Collection[Place]:
        full = gathered(self, records, lambda: None)
        acknowledged()
        return full

    gathered = TownLog.gather
    patch.setattr(TownLog, "gather", gather)


def send_nothing_again(patch: pytest.MonkeyPatch) -> None:
    """Who takes over does not send what its predecessor may not have sent."""

    async def nothing(*_: object) -> None:
        pass

    patch.setattr(Journal, "send_again", nothing)


def tear_the_state(patch: pytest.MonkeyPatch) -> None:
    """Write the state of a slice in batches of which a crash may leave the first."""
    patch.setattr(MortalStore, "most_bytes", 1000)
    patch.setattr("tables.storage.journal.size_of", lambda _: 0)


def apply_what_is_not_complete(patch: pytest.MonkeyPatch) -> None:
    """Parts of a large write change the state as they come, whether or not all others do."""
    patch.setattr(MortalStore, "most_bytes", 1000)

    async def write_parts(self: Journal, number: int, write: LargeWrite, notes: list[Entry]) -> int:
        self._end = await self._append([*notes, *write.entries])
        return await parts_written(self, number, write, [])

    parts_written = Journal._write_parts
    patch.setattr(Journal, "_write_parts", write_parts)


def take_parts_back_first(patch: pytest.MonkeyPatch) -> None:
    """Parts of a large write go before the state is under its own keys."""
    patch.setattr(MortalStore, "most_bytes", 1000)

    async def take_back(self: Journal, number: int) -> None:
        batch = self._unfinished.pop(number)
        parts: list[Entry] = [(key_of_part(number, at), None) for at in range(batch.parts)]
        self._end = await self._append([(key_of_completion(number), None), *parts])
        await self._append(list(zip(batch.keys, self._read(batch.keys), strict=True)))

    patch.setattr(Journal, "_take_parts_back", take_back)


def send_digests_twice(patch: pytest.MonkeyPatch) -> None:
    """What went out in a digest stays gathered, and goes out again."""

    def close(*args: Any) -> Any:
        decision = close_digest(*args)
        return replace(decision, release=()) if decision.notices else decision

    patch.setattr("agents.decider.decisions.close", close)


def gather_by_type(patch: pytest.MonkeyPatch) -> None:
    """What a user wants hourly or daily is gathered by type, and not by category."""

    def name_of(draft: Draft, verdict: Gather) -> str:
        return gathering_name(draft.spec.name, draft.plan.channel, verdict.source, "")

    patch.setattr("policy.digest.digest._name_of", name_of)


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


def forget_what_is_due_as_before(patch: pytest.MonkeyPatch) -> None:
    """A timer that fired is not set again for what is due at the same moment."""
    moved: Any = Timers.move

    def move(self: Timers, *args: Any) -> None:
        moved(self, *args[:-1], 0)

    patch.setattr(Timers, "move", move)


def digest_as_it_comes(patch: pytest.MonkeyPatch) -> None:
    """A digest ends by the last event that came rather than by the first that happened."""
    ended = DigestWindow.end

    def end(self: DigestWindow, times: Any, zone: str, latest: Any = ()) -> int:
        return ended(self, times[-1:], zone, latest[-1:])

    patch.setattr(DigestWindow, "end", end)


def end_nothing(patch: pytest.MonkeyPatch) -> None:
    """What waits knows of no event that ends it."""
    patch.setattr(Ending, "keys", lambda *_: ())


def send_at_any_time(patch: pytest.MonkeyPatch) -> None:
    """Send windows are always open."""
    patch.setattr(rules, "opens_at", lambda *_: None)


def replace_nothing(patch: pytest.MonkeyPatch) -> None:
    """What waits goes on, though a later one of the same thing came."""
    patch.setattr(Decisions, "_drop_replaced", lambda *_: None)


def forget_what_is_spilled(patch: pytest.MonkeyPatch) -> None:
    """What a ledger has no room for was never decided."""
    little_room(patch)
    patch.setattr("agents.decider.decisions.UserStates.spilled", lambda *_: b"")


def little_room(patch: pytest.MonkeyPatch) -> None:
    """Ledgers have room for three marks, so that most are spilled."""
    patch.setattr("policy.dedupe._ROOM", 2 * ENTRY_BYTES)


def hold_out_nobody(patch: pytest.MonkeyPatch) -> None:
    """Everybody is told."""
    patch.setattr(Holdout, "holds_out", lambda *_: False)


def hold_out_by_event(patch: pytest.MonkeyPatch) -> None:
    """Who is held out changes from one moment to the next."""
    drawn = count()
    patch.setattr(Holdout, "holds_out", lambda *_: next(drawn) % 2 == 0)


FAULTS = (
    drop_one,
    send_digests_twice,
    outputs_before_state,
    note_before_outputs,
    note_before_they_are_gathered,
    send_nothing_again,
    tear_the_state,
    apply_what_is_not_complete,
    take_parts_back_first,
    send_early,
    ignore_quiet_hours,
    ignore_opt_outs,
    ignore_limits,
    lose_timers,
    forget_what_is_due_as_before,
    digest_as_it_comes,
    gather_by_type,
    end_nothing,
    send_at_any_time,
    replace_nothing,
    forget_what_is_spilled,
    hold_out_nobody,
    hold_out_by_event,
)
FIRST_TOWN = 200
"""Towns that are played without faults as well are others."""
SHOWN_BY: dict[Callable[[pytest.MonkeyPatch], None], int] = {
    ignore_limits: 209,
    forget_what_is_due_as_before: 9239,
    replace_nothing: 231,
}
"""The town that shows a fault, where few do."""
