"""The Faust app of a role: one agent that hands all slices to the partitions."""

import os
import sys
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.transport.drivers import aiokafka as driver

from pipeline.consuming.consumer import SliceConsumer
from pipeline.consuming.membership import Member
from pipeline.kafka.brokers import Brokers
from pipeline.monitoring.logs import say
from pipeline.processing.partitions import Partitions
from pipeline.producing.lease import Lease
from pipeline.settings import Settings
from schemas.errors import TocsinError, exit_code_of
from schemas.topics import group_of

HEARTBEAT_SECONDS = 0.5
"""A member hears at its next heartbeat that others come or go, and all wait for the last one."""


def fail(error: BaseException, role: str = "") -> None:
    """End the process at once, with the error's code: nothing unfinished is committed, and a
    restart resumes there.

    `role` is the one that can't go on; all others of the process end with it. Not an exception:
    Faust's supervisor would catch it and go on past the failed slice.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error.__cause__, TocsinError):
        error = error.__cause__  # as Kafka's client wraps what it did not foresee
    where = f" in the role {role}" if role else ""
    say(f"{type(error).__name__}{where}: {error}", sys.stderr, "ERROR")
    say("stopping; finished work is kept, and a restart continues from there", sys.stderr, "ERROR")
    os._exit(exit_code_of(error))


class SliceSchema(faust.Schema):
    """Leaves slices as they are; handlers decode their records in one go."""

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
    brokers: Brokers
    partitions: Partitions
    member: Member | None
    lease: Lease

    def _new_transport(self) -> SliceTransport:
        return SliceTransport(self.conf.broker_consumer, self)

    def _crash(self, reason: BaseException) -> None:
        # What is finished is kept: what breaks while the group is left loses nothing.
        if not self.partitions.is_leaving:
            fail(reason, self.partitions.role.name)


def build_app(
    settings: Settings, partitions: Partitions, lease: Lease, member: Member | None = None
) -> SliceApp:
    """The app of a role; its consumer group bears the role's name, and renews the lease.

    `member` is us in that group.
    """
    role = partitions.role
    app = SliceApp(
        group_of(role.name),
        broker=f"kafka://{settings.kafka.replace(',', ';')}",
        store="memory://",
        datadir=str(settings.data_dir),
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_commit_every=1 << 40,
        broker_commit_interval=0.5,
        broker_session_timeout=settings.session_timeout,
        broker_heartbeat_interval=min(HEARTBEAT_SECONDS, settings.session_timeout / 6),
        stream_buffer_maxsize=1 << 16,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        table_standby_replicas=0,
    )
    app.brokers = settings.brokers
    app.partitions = partitions
    app.member = member
    app.lease = lease
    topic = app.topic(*role.topics, schema=SliceSchema(), acks=False)

    @app.agent(topic, name=role.name)
    async def accept(fetches: Any) -> None:
        async for slices in fetches:
            for slice_ in slices:
                app.partitions.accept(slice_, app.consumer)

    return app
