"""Looking for what to fetch only when a broker can be asked.

Kafka's client looks at every partition that it has each time that something was taken from it or
came, though it asks a broker one thing at a time. A worker with 224 partitions pays half a
millisecond for each look.
"""

from typing import Any

from aiokafka import AIOKafkaConsumer

Actions = tuple[list[Any], dict[Any, Any], float, bool, list[Any]]
"""Fetches, positions to look up, seconds until the next look, whether leaders are unknown, and
what to wait for besides: as the client has it."""


def plan_when_possible(consumer: AIOKafkaConsumer) -> None:
    """Have a started consumer not look while all leaders of its partitions are being asked.

    It looks again when one has answered, as it always does.
    """
    fetcher, cluster = consumer._fetcher, consumer._client.cluster  # noqa: SLF001
    look = fetcher._get_actions_per_node  # noqa: SLF001
    # Both are exchanged as a whole when they change.
    known: tuple[Any, Any] = (None, None)
    leaders: set[int | None] = set()

    def look_when_possible(assignment: Any) -> Actions:
        nonlocal known, leaders
        metadata = cluster._partitions  # noqa: SLF001
        if known[0] is not assignment or known[1] is not metadata:
            known = assignment, metadata
            leaders = {cluster.leader_for_partition(tp) for tp in assignment.tps}
        asked: set[int] = fetcher._in_flight  # noqa: SLF001
        if leaders and leaders <= asked:
            return [], {}, fetcher._fetcher_timeout, False, []  # noqa: SLF001
        actions: Actions = look(assignment)
        return actions

    fetcher._get_actions_per_node = look_when_possible  # noqa: SLF001
