"""Kafka's client of a role, in the loop of all else.

Faust gives it a thread with a loop of its own, and each call goes there and back through a queue.
As both threads share one interpreter, that made nothing run at the same time: it cost a third of
the processor time of reading, and every step waited for the other thread to let go. Here it is a
task. So nothing may hold the loop for as long as a session lasts, as no heartbeat leaves meanwhile;
all work is in steps that give way (`pipeline.processing.slices.in_stretches`), and what takes long
is done in threads.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiokafka
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver

from pipeline.consuming.fetch_planning import plan_when_possible
from pipeline.consuming.fetch_sessions import answer_of, assignment_of, tell_of_fetches
from pipeline.consuming.heartbeats import renew_by_answers
from pipeline.consuming.membership import NamedConsumer
from pipeline.consuming.received import Answer
from pipeline.kafka.clients import new_client
from pipeline.processing.frontiers import Bounds

PARTITION_BYTES = 1 << 19
"""What one fetch brings of a partition at most, unless a single batch is larger."""
FETCH_BYTES = 1 << 22
"""And of all partitions together. Without it the client piles up that much of each one that has
a backlog, whether there is room for it or not."""


class GroupClient(driver.AIOKafkaConsumerThread):
    """The client as a member of the role's group; Faust knows it as a thread."""

    async def start(self) -> None:
        """Begin to serve, connected; raises what keeps it from that."""
        self._thread_started.set()
        self._thread_running = self.parent_loop.create_future()
        # Whatever ends it was told to the app, which is what ends the process.
        self._serving = asyncio.create_task(self._serve())
        self._serving.add_done_callback(lambda task: task.cancelled() or task.exception())
        await self._thread_running

    async def on_start(self) -> None:
        """Connect."""
        await super().on_start()
        plan_when_possible(self._ensure_consumer())

    async def on_thread_started(self) -> None:
        """Nothing: no queue of calls is needed."""

    async def _gather_remaining_tasks(self) -> None:
        """Nothing: the loop's other tasks are not the client's."""

    async def call_thread(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call it; Faust's methods know no other way."""
        found = fun(*args, **kwargs)
        return await found if isinstance(found, Awaitable) else found

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        consumer = new_client(
            NamedConsumer,
            self.app.brokers,
            member=self.app.member,
            group_id=conf.id,
            enable_auto_commit=False,
            # A position that the log does not have is looked into, and never left for another.
            auto_offset_reset="none",
            max_partition_fetch_bytes=PARTITION_BYTES,
            fetch_max_bytes=FETCH_BYTES,
            fetch_max_wait_ms=500,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
        )
        renew_by_answers(consumer, self.app.lease)
        tell_of_fetches(consumer, self._tell)
        return consumer

    def _tell(self) -> None:
        self.consumer.answered.set()

    async def getmany(self, active_partitions: Any, timeout: float) -> Any:  # noqa: ASYNC109
        """As Faust's; what makes the group end is raised by whatever call is next."""
        consumer = self._ensure_consumer()
        consumer._coordinator.check_errors()  # noqa: SLF001
        return await self._fetch_records(consumer, active_partitions, timeout=timeout)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Commit what is still ours; False where the group has moved on.

        Any other trouble ends the process: the client swallows what a rebalance raises.
        """
        consumer = self._ensure_consumer()
        ours = consumer.assignment()
        try:
            await consumer.commit(
                {tp: OffsetAndMetadata(at, "") for tp, at in offsets.items() if tp in ours}
            )
        except CommitFailedError:
            return False
        except Exception as error:
            await self.crash(error)
            return False
        return True

    def last_answer(self, tp: TopicPartition, taken_to: int) -> tuple[int | None, Answer]:
        """Where the partition's records ended when a broker last answered a fetch, None before
        that; and that answer.

        The last record that was taken ends at `taken_to`; the client may be past what follows it
        and is no record.
        """
        state = self._state(tp)
        answer = answer_of(state)  # first: the end may be newer, never older
        if state is None or state.lso is None:
            return None, answer
        end = int(state.lso)
        if state.has_valid_position and state.position >= end:
            end = min(end, taken_to)
        return end, answer

    def was_answered_since(self, tp: TopicPartition, known: Answer) -> bool:
        """Whether `last_answer` is another than that."""
        return answer_of(self._state(tp)) is not known

    async def leave(self) -> None:
        """Leave the group."""
        await self._ensure_consumer().leave()

    async def bounds(self, partitions: list[TopicPartition]) -> dict[TopicPartition, Bounds]:
        """Where the logs start and end, and what the group has committed."""
        consumer = self._ensure_consumer()
        committed = {tp: await consumer.committed(tp) for tp in partitions}
        starts = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        return {tp: Bounds(starts[tp], ends[tp], committed[tp]) for tp in partitions}

    def _state(self, tp: TopicPartition) -> Any:
        """What the client keeps of a partition; None where that was revoked a moment ago."""
        assignment = assignment_of(self._ensure_consumer())
        return assignment and assignment.state_value(tp)
