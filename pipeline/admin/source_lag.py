"""What sources of the catalogue have before them, as Kafka says it from outside."""

from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition
from msgspec import Struct

from pipeline.kafka.brokers import Brokers
from pipeline.kafka.clients import administrator, reader
from pipeline.kafka.topic_reading import topics_of_others
from policy.source.source import Source
from schemas.topics import group_of


class SourceLag(Struct, frozen=True, kw_only=True):
    """Records of one topic that a source has before it; `unread` are those of its `partitions` in
    which it has not begun yet, of which nothing is counted."""

    source: str
    topic: str
    partitions: int
    lag: int
    unread: int = 0


async def source_lags(brokers: Brokers, sources: Iterable[Source]) -> list[SourceLag]:
    """Of each source by topic, in the catalogue's order; raises Unavailable."""
    topics = await topics_of_others(brokers)
    wanted = [(source, name) for source in sources for name in sorted(topics) if source.reads(name)]
    committed = await _committed(brokers, dict.fromkeys(source.name for source, _ in wanted))
    ends = await _ends(brokers, {name: topics[name] for _, name in wanted})
    return [
        _lag(source.name, name, topics[name], committed[source.name], ends)
        for source, name in wanted
    ]


def _lag(
    source: str,
    topic: str,
    partitions: int,
    committed: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> SourceLag:
    tps = [TopicPartition(topic, number) for number in range(partitions)]
    begun = [tp for tp in tps if tp in committed]
    return SourceLag(
        source=source,
        topic=topic,
        partitions=partitions,
        lag=sum(max(0, ends[tp] - committed[tp]) for tp in begun),
        unread=len(tps) - len(begun),
    )


async def _committed(
    brokers: Brokers, sources: Iterable[str]
) -> dict[str, dict[TopicPartition, int]]:
    async with administrator(brokers.unprefixed) as admin:
        found = {}
        for source in sources:
            group = brokers.prefix + group_of(f"source-{source}")
            offsets = await admin.list_consumer_group_offsets(group)
            found[source] = {tp: at.offset for tp, at in offsets.items() if at.offset >= 0}
        return found


async def _ends(brokers: Brokers, topics: Mapping[str, int]) -> dict[TopicPartition, int]:
    if not topics:
        return {}
    async with reader(brokers.unprefixed, *topics) as consumer:
        tps = [TopicPartition(name, at) for name, count in topics.items() for at in range(count)]
        ends: dict[TopicPartition, int] = await consumer.end_offsets(tps)
        return ends
