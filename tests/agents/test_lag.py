"""How far roles are, asked of a real Kafka."""

from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient

from pipeline.admin.lag import Lag
from schemas.topics import EVENTS, INPUTS
from tests.agents.line import PARTITIONS, Line


async def test_all_topics_are_learnt_of_at_once(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left to itself the client learns of one unknown topic at a time, each after a pause."""
    asked: list[set[str]] = []
    update = AIOKafkaClient._metadata_update

    async def counted(self: AIOKafkaClient, cluster: Any, topics: Any) -> Any:
        asked.append(set(topics))
        return await update(self, cluster, topics)

    monkeypatch.setattr(AIOKafkaClient, "_metadata_update", counted)
    async with Lag(line.kafka, PARTITIONS) as lag:
        before = len(asked)
        await lag.by_topic()
        assert len(asked) == before
    wanted = {topic.name for topics in INPUTS.values() for topic in topics}
    assert len(wanted) > 50
    assert wanted in asked


async def test_what_no_group_has_committed_is_counted_from_the_start(line: Line) -> None:
    async with Lag(line.kafka, PARTITIONS) as lag:
        before = (await lag.by_topic())["router"][EVENTS.name]
        for partition in (0, 1, 1):
            await line.producer.write(EVENTS.name, partition, [(b"lag", b"{}")])
        assert (await lag.by_topic())["router"][EVENTS.name] == before + 3
