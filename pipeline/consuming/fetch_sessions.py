"""Asking a broker for new records without naming every partition each time.

A broker keeps what a consumer fetches from it as a session: a request then names the partitions
whose position has changed, and an answer those that have something new. A worker that reads 176
partitions, most of which get nothing, so costs itself and the broker a few of them a fetch. Kafka's
client for Python has the form of such requests, but always names all. What a session is, and what
ends it, is in KIP-227 (*Introduce Incremental FetchRequests to Increase Partition Scalability*).
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.client import ConnectionGroup
from aiokafka.protocol.fetch import FetchRequest

from pipeline.consuming.fetch_requests import (
    NONE_WANTED,
    Changes,
    Place,
    Planned,
    Wanted,
    wanted_in,
)
from pipeline.consuming.received import NOTHING, Answer

LEAST_PARTITIONS = 8
"""From which on a session is begun. Brokers keep a thousand, and for two minutes also those that
nobody uses any more; a reader of one partition would take a place for nothing."""
NO_SESSION = 0
FIRST_EPOCH = 0
LAST_EPOCH = 2**31 - 1


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
        if isinstance(request, Planned):
            request.name_only(response)
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


class FetchSession:
    """What one broker has in mind of what we fetch there."""

    def __init__(self) -> None:
        self._id = NO_SESSION
        self._epoch = FIRST_EPOCH
        self._wanted = NONE_WANTED
        self._assignment: object = None

    def next(self, whole: FetchRequest, assignment: object = None) -> FetchRequest:
        """What to send for a request that asks for every partition of an assignment.

        What was told of partitions in an earlier assignment the client has forgotten, so each is
        named again.
        """
        if assignment is not self._assignment:
            self.begin_anew()
            self._assignment = assignment
        known = self._wanted if self._epoch != FIRST_EPOCH else NONE_WANTED
        self._wanted = wanted = wanted_in(whole)
        if self._id == NO_SESSION and len(wanted.places) < LEAST_PARTITIONS:
            return whole
        changed, left = _compared(known, wanted)
        forgotten: dict[str, list[int]] = defaultdict(list)
        for topic, partition in left:
            forgotten[topic].append(partition)
        return Changes(
            whole,
            (self._id, self._epoch),
            wanted.in_topics(changed),
            list(forgotten.items()),
        )

    def heed(self, response: Any) -> Wanted:
        """Go on from an answer; of which partitions, and asked from where, it tells.

        Of those that it does not name it tells that nothing is new.
        """
        if getattr(response, "error_code", 0):
            # Most often the broker was restarted, or gave the session's place to another.
            self.begin_anew()
            return NONE_WANTED
        session = getattr(response, "session_id", NO_SESSION)
        self._epoch = self._epoch % LAST_EPOCH + 1 if session != NO_SESSION else FIRST_EPOCH
        self._id = session
        return self._wanted

    def begin_anew(self) -> None:
        """Name every partition next, and have the broker end what it still has."""
        self._epoch = FIRST_EPOCH


def _compared(known: Wanted, wanted: Wanted) -> tuple[list[tuple[Place, int]], Iterable[Place]]:
    """Places with another offset than before, with the new one, and those no longer wanted."""
    if known.places is wanted.places:
        both = zip(wanted.places, known.offsets, wanted.offsets, strict=True)
        return [(place, offset) for place, before, offset in both if before != offset], ()
    before = dict(zip(known.places, known.offsets, strict=True))
    pairs = zip(wanted.places, wanted.offsets, strict=True)
    changed = [(place, offset) for place, offset in pairs if before.get(place) != offset]
    return changed, before.keys() - set(wanted.places)


def _note(consumer: AIOKafkaConsumer, response: Any, answered: Wanted, answer: Answer) -> None:
    """Note where logs end, also of a partition whose position is another by now: it is told once.

    Then for each partition that is where it was that this is its last answer.
    """
    assignment = assignment_of(consumer)
    if assignment is None:
        return
    failed = {}
    for topic, partitions in response.topics:
        for partition, error, high_water, last_stable, *_ in partitions:
            state = assignment.state_value((topic, partition))
            if error:
                failed[topic, partition] = state
            elif state:
                state.highwater, state.lso = high_water, last_stable
    before = [(state, answer_of(state)) for state in failed.values() if state]
    states = answered.states or map(assignment.state_value, answered.places)
    for state, offset in zip(states, answered.offsets, strict=True):
        if state and state._position == offset:  # noqa: SLF001 - the property asserts one
            state.answer = answer
    for state, last in before:
        state.answer = last
