"""The Faust app of a role: one agent that hands every slice to the partitions."""

import os
import sys
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.transport.drivers import aiokafka as driver

from pipeline.consumer import SliceConsumer
from pipeline.partitions import Partitions
from pipeline.settings import Settings


def fail(error: BaseException) -> None:
    """End the process at once: nothing unfinished is committed, and a restart resumes there.

    Not an exception: Faust's supervisor would catch it and go on past the failed slice.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    sys.stderr.write(
        f"tocsin: {type(error).__name__}: {error}\n"
        "tocsin: stopping; what was finished is kept, a restart goes on from there\n"
    )
    sys.stderr.flush()
    os._exit(70)


class SliceSchema(faust.Schema):
    """Leaves the slice as it is; handlers decode its records in one go."""

    def compile(self, app: Any, **_: Any) -> Any:
        """A decoder as Faust's conductor calls it."""

        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return app.create_event(None, message.value, headers={}, message=message)

        return decode


class SliceBoot(BootStrategy):
    """Leaves Faust's producer out: outputs go by ours, awaited batch by batch."""

    enable_kafka_producer = False


class SliceTransport(driver.Transport):
    """Faust's Kafka transport with our consumer."""

    Consumer = SliceConsumer


class SliceApp(faust.App):
    """A Faust app whose records travel in slices."""

    BootStrategy = SliceBoot
    partitions: Partitions

    def _new_transport(self) -> SliceTransport:
        return SliceTransport(self.conf.broker_consumer, self)

    def _crash(self, reason: BaseException) -> None:
        # What is finished was committed before the stop began: what breaks while the group is
        # left loses nothing.
        if not self.should_stop:
            fail(reason)


def build_app(settings: Settings, partitions: Partitions) -> SliceApp:
    """The app of a role; its consumer group bears the role's name."""
    role = partitions.role
    app = SliceApp(
        f"tocsin-{role.name}",
        broker=f"kafka://{settings.kafka.replace(',', ';')}",
        store="memory://",
        datadir=str(settings.data_dir),
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_commit_every=1 << 40,
        broker_commit_interval=0.5,
        broker_session_timeout=settings.session_timeout,
        broker_heartbeat_interval=settings.session_timeout / 3,
        stream_buffer_maxsize=1 << 16,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        table_standby_replicas=0,
    )
    app.partitions = partitions
    topic = app.topic(*role.topics, schema=SliceSchema(), acks=False)

    @app.agent(topic, name=role.name)
    async def accept(slices: Any) -> None:
        async for slice_ in slices:
            app.partitions.accept(slice_, app.consumer)

    return app
