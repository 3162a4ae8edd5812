"""What every handler of a worker process shares."""

from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.clock import Clock
from pipeline.errors import Unavailable
from pipeline.lease import Lease
from pipeline.outputs import Outputs
from pipeline.settings import Settings

BATCH_BYTES = 512 << 10
REQUEST_BYTES = 16 << 20


@dataclass(frozen=True)
class Runtime:
    """The settings, the producer and the clock of one worker process."""

    settings: Settings
    producer: AIOKafkaProducer
    clock: Clock

    def outputs(self) -> Outputs:
        """Room for the outputs of one slice."""
        return Outputs(self.producer)


class LeasedProducer(AIOKafkaProducer):
    """Writes batches only while the process holds its lease: a zombie changes no state."""

    lease: Lease | None = None

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Any:
        """As the client does it, unless the process stood still: then Unavailable."""
        if self.lease is not None:
            self.lease.check()
        return await super().send_batch(batch, topic, partition=partition)


async def start_producer(kafka: str, lease: Lease | None = None) -> AIOKafkaProducer:
    """An idempotent producer that waits for all replicas; raises Unavailable without a broker."""
    producer = LeasedProducer(
        bootstrap_servers=kafka,
        acks="all",
        enable_idempotence=True,
        max_batch_size=BATCH_BYTES,
        max_request_size=REQUEST_BYTES,
        request_timeout_ms=30_000,
    )
    producer.lease = lease
    try:
        await producer.start()
    except KafkaError as error:
        await producer.stop()
        raise Unavailable(
            f"Kafka does not answer at {kafka}. Nothing was read or lost; start it, or set "
            "TOCSIN_KAFKA to where it listens."
        ) from error
    return producer
