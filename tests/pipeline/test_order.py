"""A frontier moves behind the work, is committed behind both, and a close waits for all three."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from embedded.kafka import Kafka
from pipeline.consuming.app import SliceApp
from pipeline.process import running_role
from pipeline.processing.frontiers import Stored
from pipeline.processing.lanes import ReadTo
from pipeline.processing.partitions import Partitions
from pipeline.processing.parts import Trust
from pipeline.processing.role import Role
from pipeline.processing.slices import Slice, cut
from pipeline.producing.lease import Lease
from schemas.errors import Abandoned, Unavailable
from tests.patience import until
from tests.pipeline.gate import GatheringGate, settled
from tests.pipeline.processing.test_partitions import Source
from tests.pipeline.recorder import PARTITIONS, Recorder, committed

TOPICS = ("high", "low")
HIGH, LOW = (TopicPartition(topic, 0) for topic in TOPICS)


class Gated:
    """A handler that works on each slice until its test says what comes of it."""

    waits = False

    def __init__(self) -> None:
        self.begun: list[Slice] = []
        self.ends: list[str] = []
        self.noted: list[float] = []
        self.closed = False
        self._work: asyncio.Future[None] | None = None

    async def note_sent(self, after: float) -> None:
        """Note how long ago it was to have been sent."""
        self.noted.append(after)

    async def restore(self) -> Stored:
        """Nothing."""
        return Stored({})

    async def handle(self, slice_: Slice) -> None:
        """Work until `end`."""
        self.begun.append(slice_)
        self._work = asyncio.get_running_loop().create_future()
        try:
            await self._work
        except BaseException as error:
            self.ends.append(type(error).__name__)
            raise
        self.ends.append("done")

    def end(self, error: Exception | None = None) -> None:
        """Let the slice in hand succeed, or fail."""
        assert self._work is not None
        if error is None:
            self._work.set_result(None)
        else:
            self._work.set_exception(error)

    async def trust(self, slice_: Slice) -> Trust:
        """All of it."""
        return Trust.WHOLE

    async def note_alone(self, slice_: Slice) -> None:
        """Nothing is noted."""

    async def acquit(self, slice_: Slice) -> None:
        """Nothing was noted."""

    async def set_aside(self, slice_: Slice, error: Exception) -> None:
        """Nothing here is at fault."""
        raise error

    async def on_timer(self, read_to: ReadTo) -> float | None:
        """Nothing is ever due."""
        return None

    async def close(self) -> None:
        """Note it, and that no slice is in hand any more."""
        assert len(self.ends) == len(self.begun)
        self.closed = True


class House:
    """One partition number with two topics, one lane or one each, and slices to hand on."""

    def __init__(self, *, lane_per_topic: bool = False) -> None:
        self.handler = Gated()
        self.log = GatheringGate()
        self.errors: list[BaseException] = []
        self.source = Source()
        role = Role(
            name="gated",
            topics=TOPICS,
            open_handler=lambda *_: self.handler,
            lane_per_topic=lane_per_topic,
        )
        self.partitions = Partitions(
            role, bytes_in_flight=1 << 20, fail=self.errors.append, flush=self.log.flush
        )

    async def open(self) -> None:
        """Hold the partition."""
        self.partitions.assign({0}, self.source)
        await until(lambda: len(self.source.cursors) == len(TOPICS))

    def hand_on(self, tp: TopicPartition, records: int) -> Slice:
        """The next slice of so many records, as the consumer and the agent do it."""
        cursor = self.source.cursors[tp]
        read = [record(tp, cursor.position + n) for n in range(records)]
        (slice_,) = cut(tp, cursor.epoch, cursor.position, read)
        cursor.hand_on(slice_)
        self.partitions.accept(slice_, self.source)
        return slice_

    async def do(self, tp: TopicPartition, records: int, line: bytes) -> None:
        """A slice of so many records that has a line gathered."""
        slice_ = self.hand_on(tp, records)
        await until(lambda: self.handler.begun[-1:] == [slice_])
        self.log.gather([("rows", 0, [(None, line)])], lambda: None)
        done = self.partitions.frontiers()[tp] + records
        self.handler.end()
        await until(lambda: self.partitions.frontiers()[tp] == done)


def record(tp: TopicPartition, offset: int) -> ConsumerRecord:
    return ConsumerRecord(*tp, offset, 7000 + offset, 0, b"key", b"value", None, 3, 5, ())


async def test_a_frontier_moves_and_bytes_are_freed_when_the_work_is_done_and_no_sooner() -> None:
    house = House()
    await house.open()
    cursor = house.source.cursors[HIGH]
    first = house.hand_on(HIGH, 5)
    await until(lambda: house.handler.begun == [first])
    await settled()
    assert house.partitions.frontiers() == {HIGH: 0, LOW: 0}
    assert cursor.in_flight == first.size
    second = house.hand_on(HIGH, 2)
    house.handler.end()
    await until(lambda: house.handler.begun == [first, second])
    assert house.partitions.frontiers() == {HIGH: 5, LOW: 0}
    assert cursor.in_flight == second.size
    house.handler.end()
    await until(lambda: house.partitions.frontiers() == {HIGH: 7, LOW: 0})
    assert cursor.in_flight == 0
    await house.partitions.close()


@pytest.mark.parametrize("error", [OSError("the disk is full"), Abandoned()])
async def test_what_was_not_done_moves_no_frontier(error: Exception) -> None:
    house = House()
    await house.open()
    slice_ = house.hand_on(HIGH, 5)
    await until(lambda: bool(house.handler.begun))
    house.handler.end(error)
    await until(lambda: house.handler.closed)
    await settled()
    assert house.partitions.frontiers() == {HIGH: 0, LOW: 0}
    assert house.source.cursors[HIGH].in_flight == slice_.size
    assert bool(house.errors) == isinstance(error, OSError)
    await house.partitions.close()


@pytest.mark.parametrize("lane_per_topic", [False, True])
async def test_a_close_finishes_what_is_in_hand_and_begins_nothing(lane_per_topic: bool) -> None:
    house = House(lane_per_topic=lane_per_topic)
    await house.open()
    first = house.hand_on(LOW, 5)
    await until(lambda: house.handler.begun == [first])
    house.hand_on(LOW, 2)
    closing = asyncio.create_task(house.partitions.close())
    await settled()
    assert house.source.cursors == {}, "what is to be closed is fetched no more"
    assert not closing.done()
    assert not house.handler.closed
    assert house.handler.ends == []
    house.handler.end()
    await closing
    assert (house.handler.ends, house.handler.closed) == (["done"], True)
    # Still there, to be committed; and gone once that is done.
    assert house.partitions.frontiers() == {HIGH: 0, LOW: 5}
    house.partitions.forget()
    assert house.partitions.frontiers() == {}
    assert not house.errors


async def test_what_does_not_finish_within_the_grace_moves_no_frontier_and_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.processing.partitions.GRACE", 0.0)
    house = House()
    await house.open()
    house.hand_on(LOW, 5)
    await until(lambda: bool(house.handler.begun))
    await house.partitions.close()
    assert (house.handler.ends, house.handler.closed) == (["CancelledError"], True)
    assert house.partitions.frontiers() == {HIGH: 0, LOW: 0}
    (error,) = house.errors
    assert "-0 did not finish what was in flight within 0 s" in str(error)


async def test_frontiers_are_committed_once_what_was_gathered_before_them_is_acknowledged() -> None:
    house = House()
    await house.open()
    await house.do(HIGH, 5, b"first")
    flushing = asyncio.create_task(house.partitions.flushed_frontiers())
    (write,) = await house.log.next()
    assert write.entries == [(None, b"first")]
    # What is done meanwhile is for the next commit.
    await house.do(HIGH, 2, b"second")
    assert not flushing.done()
    write.acknowledge()
    assert await flushing == {HIGH: 5, LOW: 0}
    flushing = asyncio.create_task(house.partitions.flushed_frontiers())
    (write,) = await house.log.next()
    assert write.entries == [(None, b"second")]
    write.acknowledge()
    assert await flushing == {HIGH: 7, LOW: 0}
    await house.partitions.close()
    assert not house.errors


async def test_what_was_gathered_and_can_not_be_written_ends_the_process() -> None:
    house = House()
    await house.open()
    await house.do(HIGH, 5, b"lost")
    flushing = asyncio.create_task(house.partitions.flushed_frontiers())
    (write,) = await house.log.next()
    write.fail()
    with pytest.raises(Unavailable, match="no acknowledgement came"):
        await flushing
    (error,) = house.errors
    assert isinstance(error, Unavailable)
    await house.partitions.close()


async def test_a_close_writes_what_was_gathered_before_it_notes_what_was_sent() -> None:
    house = House()
    await house.open()
    await house.do(LOW, 5, b"last")
    closing = asyncio.create_task(house.partitions.close())
    (write,) = await house.log.next()
    assert not closing.done()
    assert 0 not in house.handler.noted
    write.acknowledge()
    await closing
    assert house.handler.noted[-1] == 0
    assert house.handler.closed


class Gate(Recorder):
    """A recorder that works on each slice until the gate is open."""

    def __init__(self, kafka: str) -> None:
        super().__init__(kafka)
        self.gates: dict[int, asyncio.Event] = defaultdict(asyncio.Event)
        self.busy: set[int] = set()
        self.is_open = False

    @asynccontextmanager
    async def worker(self, errors: list[BaseException] | None = None) -> AsyncIterator[SliceApp]:
        """One worker; at the end, also after a failure, nothing is held back any more."""
        async with super().worker(errors) as app:
            try:
                yield app
            finally:
                self.is_open = True
                for gate in self.gates.values():
                    gate.set()

    async def handle(self, slice_: Slice) -> None:
        """Wait until the partition's gate is open, then note the slice."""
        number = slice_.partition.partition
        self.busy.add(number)
        if not self.is_open:
            await self.gates[number].wait()
            self.gates[number].clear()
        await super().handle(slice_)

    def open(self, *numbers: int) -> None:
        """Let the slice in hand of these partitions be done, and no other."""
        for number in numbers:
            self.busy.discard(number)
            self.gates[number].set()

    async def full(self) -> None:
        """Wait until every partition has a slice in hand."""
        await until(lambda: len(self.busy) == PARTITIONS)


async def test_only_frontiers_are_committed_whatever_was_fetched(kafka: Kafka) -> None:
    gate = Gate(kafka.address)
    await gate.fill(100)
    async with gate.worker() as app:
        await gate.full()
        assert not await app.consumer.force_commit()
        assert await committed(app, gate) == {0: 0, 1: 0, 2: 0}
        gate.open(0, 1)
        await gate.full()
        done = {number: len(gate.handled[number]) for number in range(PARTITIONS)}
        assert done[0] > 0
        assert done[2] == 0
        await app.consumer.force_commit()
        assert await committed(app, gate) == done


async def test_nothing_is_committed_before_what_it_had_gathered_is_written(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, log = Gate(kafka.address), GatheringGate()
    await gate.fill(100)
    async with gate.worker() as app:
        monkeypatch.setattr(app.partitions, "_flush", log.flush)
        await gate.full()
        log.gather([("rows", 0, [(None, b"told")])], lambda: None)
        gate.open(0)
        await gate.full()
        done = {number: len(gate.handled[number]) for number in range(PARTITIONS)}
        committing = asyncio.create_task(app.consumer.force_commit())
        await until(lambda: bool(log.pending))
        assert await committed(app, gate) == {0: 0, 1: 0, 2: 0}
        for write in log.take():
            write.acknowledge()
        await committing
        assert await committed(app, gate) == done


async def test_a_partition_that_is_taken_away_is_finished_and_committed_before_it_goes(
    kafka: Kafka,
) -> None:
    gate = Gate(kafka.address)
    await gate.fill(100)
    async with gate.worker() as app:
        await gate.full()
        tps = {TopicPartition(gate.topic.name, number) for number in range(PARTITIONS)}
        revoking = asyncio.create_task(app.consumer.on_partitions_revoked(tps))
        await settled()
        assert await committed(app, gate) == {0: 0, 1: 0, 2: 0}
        assert not revoking.done()
        gate.open(*range(PARTITIONS))
        await revoking
        done = {number: len(gate.handled[number]) for number in range(PARTITIONS)}
        assert min(done.values()) > 0
        assert await committed(app, gate) == done
        assert app.partitions.frontiers() == {}


@pytest.mark.parametrize("trouble", [None, asyncio.CancelledError(), RuntimeError("closed")])
async def test_a_worker_that_is_told_to_stop_closes_then_commits_then_leaves(
    trouble: BaseException | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where Kafka's client ends at that moment."""
    steps: list[str] = []
    house = House()
    await house.open()
    house.hand_on(HIGH, 5)
    await until(lambda: bool(house.handler.begun))

    class App:
        """The parts of an app that are used at the end."""

        lease = Lease(6.0)

        def __init__(self) -> None:
            self.consumer = self

        async def force_commit(self) -> None:
            """Note what would be committed."""
            steps.append(f"commits {house.partitions.frontiers()[HIGH]}")

        async def leave(self) -> None:
            """Note it."""
            steps.append("leaves")
            if trouble is not None:
                raise trouble

    leaving = asyncio.create_task(
        running_role.leave(App(), house.partitions)  # type: ignore[arg-type]
    )
    await settled()
    assert steps == []
    house.handler.end()
    await leaving
    assert steps == ["commits 5", "leaves"]
    assert ("All that it finished is kept" in caplog.text) is (trouble is not None)
