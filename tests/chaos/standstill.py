"""For how long nobody works on a partition: what a role has handled shows in its changelog."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from aiokafka import TopicPartition

from pipeline.kafka.clients import reader
from schemas.topics import changelog

Ends = dict[TopicPartition, int]


async def ends(kafka: str, role: str, partitions: Iterable[int]) -> Ends:
    """Where the changelogs of these partitions end now."""
    tps = [TopicPartition(changelog(role).name, number) for number in partitions]
    async with reader(kafka) as consumer:
        found: Ends = await consumer.end_offsets(tps)
    return found


async def gaps(kafka: str, role: str, begin: Ends) -> dict[int, float]:
    """By partition, the longest time between two records since then, by the broker's clock (s)."""
    times: dict[TopicPartition, list[int]] = defaultdict(list)
    until = await ends(kafka, role, [tp.partition for tp in begin])
    async with reader(kafka) as consumer:
        consumer.assign(list(begin))
        for tp, offset in begin.items():
            consumer.seek(tp, max(0, offset - 1))
        for tp, end in until.items():
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(tp, timeout_ms=500)).values():
                    times[tp] += [record.timestamp for record in records]
    return {
        tp.partition: max((b - a for a, b in pairwise(each)), default=0) / 1000
        for tp, each in times.items()
    }
