"""Router and decider in memory: what they would decide, with nothing sent and nothing stored."""

from collections.abc import Iterable

from agents.decider.agent import Decider
from agents.decider.topics import KINDS as DECIDER_TOPICS
from agents.router.agent import KINDS as ROUTER_TOPICS
from agents.router.agent import Router
from pipeline.catalogue_folder import Catalogues
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import all_read
from pipeline.processing.parts import handle_in_parts
from pipeline.processing.slices import Slice
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from schemas.topics import Topic
from tables.storage.memory_store import MemoryStore


class HeldClock:
    """Has the time that it was set to, in epoch milliseconds."""

    def __init__(self, at: int = 0) -> None:
        self.at = at

    def now(self) -> int:
        """The time it was last set to."""
        return self.at


class Rehearsal:
    """A router and a decider with one partition, over topics and state in memory.

    They are the real ones, so a rehearsal that begins with the stores and the log of another
    goes on where that one stood, as a restarted worker does. Time passes by `advance` alone.
    """

    def __init__(
        self,
        catalogues: Catalogues,
        settings: Settings,
        log: MemoryLog,
        clock: HeldClock,
        router_store: MemoryStore,
        decider_store: MemoryStore,
    ) -> None:
        runtime = Runtime(settings.model_copy(update={"partitions": 1}), log, clock)
        self.clock = clock
        self.log = log
        self._is_restored = False
        self._decider = Decider(catalogues, runtime, 0, decider_store)
        self._workers: list[tuple[Router | Decider, MemoryStore, Iterable[Topic]]] = [
            (Router(catalogues, runtime, router_store), router_store, ROUTER_TOPICS),
            (self._decider, decider_store, DECIDER_TOPICS),
        ]

    async def settle(self) -> None:
        """Work until nothing is left that is due by now."""
        if not self._is_restored:
            self._is_restored = True
            for handler, _, _ in self._workers:
                await handler.restore()
        while await self._work() or await self._is_due():
            pass

    async def advance(self, to: int) -> None:
        """Let time pass up to `to` (epoch ms), stopping at whatever is due on the way."""
        await self.settle()
        while (wait := await self._decider.on_timer(all_read)) is not None:
            due = self.clock.at + round(wait * 1000)
            if due > to:
                break
            self.clock.at = due
        self.clock.at = to
        await self.settle()

    async def answer(self, question: bytes) -> bytes:
        """What the decider answers, see schemas.question."""
        return await self._decider.answer(question)

    async def _is_due(self) -> bool:
        return 0 in [await handler.on_timer(all_read) for handler, _, _ in self._workers]

    async def _work(self) -> bool:
        for handler, store, topics in self._workers:
            for topic in topics:
                if not self.log.holds(topic.name):
                    continue
                slice_ = self.log.slice_from(topic.name, store.frontier(topic.name))
                if slice_ is not None:
                    await handle_in_parts(handler, slice_, _finished)
                    return True
        return False


def _finished(_: Slice) -> None:
    """The store has the frontier."""
