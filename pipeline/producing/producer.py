"""The producer: records of one partition are sent in batches, and each writer gets its result."""

import asyncio
import logging
import math
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    KafkaTimeoutError,
    ProducerClosed,
    ProducerFenced,
)

from pipeline.kafka.brokers import Kafka
from pipeline.kafka.clients import REQUEST_MS, new_client
from pipeline.kafka.refusals import RULES, refusal
from pipeline.kafka.throttling import pause_left
from pipeline.process.prerequisites import kafka_away
from pipeline.producing.batch import Batch
from pipeline.producing.fencing import OPENED, FencedBatch, Owner, fenced, new_owner, next_owner
from pipeline.producing.write_queue import Check, Entry, Place, Submission, Taken, WriteQueue
from schemas.errors import NotPermitted, Unavailable
from schemas.topics import HEADERS

BATCH_BYTES = 7 << 20
"""A slice's state goes to its changelog in one batch, so that a crash can't tear it."""
REQUEST_BYTES = 16 << 20
DELIVERY_SECONDS = 30.0
"""For which a write is waited for, beyond pauses that the broker asks for. The client itself would
try for ever, so a worker whose write takes longer ends: nothing of it can be sent any more."""
TAKEOVER_SECONDS = DELIVERY_SECONDS + 15
"""For which an owner waits whose writes don't refuse its predecessor's, until those have ended."""
PAUSE_SECONDS = 0.02
RENEWAL_SECONDS = 86_400.0
"""Kafka forgets an id that was not asked for in a week, however much is written with it; the next
owner's writes would then not refuse ours (`transactional.id.expiration.ms`)."""

log = logging.getLogger(__name__)


class Producer(AIOKafkaProducer):
    """An idempotent producer whose every request has all that waits for the broker it goes to.

    A broker is sent one request at a time. What is written meanwhile waits, by partition, and
    becomes one batch of each when the next request leaves. Left to the client, every batch would
    fight for its partition's only place, and one that lost often enough would time out. A role that
    is no longer sure of its partitions writes nothing (`pipeline.producing.leased_log`). A
    changelog partition that was opened takes writes only until another process opens it. What must
    end the process is told to `fail`, whether or not anybody awaits the write.
    """

    def __init__(
        self, fail: Callable[[BaseException], None] = lambda _: None, **options: Any
    ) -> None:
        super().__init__(acks="all", enable_idempotence=True, **options)
        # Of requests alone: a batch may wait longer for its place behind one that is sent again.
        self._request_timeout_ms = round(DELIVERY_SECONDS * 1000)
        # However long a partition has no leader: a batch that was given up would leave a gap in the
        # numbers by which the broker knows what it has, and no later one would be taken.
        self._message_accumulator._batch_ttl = math.inf  # noqa: SLF001 - it has no option
        self._fail = fail
        self._waiting: dict[Place, WriteQueue] = {}
        self._known: set[Place] = set()
        self._owners: dict[Place, Owner] = {}
        self._renumbered: dict[Place, Owner] = {}
        self._refused: dict[Place, asyncio.Task[None] | None] = {}
        self._paused: set[int | None] = set()
        self._gather_before_requests()

    async def open(self, topic: str, partition: int, check: Check = lambda: None) -> int:
        """Become the one owner of a changelog partition; see `pipeline.producing.fencing.Fence`."""
        place = topic, partition
        self._owners[place] = owner = await next_owner(self.client, topic, partition)
        begin = await self.write(topic, partition, [(OPENED, owner.encode())], check) - 1
        if owner.epoch == 0 and begin > 0:
            # The id is new, as it is after a week without owners, so the leader can't know our
            # predecessor's for an older one.
            await self._outwait(topic, partition)
            await self.write(topic, partition, [(OPENED, owner.encode())], check)
        return begin

    def release(self, topic: str, partition: int) -> None:
        """Stop renewing; late writes still bear the old owner, so that a successor's go on."""
        if owner := self._owners.get((topic, partition)):
            owner.released = True

    async def renew_owners(self) -> None:
        """Renew what is open, once a day, for as long as the process runs.

        Raises Fenced where another has taken over, Unavailable where Kafka does not answer.
        """
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            await self.renew()

    async def renew(self) -> None:
        """Renew what is open: what is written from now on bears the new epoch."""
        for place, owner in list(self._owners.items()):
            if not owner.released:
                renewed = await next_owner(self.client, *place, before=owner)
                # Opened anew meanwhile, it has a newer one.
                if self._owners[place] is owner and not owner.released:
                    self._owners[place] = renewed

    async def write(
        self,
        topic: str,
        partition: int,
        entries: list[Entry],
        check: Check = lambda: None,
    ) -> int:
        """Append records, in order; returns the offset after the last, once acknowledged.

        Raises what `check` raises, and then nothing was written; and Unavailable, when it must not
        be assumed that none of it was.
        """
        place = topic, partition
        loop = asyncio.get_running_loop()
        submission = Submission(entries, loop.create_future(), check)
        submission.giving_up = loop.call_later(DELIVERY_SECONDS, self._give_up, place, submission)
        self._queue(place).put(submission)
        try:
            if place not in self._known:
                await self._know(place)
            self._wake_for(place)
            return await submission.end
        except KafkaError as error:
            self._queue(place).drop(submission)
            submission.withdraw()
            raise _explained(topic, partition, error) from error
        except asyncio.CancelledError:
            if place not in self._known:
                # Nobody else may ever ask for the partition, and until then it is in no request.
                self._queue(place).drop(submission)
                submission.withdraw()
            raise

    async def stop(self) -> None:
        """End, once all is acknowledged; what is not within the time of a write is given up."""
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                while any(self._waiting.values()):  # noqa: ASYNC110 - queues have no event
                    await asyncio.sleep(PAUSE_SECONDS)
                await super().stop()
        except TimeoutError:
            self._message_accumulator.fail_all(KafkaTimeoutError())
            self._closed = True
            await self._sender.close()
            await self.client.close()

    async def _outwait(self, topic: str, partition: int) -> None:
        log.warning(
            "%s-%d: Kafka can't tell its former owner from us, so what that one may still write "
            "is waited for: %.0f s.",
            topic,
            partition,
            TAKEOVER_SECONDS,
        )
        await asyncio.sleep(TAKEOVER_SECONDS)

    def _gather_before_requests(self) -> None:
        """Have what waits put into batches when the client looks for what to send.

        And have it fail with them where the client can't go on.
        """
        accumulator = self._message_accumulator
        drain, fail_all = accumulator.drain_by_nodes, accumulator.fail_all

        def gather_and_drain(
            ignore_nodes: Collection[int], muted_partitions: Collection[TopicPartition] = ()
        ) -> Any:
            self._gather(ignore_nodes, muted_partitions)
            return drain(ignore_nodes, muted_partitions)

        def fail_all_that_waits(error: BaseException) -> None:
            fail_all(error)
            for place, queue in self._waiting.items():
                queue.fail(_explained(*place, error))

        accumulator.drain_by_nodes = gather_and_drain
        accumulator.fail_all = fail_all_that_waits

    def _gather(self, busy: Collection[int], in_flight: Collection[TopicPartition]) -> None:
        pending = self._message_accumulator._batches  # noqa: SLF001
        for place, queue in list(self._waiting.items()):
            tp = TopicPartition(*place)
            if not queue:
                del self._waiting[place]
                continue
            if place not in self._known or tp in in_flight or tp in pending:
                continue
            leader = self.client.cluster.leader_for_partition(tp)
            if leader in busy or self._is_paused(leader):
                continue
            if place in self._refused:
                self._refused[place] = self._refused[place] or asyncio.create_task(
                    self._renumber(place)
                )
                continue
            self._send_some(place, queue)

    def _is_paused(self, leader: int | None) -> bool:
        """Whether the broker wants nothing now; what waits for it is then looked at afterwards."""
        left = pause_left(self.client, leader)
        if left and leader not in self._paused:
            self._paused.add(leader)
            asyncio.get_running_loop().call_later(left, self._go_on, leader)
        return left > 0

    def _go_on(self, leader: int | None) -> None:
        self._paused.discard(leader)
        self._wake()

    def _send_some(self, place: Place, queue: WriteQueue) -> None:
        taken: Taken = []
        try:
            owner = self._owners.get(place) or self._renumbered.get(place)
            batch = self._batch(owner, queue.size(), place[0])
            taken = queue.fill(batch, BATCH_BYTES)
            if not batch.record_count():
                return
            batch.close()
            sent = self.enqueue(batch, place)
        except Exception as error:
            self._fail_some(place, taken, error)
        else:
            sent.add_done_callback(partial(self._acknowledge, place, taken))

    def enqueue(self, batch: Batch, place: Place) -> "asyncio.Future[Any]":
        """Have a batch sent with the next request; what becomes of it."""
        accumulator = self._message_accumulator
        return accumulator._append_batch(batch, TopicPartition(*place)).future  # type: ignore[no-any-return]  # noqa: SLF001

    def _acknowledge(self, place: Place, taken: Taken, sent: "asyncio.Future[Any]") -> None:
        if (error := sent.exception()) is None and sent.result().offset < 0:
            error = KafkaError("a batch was there before, at an offset that is no longer known")
        if error is not None:
            self._fail_some(place, taken, error)
            return
        begin = sent.result().offset
        for submission, count in taken:
            submission.succeed(begin + count)

    def _fail_some(self, place: Place, taken: Taken, error: BaseException) -> None:
        if isinstance(error, KafkaError):
            self._refused[place] = None
        explained = _explained(*place, error)
        for submission, _ in taken:
            submission.fail(explained)
        self._queue(place).fail(explained, begun_only=True)
        if place in self._owners:
            # Whoever wrote may have been cancelled long ago.
            self._fail(explained)

    def _give_up(self, place: Place, submission: Submission) -> None:
        leader = self.client.cluster.leader_for_partition(TopicPartition(*place))
        left = pause_left(self.client, leader)
        if left:
            # Its time begins once the broker takes anything again.
            submission.giving_up = asyncio.get_running_loop().call_later(
                left + DELIVERY_SECONDS, self._give_up, place, submission
            )
            return
        explained = _explained(*place, TimeoutError())
        self._queue(place).drop(submission)
        submission.fail(explained)
        # What is in a batch is sent on, whoever waits for it.
        self._fail(explained)

    async def _know(self, place: Place) -> None:
        """Wait until it is known that the partition exists; raises KafkaError."""
        topic, partition = place
        # Or it is known only until the client is asked about another, if it knew all topics before.
        self.client.add_topic(topic)
        await self.client._wait_on_metadata(topic)  # noqa: SLF001
        self._partition(topic, partition, None, None, None, None)
        self._known.add(place)

    async def _renumber(self, place: Place) -> None:
        """Number a partition's batches anew, under an id that nobody had before.

        A batch that was refused leaves a gap in the numbers, after which the broker takes no other.
        """
        try:
            if place not in self._owners:
                self._renumbered[place] = await new_owner(self.client)
            del self._refused[place]
        except KafkaError as error:
            self._refused[place] = None
            self._queue(place).fail(_explained(*place, error))
        self._wake()

    def _queue(self, place: Place) -> WriteQueue:
        queue = self._waiting.get(place)
        if queue is None:
            queue = self._waiting[place] = WriteQueue()
        return queue

    def _wake_for(self, place: Place) -> None:
        """Have the client look for what to send, or raise why it can't send anything any more.

        While its broker is sent something else, it is to look when that ends anyway.
        """
        accumulator = self._message_accumulator
        if accumulator._exception is not None:  # noqa: SLF001
            raise accumulator._exception  # noqa: SLF001
        if self._closed:
            raise ProducerClosed
        leader = self.client.cluster.leader_for_partition(TopicPartition(*place))
        if leader not in self._sender._in_flight:  # noqa: SLF001
            self._wake()

    def _wake(self) -> None:
        if not (waiter := self._message_accumulator.waiter()).done():
            waiter.set_result(None)

    def _batch(self, owner: Owner | None, expected: int, topic: str) -> Batch:
        if owner is None:
            return Batch(BATCH_BYTES, expected, HEADERS.get(topic, ()))
        return FencedBatch(BATCH_BYTES, owner, expected)


async def start_producer(
    kafka: Kafka, fail: Callable[[BaseException], None] = lambda _: None
) -> Producer:
    """A producer that waits for all replicas; raises Unavailable without a broker."""
    producer = new_client(
        Producer,
        kafka,
        fail,
        max_batch_size=BATCH_BYTES,
        max_request_size=REQUEST_BYTES,
        request_timeout_ms=REQUEST_MS,
    )
    try:
        await producer.start()
    except KafkaError as error:
        await producer.stop()
        raise await refusal(kafka, error) or kafka_away(kafka) from error
    return producer


def _explained(topic: str, partition: int, error: BaseException) -> BaseException:
    if isinstance(error, ProducerFenced | InvalidProducerEpoch):
        return fenced(topic, partition)
    if isinstance(error, TimeoutError | KafkaTimeoutError):
        return Unavailable(
            f"Kafka did not acknowledge within {DELIVERY_SECONDS:.0f} s what was written to "
            f"{topic}-{partition}; it may have been stored or not. The input was not committed "
            "and is read again."
        )
    if isinstance(error, RULES):
        return NotPermitted(
            f"Kafka's rules do not allow us to write to {topic} ({type(error).__name__}). Nothing "
            "of it was stored, and the input was not committed; `tocsin setup --acls User:NAME` "
            "prints what we need."
        )
    if not isinstance(error, KafkaError):
        return error
    return Unavailable(
        f"Kafka did not take what was to be written to {topic}-{partition} ({error!r}). The "
        "input was not committed and is read again."
    )
