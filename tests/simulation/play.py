"""Playing a script: the real router and decider, in memory, that may crash at any step."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from agents.replay.in_memory_pipeline import HeldClock, Rehearsal
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.producing.gathering import Gathering
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.write_queue import Entry, size_of
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue, parse
from schemas.encoding import encode
from schemas.errors import Unavailable
from tables.pending import CANCEL_KEYS, HELD
from tables.storage.changelog_fold import Fold
from tables.storage.journal import MOST_BYTES
from tables.storage.memory_store import MemoryStore
from tables.storage.table import parts_of
from tables.timers import Horizon, Timers, together
from tables.users import LEDGERS
from tests.simulation.script import Act, Script, catalogue_files

CATALOGUE = parse(catalogue_files())
SETTINGS = Settings()
MOST_WRITES_LATE = 40
"""How much later than its successors' a dead writer's records may arrive."""
LAST = 1 << 62
"""A time by which all is due."""


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
    """A log whose writer may die before the broker has the records, or before it hears of it.

    Where `lateness` says so, what a dead writer had sent arrives all the same: so many writes of
    its successors later. `forgotten` is what the decider no longer thinks of, in words.
    """

    def __init__(self, clock: HeldClock, fate: Fate, lateness: Random | None = None) -> None:
        super().__init__(clock)
        self.fate = fate
        self._lateness = lateness
        self._writes = 0
        self._late: list[tuple[int, str, list[Entry]]] = []
        self.forgotten: list[str] = []

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        self._writes += 1
        try:
            self.fate.step()
        except Crash:
            if self._lateness is not None:
                due = self._writes + self._lateness.randrange(1, MOST_WRITES_LATE)
                self._late.append((due, topic, entries))
            raise
        end = await super().write(topic, partition, entries)
        await self._let_late_ones_in()
        self.fate.step()
        return end

    async def flush(self) -> None:
        """Have written what was gathered."""

    def lose_gathered(self) -> None:
        """What a dead writer had gathered is gone."""

    async def _let_late_ones_in(self) -> None:
        arriving = [late for late in self._late if late[0] <= self._writes]
        self._late = [late for late in self._late if late not in arriving]
        for _, topic, entries in arriving:
            await super().write(topic, 0, entries)


class TownLog(Gathering, MortalLog):
    """One that also gathers, as a worker's does until it commits frontiers."""

    def __init__(self, clock: HeldClock, fate: Fate, lateness: Random | None = None) -> None:
        MortalLog.__init__(self, clock, fate, lateness)
        self.lose_gathered()

    def lose_gathered(self) -> None:
        Gathering.__init__(self, self.write)


class MortalStore(MemoryStore):
    """A store whose writer may die before or after each batch that its changelog takes.

    `changelog` is what outlives it: batches as the producer makes them, each there or not.
    """

    most_bytes = MOST_BYTES

    def __init__(self, changelog: list[Entry], fate: Fate) -> None:
        super().__init__()
        self._changelog = changelog
        self._fate = fate

    async def restore(self) -> dict[str, int]:
        fold = Fold()
        self._apply(fold.take(self._changelog, 0), 0)
        self._journal.begin(fold, len(self._changelog))
        return self._frontiers()

    async def _append(self, records: list[Entry]) -> int:
        for batch in batches_of(records, self.most_bytes):
            self._fate.step()
            self._changelog += batch
            self._fate.step()
        return len(self._changelog)


def batches_of(records: list[Entry], most_bytes: int) -> Iterator[list[Entry]]:
    """One batch if it fits; otherwise as many records in each as fit."""
    batch: list[Entry] = []
    for record in records:
        if batch and size_of([*batch, record]) > most_bytes:
            yield batch
            batch = []
        batch.append(record)
    if batch:
        yield batch


def compact(changelog: list[Entry], random: Random) -> None:
    """As Kafka does it: of some of the log, keep the last record of each key."""
    cut = random.randrange(len(changelog) + 1)
    last = {key: at for at, (key, _) in enumerate(changelog[:cut])}
    kept = [record for at, record in enumerate(changelog[:cut]) if last[record[0]] == at]
    changelog[:cut] = kept


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
) -> MortalLog:
    """Play a script to its end; what was written, with the times at which it was.

    `is_disturbed` lets records come late and out of order within the bound, and repeats some.
    In every second town the workers' log gathers. After a crash the next process begins as much as
    `down_for` ms later; the log goes on.
    """
    random, committing = Random(script.seed), Random(script.seed)
    fate = Fate(sorted(random.randrange(1, 600) for _ in range(crashes)))
    clock = HeldClock(script.acts[0].at)
    kind = MortalLog if script.seed % 2 else TownLog
    log = kind(clock, fate, random if is_disturbed else None)
    changelogs: tuple[list[Entry], list[Entry]] = ([], [])
    stores = [MortalStore(each, fate) for each in changelogs]
    town = make(log, clock, *stores)
    moments = _moments(script, random) if is_disturbed else [(act.at, act) for act in script.acts]
    down_until = 0
    for at, act in [*moments, (script.end, None)]:
        works = act is None or random.random() < 0.5 or at > clock.at + 1
        while works and at >= down_until:
            clock.at = max(clock.at, down_until)
            try:
                await town.advance(at)
                log.forgotten += untimed(stores[1])
                if act is None:
                    log.forgotten += left_behind(stores[1])
                if act is None or committing.random() < 0.3:
                    await log.flush()
                if random.random() < 0.3:
                    for store in stores:
                        await store.note_sent(0)
                break
            except Crash:
                log.lose_gathered()
                for changelog in changelogs:
                    compact(changelog, random)
                stores = [MortalStore(each, fate) for each in changelogs]
                town = make(log, clock, *stores)
                down_until = clock.at + (random.randrange(down_for) if down_for else 0)
                if act is None:
                    down_until = 0
        if act is not None:
            clock.at = max(clock.at, at)
            entry = (act.key.encode(), encode(act.value))
            await MemoryLog.write(log, act.topic.name, 0, [entry])
    return log


def untimed(store: MemoryStore) -> list[str]:
    """What ledgers say is to happen later, and no timer is set for."""
    timers = Timers(store).due(Horizon(LAST, LAST, LAST), sys.maxsize)
    set_to = {(*together(each), each[1].name) for each in timers}
    return [
        f"no timer is set for {name} of {user} at {at}"
        for key, value in store.scan(LEDGERS.prefix)
        for tenant, user in [parts_of(key[len(LEDGERS.prefix) :])]
        for name, at in LEDGERS.decode(value).timers()
        if (at, tenant, user, name) not in set_to
    ]


def left_behind(store: MemoryStore) -> list[str]:
    """What is still held once nothing waits."""
    return [
        f"{key!r} is held for nothing"
        for table in (HELD, CANCEL_KEYS)
        for key, _ in store.scan(table.prefix)
    ]


def _moments(script: Script, random: Random) -> list[tuple[int, Act]]:
    moments = []
    for act in script.acts:
        moments.append((act.at + act.late, act))
        if act.late and random.random() < 0.2:
            moments.append((act.at + act.late + random.randrange(1, 3_600_000), act))
    return sorted(moments, key=lambda moment: moment[0])
