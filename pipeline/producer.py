"""The producer: records of one partition travel in batches, and each writer hears of its own."""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import InvalidProducerEpoch, KafkaError, KafkaTimeoutError, ProducerFenced

from pipeline.batch import Batch
from pipeline.errors import Unavailable
from pipeline.fencing import OPENED, FencedBatch, Owner, fenced, new_owner, next_owner
from pipeline.kafka_clients import REQUEST_MS, new_client

BATCH_BYTES = 7 << 20
"""A slice's state goes to its changelog in one batch, so that a crash can't tear it."""
RECORD_OVERHEAD = 32
REQUEST_BYTES = 16 << 20
DELIVERY_SECONDS = 30.0
"""For which a write is waited for. The client itself would try for ever, so a worker whose write
takes longer ends: nothing of it can be sent any more."""
TAKEOVER_SECONDS = DELIVERY_SECONDS + 15
"""For which an owner waits whose writes don't refuse its predecessor's, until those have ended."""
RENEWAL_SECONDS = 86_400.0
"""Kafka forgets an id that was not asked for in a week, however much is written with it; the next
owner's writes would then not refuse ours (`transactional.id.expiration.ms`)."""

Place = tuple[str, int]
"""A topic and a partition."""
Entry = tuple[bytes | None, bytes | None]
"""A record's key and value."""
Check = Callable[[], None]
"""Raises what keeps a write from being sent, asked right before it is."""
Submission = tuple[list[Entry], "asyncio.Future[int]", Check]
"""What one caller writes, the offset after it once it is acknowledged, and whether it may leave."""

log = logging.getLogger(__name__)


class Producer(AIOKafkaProducer):
    """An idempotent producer that writes to a partition, in one go, whatever waits for it.

    While one write to a partition is under way, what others add waits and then goes together.
    Left to the client, every batch would fight for the partition's only place, and one that lost
    often enough would time out. A role that is no longer sure of its partitions writes nothing
    (`pipeline.leased_log`). A changelog partition that was opened takes writes only until another
    process opens it. What must end the process is told to `fail`, whether or not anybody awaits the
    write.
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
        self._waiting: dict[Place, list[Submission]] = {}
        self._writers: set[asyncio.Task[None]] = set()
        self._owners: dict[Place, Owner] = {}
        self._renumbered: dict[Place, Owner] = {}
        self._refused: set[Place] = set()

    async def open(self, topic: str, partition: int, check: Check = lambda: None) -> int:
        """Become the one owner of a changelog partition; see `pipeline.fencing.Fence`."""
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
        end = asyncio.get_running_loop().create_future()
        if place in self._waiting:
            self._waiting[place].append((entries, end, check))
        else:
            self._waiting[place] = [(entries, end, check)]
            # A task of its own: a caller that is cancelled must not take the others along.
            writer = asyncio.create_task(self._write_all(topic, partition))
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return int(await end)

    async def stop(self) -> None:
        """End, once all is acknowledged; what is not within the time of a write is given up."""
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                await super().stop()
        except TimeoutError:
            self._message_accumulator.fail_all(KafkaTimeoutError())
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

    async def _write_all(self, topic: str, partition: int) -> None:
        place = topic, partition
        try:
            while submissions := self._waiting[place]:
                self._waiting[place] = []
                await self._write_some(topic, partition, submissions)
        finally:
            del self._waiting[place]

    async def _write_some(self, topic: str, partition: int, submissions: list[Submission]) -> None:
        submissions = [each for each in submissions if _may_leave(each)]
        if not submissions:
            return
        try:
            ends = await self._append(topic, partition, [each[0] for each in submissions])
        except Exception as error:
            if isinstance(error, KafkaError):
                self._refused.add((topic, partition))
            explained = _explained(topic, partition, error)
            _fail(submissions, explained)
            if isinstance(error, TimeoutError) or (topic, partition) in self._owners:
                # Whoever wrote may have been cancelled long ago; the batch would be sent on.
                self._fail(explained)
        else:
            for (_, future, _), end in zip(submissions, ends, strict=True):
                if not future.done():
                    future.set_result(end)

    async def _append(self, topic: str, partition: int, groups: list[list[Entry]]) -> list[int]:
        async with asyncio.timeout(DELIVERY_SECONDS):
            batches, places = self._batches(groups, await self._owner((topic, partition)))
            sent = [await self.send_batch(batch, topic, partition=partition) for batch in batches]
            written = [await acknowledgement for acknowledgement in sent]
        if any(one.offset < 0 for one in written):
            raise KafkaError("a batch was there before, at an offset that is no longer known")
        return [written[number].offset + count for number, count in places]

    async def _owner(self, place: Place) -> Owner | None:
        """Under whose id a partition's batches are numbered; None for the client's own.

        A batch that was refused leaves a gap in those numbers, after which the broker takes no
        other. So the next one begins to count anew, under an id that nobody had before.
        """
        if place in self._owners:
            return self._owners[place]
        if place in self._refused:
            self._renumbered[place] = await new_owner(self.client)
            self._refused.discard(place)
        return self._renumbered.get(place)

    def _batches(
        self, groups: list[list[Entry]], owner: Owner | None = None
    ) -> tuple[list[Batch], list[tuple[int, int]]]:
        """Batches of all entries, and for each group in which batch, how far in, it ends.

        A group that fits into a batch is never split, so it is written whole or not at all.
        """
        batches = [self._batch(owner)]
        places = []
        for entries in groups:
            if batches[-1].record_count() and batches[-1].size() + size_of(entries) > BATCH_BYTES:
                batches.append(self._batch(owner))
            taken = batches[-1].extend(entries)
            while taken < len(entries):
                batches.append(self._batch(owner))
                taken += batches[-1].extend(islice(entries, taken, None))
            places.append((len(batches) - 1, batches[-1].record_count()))
        for batch in batches:
            batch.close()
        return batches, places

    def _batch(self, owner: Owner | None) -> Batch:
        return Batch(BATCH_BYTES) if owner is None else FencedBatch(BATCH_BYTES, owner)


async def start_producer(
    kafka: str, fail: Callable[[BaseException], None] = lambda _: None
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
        raise Unavailable(
            f"Kafka does not answer at {kafka}. Nothing was read or lost; start it, or set "
            "TOCSIN_KAFKA to where it listens."
        ) from error
    return producer


def size_of(entries: Iterable[Entry]) -> int:
    """Bytes that these take in a batch, about."""
    return sum(len(key or b"") + len(value or b"") + RECORD_OVERHEAD for key, value in entries)


def _may_leave(submission: Submission) -> bool:
    _, _, check = submission
    try:
        check()
    except Exception as error:
        _fail([submission], error)
        return False
    return True


def _fail(submissions: list[Submission], error: Exception) -> None:
    for _, future, _ in submissions:
        if not future.done():
            future.set_exception(error)


def _explained(topic: str, partition: int, error: Exception) -> Exception:
    if isinstance(error, ProducerFenced | InvalidProducerEpoch):
        return fenced(topic, partition)
    if isinstance(error, TimeoutError):
        return Unavailable(
            f"Kafka did not acknowledge within {DELIVERY_SECONDS:.0f} s what was written to "
            f"{topic}-{partition}; it may have been stored or not. The input was not committed "
            "and is read again."
        )
    if not isinstance(error, KafkaError):
        return error
    return Unavailable(
        f"Kafka did not take what was to be written to {topic}-{partition} ({error!r}). The "
        "input was not committed and is read again."
    )
