"""A worker whose every step a test takes."""

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial

from aiokafka import TopicPartition

from agents.state import Stateful, open_store
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import ALL_READ, Handler, ReadTo
from pipeline.processing.parts import handle_in_parts
from pipeline.processing.role import Role
from pipeline.processing.slices import RECORDS, Slice, cut
from pipeline.settings import Settings
from schemas.topics import Topic
from tables.storage.table import is_of_table
from tests.agents.line import PARTITIONS
from tests.agents.transcript import Transcript


@dataclass(kw_only=True)
class Worker(Transcript):
    """Runs roles over what was written since the test began, one after the other."""

    runtime: Runtime
    done: dict[tuple[str, TopicPartition], int] = field(default_factory=dict)
    stored: dict[tuple[str, int], Mapping[str, int]] = field(default_factory=dict)
    """The frontiers that each handler found; a test says whether to go on from them."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    _handlers: dict[tuple[str, int], Handler] = field(default_factory=dict)
    _stateful: set[tuple[str, int]] = field(default_factory=set)

    @property
    def settings(self) -> Settings:
        """The settings of every role."""
        return self.runtime.settings

    async def work(self, *roles: Role, read_to: ReadTo = lambda _: ALL_READ) -> None:
        """Let each role in turn handle all that its topics hold, slice by slice, as lanes do.

        At the end comes what is due by then, by the clock and by what is said to be read.
        """
        for role in roles:
            for number in range(PARTITIONS):
                await self.handler(role, number)
            await self._handle_all(role)
            for number in range(PARTITIONS):
                handler = await self.handler(role, number)
                while await handler.on_timer(read_to) == 0:
                    pass

    async def _handle_all(self, role: Role) -> None:
        tps = [TopicPartition(topic, at) for topic in role.topics for at in range(PARTITIONS)]
        ends = await self.consumer.end_offsets(tps)
        for tp in tps:
            # Most topics hold nothing, and asking for each by itself is most of a test's time.
            if ends[tp] <= self.done.get((role.name, tp), self.starts[tp]):
                continue
            for slice_ in await self.slices(role, tp):
                handler = await self.handler(role, tp.partition)
                await handle_in_parts(handler, slice_, partial(self._finished, role))
            ends = await self.consumer.end_offsets(tps)

    def _finished(self, role: Role, part: Slice) -> None:
        self.done[role.name, part.partition] = part.next

    async def slices(self, role: Role, tp: TopicPartition) -> list[Slice]:
        """The slices that are still to be handled."""
        start = self.done.get((role.name, tp), self.starts[tp])
        records = await self.fetch(tp, start)
        return list(cut(tp, 0, start, records, role.slice_records.get(tp.topic, RECORDS)))

    def again(self, *topics: Topic) -> None:
        """Have the topics handled from where the test began once more, as after a crash."""
        names = {topic.name for topic in topics}
        for role, tp in [place for place in self.done if place[1].topic in names]:
            del self.done[role, tp]

    async def handler(self, role: Role, number: int) -> Handler:
        """The role's handler of a partition, restored when it is first asked for."""
        if (role.name, number) not in self._handlers:
            handler = role.open_handler(number, self.closing)
            self.stored[role.name, number] = (await handler.restore()).frontiers
            self._handlers[role.name, number] = handler
            if isinstance(handler, Stateful):
                self._stateful.add((role.name, number))
        return self._handlers[role.name, number]

    async def restart(self, *, keep_disk: bool = True, in_order: bool = True) -> None:
        """Close every handler; those opened next restore what was stored.

        Without an orderly end the last outputs are not noted as sent.
        """
        for handler in self._handlers.values():
            if in_order:
                await handler.note_sent(0)
            await handler.close()
        self._handlers.clear()
        if not keep_disk:
            shutil.rmtree(self.settings.data_dir)

    async def forget(self) -> None:
        """Delete what the roles keep, frontiers aside: all tests share their changelogs.

        What waits would fall due in a later test that moves the clock on. Every handler is closed.
        """
        for name, number in self._stateful:
            with closing(open_store(self.runtime, name, number)) as store:
                await store.restore()
                await store.send_again(self.runtime.producer)
                keys = [key for key, _ in store.scan(b"") if is_of_table(key)]
                await store.write(dict.fromkeys(keys), None)
                await store.note_sent(0)
