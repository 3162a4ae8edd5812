"""Asking a broker for new records without naming every partition each time.

A broker keeps what a consumer fetches from it as a session: a request then names the partitions
whose position has changed, and an answer those that have something new. A worker that reads 176
partitions, most of which get nothing, so costs itself and the broker a few of them a fetch. Kafka's
client for Python has the form of such requests, but always names all. What a session is, and what
ends it, is in KIP-227 (*Introduce Incremental FetchRequests to Increase Partition Scalability*).
"""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import ConnectionGroup
from aiokafka.protocol.fetch import FetchRequest, FetchRequestStruct

from pipeline.received import NOTHING, Answer

FIRST_VERSION = 7
"""Of fetch requests, that has sessions: brokers from Kafka 1.1 on."""
LEAST_PARTITIONS = 8
"""From which on a session is begun. Brokers keep a thousand, and for two minutes also those that
nobody uses any more; a reader of one partition would take a place for nothing."""
NO_SESSION = 0
FIRST_EPOCH = 0
LAST_EPOCH = 2**31 - 1

Place = tuple[str, int]
"""A topic and a partition; equal to a TopicPartition."""
Wanted = tuple[int, int]
"""From which offset, and how many bytes at most."""


def use_fetch_sessions(consumer: AIOKafkaConsumer) -> None:
    """Have a consumer that is not started yet fetch in sessions, one a broker, and note answers.

    Its client has one way for all requests; what is no fetch goes on as it is.
    """
    client = consumer._client  # noqa: SLF001  # nothing public sees a fetch
    send = client.send
    sessions: defaultdict[int, FetchSession] = defaultdict(FetchSession)

    async def send_in_session(
        node_id: int, request: Any, *, group: ConnectionGroup = ConnectionGroup.DEFAULT
    ) -> Any:
        if not isinstance(request, FetchRequest):
            return await send(node_id, request, group=group)
        session = sessions[node_id]
        changes = session.next(request, assignment_of(consumer))
        try:
            response = await send(node_id, changes, group=group)
        except BaseException:
            # Cancelled too: the broker may have counted it.
            session.begin_anew()
            raise
        answered = session.heed(response)
        _note(consumer, response, answered, Answer(int(time.time() * 1000), node_id))
        return response

    client.send = send_in_session


def tell_of_fetches(consumer: AIOKafkaConsumer, tell: Callable[[], None]) -> None:
    """Have it told when a broker has answered a fetch.

    What it brought can be taken by what the loop does next.
    """
    client = consumer._client  # noqa: SLF001
    send = client.send

    async def send_and_tell(
        node_id: int, request: Any, *, group: ConnectionGroup = ConnectionGroup.DEFAULT
    ) -> Any:
        response = await send(node_id, request, group=group)
        if isinstance(request, FetchRequest):
            tell()
        return response

    client.send = send_and_tell


def answer_of(state: Any) -> Answer:
    """The last answer to a fetch of a partition, by what the client keeps of the partition.

    It tells of the log as seen from the client's position, or from one that it had before.
    """
    answer: Answer = getattr(state, "answer", NOTHING)
    return answer


def assignment_of(consumer: AIOKafkaConsumer) -> Any:
    """What the client keeps of the partitions that it has; None before it has any."""
    subscription = consumer._subscription.subscription  # noqa: SLF001
    return subscription and subscription.assignment


class Changes(FetchRequest):
    """A fetch request that says how a session's partitions change; all of it to an old broker."""

    def __init__(
        self,
        whole: FetchRequest,
        session: tuple[int, int],
        changed: dict[str, list[tuple[int, int, int]]],
        forgotten: dict[str, list[int]],
    ) -> None:
        super().__init__(
            whole._max_wait_ms,  # noqa: SLF001
            whole._min_bytes,  # noqa: SLF001
            whole._max_bytes,  # noqa: SLF001
            whole._isolation_level,  # noqa: SLF001
            list(changed.items()),
            whole._rack_id,  # noqa: SLF001
        )
        self._whole = whole
        self._session = session
        self._forgotten = forgotten

    def build(self, struct: type[FetchRequestStruct]) -> FetchRequestStruct:
        """As the version has it that both sides know."""
        if struct.API_VERSION < FIRST_VERSION:
            return self._whole.build(struct)
        request = super().build(struct)
        request.session_id, request.session_epoch = self._session
        request.forgotten_topics_data = list(self._forgotten.items())
        return request


class FetchSession:
    """What one broker has in mind of what we fetch there."""

    def __init__(self) -> None:
        self._id = NO_SESSION
        self._epoch = FIRST_EPOCH
        self._wanted: dict[Place, Wanted] = {}
        self._assignment: object = None

    def next(self, whole: FetchRequest, assignment: object = None) -> FetchRequest:
        """What to send for a request that names every partition of an assignment.

        What was told of partitions in an earlier assignment the client has forgotten, so each is
        named again.
        """
        if assignment is not self._assignment:
            self.begin_anew()
            self._assignment = assignment
        known = self._wanted if self._epoch != FIRST_EPOCH else {}
        self._wanted = {
            (topic, partition): (offset, most)
            for topic, partitions in whole.topics
            for partition, offset, most in partitions
        }
        if self._id == NO_SESSION and len(self._wanted) < LEAST_PARTITIONS:
            return whole
        changed: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for place, want in self._wanted.items():
            if known.get(place) != want:
                changed[place[0]].append((place[1], *want))
        forgotten: dict[str, list[int]] = defaultdict(list)
        for topic, partition in known.keys() - self._wanted.keys():
            forgotten[topic].append(partition)
        return Changes(whole, (self._id, self._epoch), changed, forgotten)

    def heed(self, response: Any) -> dict[Place, Wanted]:
        """Go on from an answer; of which partitions, and asked from where, it tells.

        Of those that it does not name it tells that nothing is new.
        """
        if getattr(response, "error_code", 0):
            # Most often the broker was restarted, or gave the session's place to another.
            self.begin_anew()
            return {}
        session = getattr(response, "session_id", NO_SESSION)
        self._epoch = self._epoch % LAST_EPOCH + 1 if session != NO_SESSION else FIRST_EPOCH
        self._id = session
        return self._wanted

    def begin_anew(self) -> None:
        """Name every partition next, and have the broker end what it still has."""
        self._epoch = FIRST_EPOCH


def _note(
    consumer: AIOKafkaConsumer, response: Any, answered: dict[Place, Wanted], answer: Answer
) -> None:
    """Note where logs end, also of a partition whose position is another by now: it is told once.

    Then for each partition that is where it was that this is its last answer.
    """
    assignment = assignment_of(consumer)
    if assignment is None:
        return
    failed = set()
    for topic, partitions in response.topics:
        for partition, error, high_water, last_stable, *_ in partitions:
            state = assignment.state_value((topic, partition))
            if error:
                failed.add((topic, partition))
            elif state:
                state.highwater, state.lso = high_water, last_stable
    for place, (offset, _) in answered.items():
        state = assignment.state_value(place)
        if state and state.has_valid_position and state.position == offset and place not in failed:
            state.answer = answer
