"""A Faust consumer that hands on whole slices and commits frontiers, not acknowledgements.

Faust's own bookkeeping (acks, gaps, read offsets) is left out for our topics, as it can commit
past a record that was never processed. What takes its place: every partition has a cursor, every
slice says where it starts, and a lane handles only the slice that starts exactly at its frontier.
Whatever is dropped on the way, by a rebalance or by Faust clearing a queue, shows as a slice that
starts too late, or never arrives; either way the cursor seeks back.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import (
    IllegalStateError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import ConsumerMessage

from pipeline.consuming.cursor import Cursor
from pipeline.consuming.group_client import GroupClient
from pipeline.monitoring import metrics
from pipeline.processing.frontiers import Bounds, Finding, Stored, lost_place, tell_of_retention
from pipeline.processing.slices import RECORDS, Slice, cut

GATHER = 0.01
"""Seconds of rest between fetches that follow each other: what comes in the meantime shares a
request, a slice, a write. What comes after a silence waits for nothing."""
ANSWER = 0.002
"""Seconds within which the broker answers where it has records."""
FETCH_WAIT = 0.1
"""Seconds that one fetch waits for records; a partition that has room again waits no longer."""
ASKED_ANYWAY = 1.0
"""Seconds after which the client is asked though no broker has answered: it may have something to
tell all the same, such as that a partition has no position, for which it asks nobody any more."""


class SliceConsumer(driver.Consumer):
    """Fetches into slices; the app's `partitions` says what to fetch and what to commit."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.cursors: dict[TopicPartition, Cursor] = {}
        self.answered = asyncio.Event()
        self._asked: set[TopicPartition] = set()
        self._asked_at = 0.0
        self._fetched_at = 0.0
        self._rested = False
        self._out_of_range: set[TopicPartition] = set()

    def _new_consumer_thread(self) -> GroupClient:
        return GroupClient(self, loop=self.loop, beacon=self.beacon, thread_loop=self.loop)

    async def bounds(self, partitions: list[TopicPartition]) -> dict[TopicPartition, Bounds]:
        """Where the logs start and end, and what the group has committed."""
        return await self._thread.bounds(partitions)  # type: ignore[no-any-return]

    async def leave(self) -> None:
        """End a rebalance that is under way, and say that we leave the group."""
        await self._thread.leave()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish what is in flight, commit and release partitions, before the group continues."""
        await self.app.partitions.close()
        await self.force_commit()
        self.app.partitions.forget()
        self.app.lease.end()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(
        self, assigned: set[TopicPartition], generation_id: int = 0
    ) -> None:
        """Open what was assigned; fetching starts when each one's state is restored."""
        await super().on_partitions_assigned(assigned, generation_id)
        if self.app.partitions.assign({tp.partition for tp in assigned}, self):
            self.app.lease.begin()

    def seek_back_where_stuck(self) -> None:
        """Seek back wherever the end of what was handed on never arrived."""
        for tp, cursor in self.cursors.items():
            if cursor.is_stuck():
                metrics.DROPPED_SLICES.labels(self.app.partitions.role.name, tp.topic).inc()
                self.log.warning(
                    "%s: slices from %d were dropped; reading again", tp, cursor.accepted
                )
                cursor.seek(cursor.accepted)

    async def perform_seek(self) -> None:
        """Nothing: positions are set per partition when its frontier is known."""

    async def verify_all_partitions_active(self) -> None:
        """Nothing: Faust's stall warnings read bookkeeping that slices do not keep, and to look at
        each of hundreds of partitions costs an idle worker a tenth of its time."""

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit the frontiers that have moved since the last commit."""
        self.seek_back_where_stuck()
        frontiers: Mapping[TopicPartition, int] = await self.app.partitions.flushed_frontiers()
        moved = {
            tp: offset
            for tp, offset in frontiers.items()
            if offset > (self._committed_offset.get(tp) or 0)
        }
        if not moved or not await self._commit(moved):
            return False
        self._committed_offset.update(moved)
        return True

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                if self.flow_active:
                    await self._fetch_once()
                else:
                    await self.wait(self.can_resume_flow)
        except (asyncio.CancelledError, *self.consumer_stopped_errors):
            # Told to stop while the group rebalances, Faust would take the former for a crash.
            if not self.transport.app.should_stop:
                raise

    async def _fetch_once(self) -> None:
        await self._apply_seeks()
        wanted = self.app.partitions.with_room(self.cursors)
        if not wanted:
            await self.sleep(0.005 if self.cursors else 0.05)
            return
        held = await self._fetch(wanted) if self._rested else {}
        # The client asks for more when what it holds is taken. So it holds what came first in the
        # rest, and all that came later is an answer away.
        more = await self._fetch(wanted, ANSWER if held else FETCH_WAIT)
        fetched = {tp: [*held.get(tp, ()), *more.get(tp, ())] for tp in held | more}
        # What was read in one go is handed on in the role's order of topics: an erasure goes before
        # what its user said since.
        order = self.app.partitions.role.topics.index
        in_order = sorted(fetched, key=lambda tp: order(tp.topic))
        await self._hand_on([each for tp in in_order for each in self._cut(tp, fetched[tp])])
        if self._out_of_range:
            await self._look_into(self._out_of_range)
            self._out_of_range = set()
        await self._rest(is_busy=bool(held), got=bool(fetched))

    async def _fetch(self, wanted: set[TopicPartition], seconds: float = 0.0) -> dict[Any, Any]:
        """What came; where nothing has, what the next answer brings that comes within `seconds`.

        Which partitions have no record at our position is noted, and looked into when what was
        fetched before is handed on: the client gives that only once.
        """
        is_due = time.monotonic() - self._asked_at >= ASKED_ANYWAY
        if not seconds or is_due or not wanted <= self._asked:
            fetched = await self._take(wanted)
            if fetched or not seconds:
                return fetched
        return await self._take(wanted) if await self._is_answered(seconds) else {}

    async def _take(self, wanted: set[TopicPartition]) -> dict[Any, Any]:
        """What the client holds."""
        self.answered.clear()
        self._asked, self._asked_at = set(), time.monotonic()
        try:
            fetched: dict[Any, Any] = await self._getmany(wanted, 0.0)
        except OffsetOutOfRangeError as error:
            self._out_of_range |= set(error.args[0])
            return {}
        except NoOffsetForPartitionError:
            return {}  # assigned anew a moment ago; its frontier is sought when that is known
        self._note_taken(fetched)
        if not fetched:
            # After anything else, something of another partition may be left.
            self._asked = wanted
        return fetched

    async def _is_answered(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.answered.wait()
        return self.answered.is_set()

    async def _look_into(self, partitions: set[TopicPartition]) -> None:
        """Go on where retention has passed us, which is said; raises LostPlace for all else."""
        role = self.app.partitions.role.name
        known = [tp for tp in partitions if tp in self.cursors]
        for tp, bounds in (await self.bounds(known)).items():
            cursor = self.cursors.get(tp)
            if cursor is None or cursor.seek_pending:
                continue
            if cursor.position > bounds.end:
                here = Stored({tp.topic: cursor.position})
                raise lost_place(role, tp, Finding.BEYOND_END, bounds, here)
            if cursor.position < bounds.start:
                tell_of_retention(role, tp, cursor.position, bounds.start)
            # The cursor stays, so that the next slice begins where the last one ended.
            with contextlib.suppress(IllegalStateError):  # revoked a moment ago
                await self.seek_wait({tp: max(cursor.position, bounds.start)})

    async def _rest(self, *, is_busy: bool, got: bool) -> None:
        now, gather = time.monotonic(), self.app.partitions.role.gather
        seconds = GATHER if gather is None else gather
        self._rested = is_busy or (got and now - self._fetched_at < seconds)
        if got:
            self._fetched_at = now
        if self._rested:
            await asyncio.sleep(seconds)

    def note_end(self, tp: TopicPartition) -> None:
        """Look up where a partition ends, and which answer of a broker told it."""
        cursor = self.cursors.get(tp)
        if cursor is None or cursor.seek_pending:
            return
        # Of many partitions few get something, and nobody asks about most of the others.
        if self._thread.was_answered_since(tp, cursor.answer):
            taken_to = max(cursor.position, cursor.taken_to)
            cursor.end, cursor.answer = self._thread.last_answer(tp, taken_to)

    def _note_taken(self, fetched: Mapping[Any, list[ConsumerRecord]]) -> None:
        """Note what the client handed out, before it does anything else.

        To it that is read, also while it is still on its way to a lane.
        """
        for tp, records in fetched.items():
            cursor = self.cursors.get(tp)
            if cursor is None or cursor.seek_pending:
                continue
            cursor.taken_to = records[-1].offset + 1
            cursor.end, cursor.answer = self._thread.last_answer(tp, cursor.taken_to)
            cursor.received.note(cursor.answer, records[-1].timestamp)

    async def _apply_seeks(self) -> None:
        # Only here, between two fetches: a seek during one would give it a wrong start.
        for tp, cursor in list(self.cursors.items()):
            if cursor.seek_pending:
                cursor.seek_pending = False
                try:
                    await self.seek_wait({tp: cursor.position})
                except IllegalStateError:
                    self.cursors.pop(tp, None)  # revoked a moment ago

    def _cut(self, tp: TopicPartition, records: list[Any]) -> list[Slice]:
        cursor = self.cursors.get(tp)
        if cursor is None or cursor.seek_pending:
            return []  # revoked, or fetched from where it stood before a seek
        most = self.app.partitions.role.slice_records.get(tp.topic, RECORDS)
        slices = list(cut(tp, cursor.epoch, cursor.position, records, most))
        for slice_ in slices:
            cursor.hand_on(slice_)
        return slices

    async def _hand_on(self, slices: list[Slice]) -> None:
        """Hand on what was read in one go, of whatever partitions, as one event for Faust.

        It waits for nothing but who else changes Faust's list of streams; what a rebalance drops
        from there is read again. So lanes begin together with what came together, and what they
        write leaves together.
        """
        if slices:
            await self.callback(self._as_message(slices))

    def _as_message(self, slices: list[Slice]) -> ConsumerMessage:
        slice_ = slices[0]  # any will do: what the others are of is in themselves
        last = slice_.records[-1]
        return ConsumerMessage(
            last.topic,
            last.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            (),
            None,
            slices,
            None,
            0,
            0,
            slice_.partition,
            generation_id=self.app.consumer_generation_id,
        )
