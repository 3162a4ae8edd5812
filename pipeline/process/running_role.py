"""One role of a worker process: what it needs for itself, from its start to its stop."""

import asyncio
import logging
from collections.abc import Callable, Hashable
from functools import partial

from pipeline.admin.rights import check_reading
from pipeline.admin.topic_alteration import check_topics_of
from pipeline.clock import SystemClock
from pipeline.consuming.app import SliceApp, build_app, fail
from pipeline.consuming.membership import member_of
from pipeline.kafka.clients import check_group
from pipeline.monitoring import metrics
from pipeline.monitoring.logs import say
from pipeline.process.queries import Queries
from pipeline.process.runtime import Runtime
from pipeline.processing.partitions import Partitions
from pipeline.processing.role import Role
from pipeline.producing.lease import Lease
from pipeline.producing.leased_log import LeasedLog
from pipeline.producing.producer import Producer
from pipeline.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import group_of

BuildRole = Callable[[Runtime], Role]
LEAVE_SECONDS = 30.0
"""For which a stop waits for Kafka; others of the group may need `GRACE` before it can answer."""

log = logging.getLogger(__name__)


class RunningRole:
    """A role with a consumer group, and so a member, a lease and partitions, of its own.

    What else there is belongs to the process: the producer, and where questions are answered.
    """

    def __init__(
        self, settings: Settings, producer: Producer, queries: Queries, build: BuildRole
    ) -> None:
        self._settings = settings
        self._queries = queries
        self._lease = Lease(settings.session_timeout)
        self._log = LeasedLog(producer, self._lease)
        self._role = build(Runtime(settings, self._log, SystemClock(), self._lease.check))

    @property
    def name(self) -> str:
        """The role's name."""
        return self._role.name

    @property
    def is_ready(self) -> bool:
        """Whether its group has given it partitions, and all of them are restored."""
        return self._partitions.is_ready

    def progress(self) -> dict[int, Hashable]:
        """Of each partition with something to do, what changes as soon as it gets on; sets the lag.

        Nothing of a role that waits for as long as something outside is away, as it is meant to.
        """
        for topic, count in self._partitions.lag().items():
            metrics.LAG.labels(self.name, topic).set(count)
        if self._role.waits_outside:
            return {}
        written = self._log.written
        return {
            number: (done, written[number]) for number, done in self._partitions.at_work().items()
        }

    async def prepare(self) -> None:
        """Raise what makes the role useless, before anything is read; its folder is taken then."""
        settings, role = self._settings, self._role
        member, self._lock = member_of(settings.data_dir, role.name, settings.worker_name)
        await check_topics_of(settings, role.name, role.topics)
        await check_group(settings.brokers, group_of(role.name))
        await check_reading(settings.brokers, role.topics)
        if role.check is not None:
            await role.check()
        self._partitions = Partitions(
            role,
            bytes_in_flight=settings.bytes_in_flight,
            fail=self._fail,
            flush=self._log.flush,
        )
        if role.answers:
            self._queries.answer_for(role.name, self._partitions)
            self._partitions.opened = partial(self._queries.announce, role.name, self._log)
        self._app = build_app(settings, self._partitions, self._lease, member)
        self._app.finalize()

    async def start(self) -> None:
        """Ask the group for partitions; where that fails, the process ends."""
        try:
            await self._app.start()
        except Exception as error:  # or other roles would work on without it
            self._fail(error)

    async def keep_lease(self) -> None:
        """Watch for as long as the process runs, which ends when the lease does."""
        try:
            await self._lease.keep()
        except Unavailable as error:
            self._fail(error)

    async def join(self, stop: asyncio.Event) -> None:
        """Say that the group has given us partitions, unless we are told to stop before."""
        await _first(self._partitions.joined, stop)
        count = len(self._partitions.numbers)
        say(f"{self._role.name} ready, {count} partitions")

    async def leave(self) -> None:
        """Finish what is in flight, commit it and leave the group."""
        await leave(self._app, self._partitions)

    async def close(self) -> None:
        """Let go of what the handlers shared, and of the folder."""
        if self._role.close is not None:
            await self._role.close()
        self._lock.close()

    def _fail(self, error: BaseException) -> None:
        fail(error, self._role.name)


async def leave(app: SliceApp, partitions: Partitions) -> None:
    """Finish what is in flight, commit it and leave the group, whatever becomes of that.

    By then all is kept, so that Kafka not answering, or a client that broke, is worth a warning.
    """
    await partitions.leave()
    app.lease.end()  # or leaving the group would be taken for losing it
    try:
        async with asyncio.timeout(LEAVE_SECONDS):
            await app.consumer.force_commit()
            await app.consumer.leave()
    except (Exception, asyncio.CancelledError) as error:  # also of a client that broke
        log.warning(
            "This worker could not leave the group of %s within %.0f s (%r). All that it finished "
            "is kept; others have its partitions once its session has ended.",
            partitions.role.name,
            LEAVE_SECONDS,
            error,
        )


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
