"""Three brokers, of which some are killed, stand still or are restarted while events flow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from embedded.kafka import Kafka
from embedded.kafka_cluster import KafkaCluster
from embedded.local_stack import WEB, LocalStack
from tests.chaos.conftest import CALLS_IN_FLIGHT, LATENCY, PROVIDERS, SESSION_TIMEOUT, Tell
from tests.chaos.observe import set_fault
from tests.chaos.small_disk import SmallDisk, small_disk
from tests.chaos.under_load import SINKS, UNAVAILABLE, Api, Load, under_load
from tests.patience import PATIENCE

ROLES = ("router", "decider", *SINKS, "inapp", "retry", WEB)
"""What a script's events need; three brokers leave no processor time for more."""
TOGETHER = {"deciding": ("router", "decider", "inapp"), "sending": (*SINKS, "retry")}
"""Nobody stops one role here, and fewer processes leave more processor time to brokers."""
PARTITIONS = 3
"""Of each topic every broker leads one."""
RATE = 10
"""Events a second, for the same reason."""
MISSED = 8
"""Seconds after which the others have taken over from a broker that keeps silent."""
AWAY = 10
LONG = 45


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    """What the brokers keep their logs on, all three of them."""
    with small_disk(tmp_path_factory.mktemp("replicated") / "kafka") as disk:
        yield disk


@pytest.fixture(scope="module")
async def house(disk: SmallDisk) -> AsyncIterator[LocalStack]:
    """All that a script's events need, on three brokers, each of which has every record."""
    folder = disk.folder.parent
    async with LocalStack(
        folder,
        brokers=3,
        roles=ROLES,
        together=TOGETHER,
        partitions=PARTITIONS,
        session_timeout=SESSION_TIMEOUT,
        calls_in_flight=CALLS_IN_FLIGHT,
        provider_timeout=PATIENCE,
        api_keys=folder / "keys.toml",
    ) as house:
        for provider in PROVIDERS:
            await set_fault(house, provider, LATENCY)
        yield house


@pytest.fixture
def brokers(house: LocalStack) -> list[Kafka]:
    """The three of them."""
    assert isinstance(house.kafka, KafkaCluster)
    return house.kafka.brokers


def loaded(
    house: LocalStack, name: str, seconds: int, tell: Tell, *, soon: bool = False
) -> AbstractAsyncContextManager[Load]:
    """The house under load, judged at the end of the block."""
    api = Api(house.web_port, Path(house.settings.api_keys))
    return under_load(house, house.workers.values(), api, name, seconds, RATE, tell, soon=soon)


async def test_one_broker_stands_still_and_then_two_are_killed(
    house: LocalStack, brokers: list[Kafka], tell: Tell
) -> None:
    """While one is silent the others take over; while two are away nothing is acknowledged."""
    async with loaded(house, "brokers", 240, tell) as load:
        await load.accepts()
        brokers[0].pause()
        await asyncio.sleep(MISSED)
        brokers[0].resume()
        await load.accepts()
        await asyncio.gather(brokers[1].kill(), brokers[2].kill())
        while UNAVAILABLE not in load.replies.values():  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.1)
        await asyncio.gather(brokers[1].start(), brokers[2].start())
        load.healed()
        await load.accepts()


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("name", "end", "away"), [("killed-each", Kafka.kill, AWAY), ("rolling", Kafka.stop, 0)]
)
async def test_brokers_end_and_come_back_one_by_one(
    house: LocalStack,
    brokers: list[Kafka],
    tell: Tell,
    name: str,
    end: Callable[[Kafka], Awaitable[None]],
    away: float,
) -> None:
    """Each time a third of all partitions, of groups and of fences lose their leader."""
    async with loaded(house, name, 240, tell, soon=True) as load:
        for broker in brokers:
            await end(broker)
            await asyncio.sleep(away)
            await broker.start()
            load.healed()
            await asyncio.sleep(AWAY)
        await load.accepts()


@pytest.mark.chaos
async def test_a_broker_stands_still(house: LocalStack, brokers: list[Kafka], tell: Tell) -> None:
    """It keeps its connections and answers nobody, so requests to it end by their time alone."""
    async with loaded(house, "silent", 240, tell, soon=True) as load:
        await asyncio.sleep(AWAY)
        brokers[1].pause()
        await asyncio.sleep(LONG)
        brokers[1].resume()
        load.healed()
        await asyncio.sleep(AWAY)
        await load.accepts()


@pytest.mark.chaos
async def test_fewer_brokers_than_must_have_a_record(
    house: LocalStack, brokers: list[Kafka], tell: Tell
) -> None:
    """Workers wait, or end and are started again, until enough are back."""
    async with loaded(house, "too-few", 240, tell, soon=True) as load:
        await asyncio.sleep(AWAY)
        await asyncio.gather(*(broker.kill() for broker in brokers[:2]))
        await asyncio.sleep(LONG)
        before = set(load.replies)
        await asyncio.sleep(AWAY)
        assert {load.replies[name] for name in load.replies.keys() - before} == {UNAVAILABLE}
        await asyncio.gather(*(broker.start() for broker in brokers[:2]))
        load.healed()
        await asyncio.sleep(AWAY)
        await load.accepts()


@pytest.mark.chaos
async def test_the_disk_of_all_brokers_fills_and_has_room_again(
    house: LocalStack, brokers: list[Kafka], disk: SmallDisk, tell: Tell
) -> None:
    """Kafka ends where it can't write; what it acknowledged before is there when it is back."""
    if not disk.is_mounted:
        pytest.skip("a disk that can be filled takes the right to mount one")
    async with loaded(house, "no-space", 240, tell, soon=True) as load:
        await asyncio.sleep(AWAY)
        await asyncio.to_thread(disk.fill)
        while UNAVAILABLE not in load.replies.values():  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.1)
        await asyncio.sleep(AWAY)
        tell(f"brokers that ended: {sum(not broker.is_running for broker in brokers)}")
        disk.free()
        # As whoever runs it would: one that lost its disk does not look for it again.
        for broker in brokers:
            await broker.kill()
        await asyncio.gather(*(broker.start() for broker in brokers))
        load.healed()
        await asyncio.sleep(AWAY)
        await load.accepts()
