"""Fenced writes: of all who ever wrote to a changelog partition, only its newest owner still can.

Kafka gives every owner of a transactional id the next *epoch*, and a partition's leader refuses
what bears an older epoch than it has seen. That needs no transaction: ordinary idempotent batches
bear the producer id and epoch too, so a fenced write costs what any other does. aiokafka keeps one
id for all partitions; here each batch takes the id of its own partition. What this relies on in
the client is little, and `tests/pipeline/producing/test_fencing.py` holds it.
"""

import asyncio
import struct
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from aiokafka import errors
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactString, Int16, Int32, Int64, Schema, TaggedFields

from pipeline.producing.batch import Batch
from schemas.errors import Fenced, Unavailable
from schemas.topics import PREFIX

OPENED = b"\x00opened"
"""Key of the record by which an owner begins; its value is the owner's producer id and epoch."""
OWNER = struct.Struct(">qh")
CHANGELOG = "-changelog"
"""What the name of a changelog topic ends with, after the role."""
NO_ID = -1
ANSWER_SECONDS = 30.0
"""For which the coordinator of an id is asked again, while it is away or loads."""
PAUSE_SECONDS = 0.1
TRANSACTION_TIMEOUT_MS = 60_000
"""Of no meaning, as there are no transactions, but Kafka asks for one."""
LARGEST_SEQUENCE = (1 << 31) - 1


@runtime_checkable
class Fence(Protocol):
    """A log to which a changelog partition's newest owner alone can write.

    Logs in memory have no other writers, so they need not be one.
    """

    async def open(self, topic: str, partition: int) -> int:
        """Become the one owner; returns where the partition ended.

        On return no write of an owner before us can follow any more: what the partition holds
        then is all there is to restore. Raises Fenced, Unavailable.
        """
        ...

    def release(self, topic: str, partition: int) -> None:
        """Stop renewing the ownership; late writes still bear it, so that a successor's go on."""
        ...


@dataclass(slots=True)
class Owner:
    """Who writes to a partition, as its leader knows us: a producer id, its epoch, and how far."""

    producer_id: int
    epoch: int
    sequence: int = 0
    released: bool = False

    def take(self, records: int) -> int:
        """The sequence number of a batch of so many records, which is the next to be sent."""
        first, self.sequence = self.sequence, (self.sequence + records) & LARGEST_SEQUENCE
        return first

    def encode(self) -> bytes:
        """As the *opened* record says it."""
        return OWNER.pack(self.producer_id, self.epoch)


class FencedBatch(Batch):
    """A batch that bears its partition's owner instead of the client's own id."""

    def __init__(self, size: int, owner: Owner, expected: int = 0) -> None:
        super().__init__(size, expected)
        self._owner = owner

    def _set_producer_state(
        self, producer_id: int, producer_epoch: int, base_sequence: int
    ) -> None:
        # The client asks once for each batch, in the order in which it sends a partition's.
        owner = self._owner
        first = owner.take(self.record_count())
        super()._set_producer_state(owner.producer_id, owner.epoch, first)


class InitProducerIdResponse_v3(Response):  # noqa: N801  # named as aiokafka's own are
    """The id and its new epoch."""

    API_KEY = 22
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class InitProducerIdRequest_v3(RequestStruct):  # noqa: N801
    """Asks for the next epoch; aiokafka knows only version 0, which can't say who we are."""

    FLEXIBLE_VERSION = True
    API_KEY = 22
    API_VERSION = 3
    RESPONSE_TYPE = InitProducerIdResponse_v3
    SCHEMA = Schema(
        ("transactional_id", CompactString("utf-8")),
        ("transaction_timeout_ms", Int32),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class InitProducerId(Request[InitProducerIdRequest_v3]):
    """Asks for the next epoch of a transactional id; with an owner, only if it is the newest.

    Without a name it asks for an id of one's own.
    """

    API_KEY = 22

    def __init__(self, name: str | None, owner: Owner | None) -> None:
        self._name = name
        self._owner = owner or Owner(NO_ID, NO_ID)

    def build(
        self, request_struct_class: type[InitProducerIdRequest_v3]
    ) -> InitProducerIdRequest_v3:
        """The request as it is sent."""
        owner = self._owner
        return request_struct_class(
            self._name, TRANSACTION_TIMEOUT_MS, owner.producer_id, owner.epoch, {}
        )


def transactional_id(topic: str, partition: int) -> str:
    """The id that owners of a changelog partition share, such as `tocsin-decider-0`."""
    return f"{PREFIX}{topic.removesuffix(CHANGELOG)}-{partition}"


async def next_owner(
    client: AIOKafkaClient, topic: str, partition: int, before: Owner | None = None
) -> Owner:
    """The next epoch, and so the ownership, of a changelog partition.

    With the owner `before` it is renewed: Kafka then forgets the id no sooner. Raises Fenced where
    another owner came in between, and Unavailable without an answer.
    """
    request = InitProducerId(transactional_id(topic, partition), before)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await _ask(client, request, topic, partition)
            while answer is None:  # nothing tells us when it can
                await asyncio.sleep(PAUSE_SECONDS)
                answer = await _ask(client, request, topic, partition)
    except TimeoutError:
        raise Unavailable(
            f"Kafka did not say within {ANSWER_SECONDS:.0f} s who owns {topic}-{partition}. "
            "Nothing was written to it; it is asked again at the next start."
        ) from None
    return Owner(answer.producer_id, answer.producer_epoch)


async def new_owner(client: AIOKafkaClient) -> Owner:
    """An id that nobody had before and that fences nobody off; raises KafkaError."""
    answer = await client.send(client.get_random_node(), InitProducerId(None, None))
    error = errors.for_code(answer.error_code)
    if error is not errors.NoError:
        raise error
    return Owner(answer.producer_id, answer.producer_epoch)


async def _ask(
    client: AIOKafkaClient, request: InitProducerId, topic: str, partition: int
) -> Any | None:
    name = transactional_id(topic, partition)
    try:
        node = await client.coordinator_lookup(CoordinationType.TRANSACTION, name)
        answer = await client.send(node, request, group=ConnectionGroup.COORDINATION)
    except errors.TransactionalIdAuthorizationFailed:
        raise _not_allowed(name) from None
    except errors.IncompatibleBrokerVersion as error:
        raise Unavailable(
            f"This Kafka is too old ({error}): changelogs are written with InitProducerId of "
            "version 3, which Kafka has from 2.5 on. Nothing was written."
        ) from error
    except errors.KafkaError:
        await client.force_metadata_update()
        return None
    match errors.for_code(answer.error_code):
        case errors.NoError:
            return answer
        case errors.TransactionalIdAuthorizationFailed:
            raise _not_allowed(name)
        case errors.InvalidProducerEpoch | errors.InvalidProducerIdMapping:
            raise fenced(topic, partition)
        case error if error in _PASSING:
            return None
        case error:
            raise Unavailable(
                f"Kafka does not give out {name!r} ({error.__name__}), by which the writers of "
                f"{topic}-{partition} are told apart. Nothing was written to it."
            )


_PASSING = (
    errors.CoordinatorNotAvailableError,
    errors.NotCoordinatorError,
    errors.CoordinatorLoadInProgressError,
    errors.ConcurrentTransactions,
)


def fenced(topic: str, partition: int) -> Fenced:
    """What a process says whose write was refused."""
    return Fenced(
        f"Another worker has taken over {topic}-{partition}, so Kafka refused what this one was "
        "about to write. Nothing of it was stored; the other goes on from what was."
    )


def _not_allowed(name: str) -> Unavailable:
    return Unavailable(
        f"Kafka's rules do not let this process use the transactional id {name!r}. Nothing was "
        "written; `tocsin setup --acls User:NAME` prints what to allow."
    )
