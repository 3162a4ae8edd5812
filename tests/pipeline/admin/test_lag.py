"""What a role has before it: all records of all partitions that it has not committed."""

from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.admin.lag import Lag
from schemas.topics import INPUTS
from tests.agents.line import PARTITIONS, Line

ROLE = "retry"
ONE, TWO = (topic.name for topic in INPUTS[ROLE])
TPS = [TopicPartition(topic.name, n) for topic in INPUTS[ROLE] for n in range(PARTITIONS)]


async def commit(line: Line, offsets: dict[TopicPartition, int] | None = None) -> None:
    """As the role's workers would: these, or all that there is now."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=line.kafka, group_id=f"tocsin-{ROLE}", enable_auto_commit=False
    )
    await consumer.start()
    consumer.assign(TPS)
    await consumer.commit(offsets or await consumer.end_offsets(TPS))
    await consumer.stop()


async def write(line: Line, counts: dict[TopicPartition, int]) -> None:
    """So many records to each of these."""
    for tp, count in counts.items():
        await line.producer.write(tp.topic, tp.partition, [(b"key", b"value")] * count)


@pytest.fixture
async def lag(line: Line) -> AsyncIterator[Lag]:
    """Of a role that has nothing before it."""
    await commit(line)
    async with Lag(line.kafka, PARTITIONS) as looking:
        yield looking
    await commit(line)


async def test_lag_counts_every_partition_of_every_topic_to_its_end(line: Line, lag: Lag) -> None:
    lags, ends = await lag.look([ROLE])
    assert lags == {ROLE: 0}
    assert set(ends) == set(TPS)
    first, second, third = TopicPartition(ONE, 0), TopicPartition(ONE, 1), TopicPartition(TWO, 1)
    written = {first: 3, second: 2, third: 1}
    await write(line, written)
    lags, after = await lag.look([ROLE])
    assert lags == {ROLE: 6}
    assert {tp: after[tp] - ends[tp] for tp in TPS if after[tp] != ends[tp]} == written
    by_topic = (await lag.by_topic())[ROLE]
    assert by_topic == {**dict.fromkeys((tp.topic for tp in TPS), 0), ONE: 5, TWO: 1}
    # One partition to its end, the other to the last record but one.
    await commit(line, {first: after[first], second: after[second] - 1})
    assert (await lag.look([ROLE]))[0] == {ROLE: 2}


async def test_what_comes_between_two_looks_is_waited_for(line: Line, lag: Lag) -> None:
    """Outputs of the last record that was done show in the second look."""
    looks = list[int]()

    async def told(lags: dict[str, int]) -> None:
        looks.append(lags[ROLE])
        if len(looks) == 1:
            await write(line, {TopicPartition(ONE, 0): 1})
            await commit(line)

    assert await lag.settle(60, told, [ROLE])
    # Done, but the next look has other ends; only the third is like the one before it.
    assert looks == [0, 0, 0]


async def test_what_waits_in_a_roles_state_is_waited_for(line: Line, lag: Lag) -> None:
    looks = list[int]()
    left = iter((2, 1, 0))

    async def told(lags: dict[str, int]) -> None:
        looks.append(lags[ROLE])

    async def waiting() -> int:
        return next(left, 0)

    assert await lag.settle(60, told, [ROLE], waiting)
    assert looks == [0, 0, 0, 0]


async def test_what_does_not_move_is_not_waited_for_for_ever(line: Line, lag: Lag) -> None:
    looks = list[int]()
    await write(line, {TopicPartition(ONE, 0): 1})

    async def told(lags: dict[str, int]) -> None:
        looks.append(lags[ROLE])

    assert not await lag.settle(0.5, told, [ROLE])
    assert set(looks) == {1}
