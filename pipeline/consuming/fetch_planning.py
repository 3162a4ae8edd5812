"""Planning what to fetch, for clients with many partitions.

Kafka's client looks at every partition that it has each time that something was taken from it or
came, though it asks a broker one thing at a time. A worker with 224 partitions pays half a
millisecond for each look, and as much again for spelling out what it asks for. Most of the time
each partition has a position, none is paused, and the broker has in mind what we asked for before:
then a plan is a list of positions.
"""
# ruff: noqa: SLF001 - nothing of how the client plans is public

from collections import defaultdict
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.consuming.fetch_requests import Planned, Wanted
from pipeline.consuming.fetch_sessions import LEAST_PARTITIONS

Actions = tuple[list[Any], dict[Any, Any], float, bool, list[Any]]
"""Fetches, positions to look up, seconds until the next look, whether leaders are unknown, and
what to wait for besides: as the client has it."""


def plan_when_possible(consumer: AIOKafkaConsumer) -> None:
    """Have a started consumer plan so; what is out of the ordinary it plans as it always does.

    It plans again when something was taken from it or a broker has answered, as it always does.
    """
    fetcher = consumer._fetcher
    planner = Planner(fetcher, consumer._client.cluster)
    fetcher._get_actions_per_node = planner.look


class Planner:
    """Who leads what of the assignment, and what is to be asked of whom."""

    def __init__(self, fetcher: Any, cluster: Any) -> None:
        self._fetcher, self._cluster = fetcher, cluster
        self._look = fetcher._get_actions_per_node
        # Both are exchanged as a whole when they change.
        self._known: tuple[Any, Any] = (None, None)
        self._by_leader: dict[int | None, tuple[list[TopicPartition], list[Any]]] = {}

    def look(self, assignment: Any) -> Actions:
        """What to do now."""
        self._learn(assignment)
        held = self._held()
        if held is None or not self._by_leader:
            return self._look(assignment)  # type: ignore[no-any-return]
        free = self._by_leader.keys() - self._fetcher._in_flight
        requests = [(leader, self._request(leader)) for leader in free]
        if any(request is None for _, request in requests):
            return self._look(assignment)  # type: ignore[no-any-return]
        fetches = [each for each in requests if each[0] not in held]
        seconds = min(held.values(), default=self._fetcher._fetcher_timeout)
        return fetches, {}, seconds, False, []

    def _learn(self, assignment: Any) -> None:
        metadata = self._cluster._partitions
        if self._known[0] is assignment and self._known[1] is metadata:
            return
        self._known = assignment, metadata
        found = defaultdict[int | None, tuple[list[TopicPartition], list[Any]]](lambda: ([], []))
        for tp in assignment.tps:
            places, states = found[self._cluster.leader_for_partition(tp)]
            places.append(tp)
            states.append(assignment.state_value(tp))
        self._by_leader = dict(found)

    def _held(self) -> dict[int | None, float] | None:
        """By leader, for how many seconds what it sent may wait here to be taken before others are
        asked for; None where that is over for some, which the client then leaves out."""
        held: dict[int | None, float] = {}
        for tp, result in self._fetcher._records.items():
            seconds = result.calculate_backoff()
            if not seconds:
                return None
            leader = self._cluster.leader_for_partition(tp)
            held[leader] = max(seconds, held.get(leader, 0.0))
        return held

    def _request(self, leader: int | None) -> Planned | None:
        """What is asked of a leader; None where that takes a closer look."""
        fetcher = self._fetcher
        places, states = self._by_leader[leader]
        offsets = [state._position for state in states]
        is_plain = (
            leader not in (None, -1)
            and len(places) >= LEAST_PARTITIONS
            and None not in offsets
            and not any(state._paused for state in states)
            and not fetcher._preferred_read_replica
        )
        if not is_plain:
            return None
        wanted = Wanted(places, offsets, fetcher._max_partition_fetch_bytes, states)
        bounds = fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes, fetcher._fetch_max_bytes
        return Planned(wanted, (*bounds, fetcher._isolation_level, fetcher._client_rack or ""))
