"""Playing a script: the real router and decider, in memory, that may crash at any step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from agents.rehearsal import HeldClock, Rehearsal
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.errors import Unavailable
from pipeline.memory_log import MemoryLog
from pipeline.producer import BATCH_BYTES, Entry, size_of
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue, parse
from schemas.encoding import encode
from tables.memory import MemoryStore
from tables.store import Changes
from tests.simulation.script import Act, Script, catalogue_files

CATALOGUE = parse(catalogue_files())
SETTINGS = Settings()


class Crash(Unavailable):
    """The process is gone."""


@dataclass
class Fate:
    """Counts steps, and ends the process before or after those that it was told."""

    crashes: list[int] = field(default_factory=list)
    steps: int = 0

    def step(self) -> None:
        """One more moment at which a process can end."""
        self.steps += 1
        if self.crashes and self.steps >= self.crashes[0]:
            self.crashes.pop(0)
            raise Crash


class MortalLog(MemoryLog):
    """A log whose writer may die before the broker has the records, or before it hears of it."""

    def __init__(self, clock: HeldClock, fate: Fate) -> None:
        super().__init__(clock)
        self.fate = fate

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        self.fate.step()
        end = await super().write(topic, partition, entries)
        self.fate.step()
        return end


class MortalStore(MemoryStore):
    """A store whose writer may die before changes are stored, between batches, or just after."""

    batch_bytes = BATCH_BYTES

    def __init__(self, stored: dict[bytes, bytes], fate: Fate) -> None:
        super().__init__(stored)
        self._fate = fate

    async def write(self, changes: Changes, frontier: tuple[str, int] | None = None) -> None:
        self._fate.step()
        if size_of(changes.items()) > self.batch_bytes:
            entries = list(changes.items())
            cut = self._fate.steps % len(entries)
            await super().write(dict(entries[:cut]))
            self._fate.step()
            changes = dict(entries[cut:])
        await super().write(changes, frontier)
        self._fate.step()


MakeRehearsal = Callable[[MortalLog, HeldClock, MortalStore, MortalStore], Rehearsal]


def rehearse(
    log: MortalLog,
    clock: HeldClock,
    router: MortalStore,
    decider: MortalStore,
    catalogue: Catalogue = CATALOGUE,
) -> Rehearsal:
    """The workers as they are."""
    return Rehearsal(FixedCatalogue(catalogue), SETTINGS, log, clock, router, decider)


async def play(
    script: Script,
    *,
    is_disturbed: bool = False,
    crashes: int = 0,
    down_for: int = 0,
    make: MakeRehearsal = rehearse,
) -> MemoryLog:
    """Play a script to its end; what was written, with the times at which it was.

    `is_disturbed` lets records come late and out of order within the bound, and repeats some.
    After a crash the next process begins as much as `down_for` ms later; the log goes on.
    """
    random = Random(script.seed)
    fate = Fate(sorted(random.randrange(1, 600) for _ in range(crashes)))
    clock = HeldClock(script.acts[0].at)
    log = MortalLog(clock, fate)
    stored: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})
    town = make(log, clock, *(MortalStore(each, fate) for each in stored))
    moments = _moments(script, random) if is_disturbed else [(act.at, act) for act in script.acts]
    down_until = 0
    for at, act in [*moments, (script.end, None)]:
        works = act is None or random.random() < 0.5 or at > clock.at + 1
        while works and at >= down_until:
            clock.at = max(clock.at, down_until)
            try:
                await town.advance(at)
                break
            except Crash:
                town = make(log, clock, *(MortalStore(each, fate) for each in stored))
                down_until = clock.at + (random.randrange(down_for) if down_for else 0)
                if act is None:
                    down_until = 0
        if act is not None:
            clock.at = max(clock.at, at)
            entry = (act.key.encode(), encode(act.value))
            await MemoryLog.write(log, act.topic.name, 0, [entry])
    return log


def _moments(script: Script, random: Random) -> list[tuple[int, Act]]:
    moments = []
    for act in script.acts:
        moments.append((act.at + act.late, act))
        if act.late and random.random() < 0.2:
            moments.append((act.at + act.late + random.randrange(1, 3_600_000), act))
    return sorted(moments, key=lambda moment: moment[0])
