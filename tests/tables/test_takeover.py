"""A changelog has one writer: what a former owner still sends is refused, or read by the next one.

The former owner's requests are held up by a proxy, as a cut or slow network would, while another
takes the partition over.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from embedded.kafka import Kafka
from schemas.errors import BrokenChangelog, Fenced
from tables.storage.store import PartitionStore
from tests.kafka_proxy import PRODUCE, KafkaProxy, of, proxy_to
from tests.patience import ended, until
from tests.tables.ground import COUNTS, Ground, notes, producing

TOPIC = "events"


@dataclass
class Worker:
    """One process, as its partition's store and a way to Kafka of its own."""

    ground: Ground
    proxy: KafkaProxy
    failures: list[BaseException]

    def store(self) -> PartitionStore:
        """Its store; not yet restored."""
        return self.ground.store(f"db-{self.proxy.port}")


@asynccontextmanager
async def worker(ground: Ground, kafka: Kafka) -> AsyncIterator[Worker]:
    """A worker of the ground's partition, behind a proxy of its own."""
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(proxy_to(kafka.port))
        producer = await stack.enter_async_context(producing(proxy.address))
        failures: list[BaseException] = []
        producer._fail = failures.append
        yield Worker(replace(ground, kafka=proxy.address, producer=producer), proxy, failures)
        proxy.let_go()


@pytest.fixture
async def former(ground: Ground, kafka: Kafka) -> AsyncIterator[Worker]:
    async with worker(ground, kafka) as opened:
        yield opened


@pytest.fixture
async def latter(ground: Ground, kafka: Kafka) -> AsyncIterator[Worker]:
    async with worker(ground, kafka) as opened:
        yield opened


async def count_item(store: PartitionStore, number: int) -> None:
    """Count one more item and store that the topic is done so far, as a handler does."""
    (before,) = store.get_many([b"citems"])
    count = 0 if before is None else COUNTS.decode(before)
    await store.write({b"citems": COUNTS.encode(count + 1)}, (TOPIC, number))


async def with_a_late_write(former: Worker) -> tuple[PartitionStore, asyncio.Task[None]]:
    """An owner's store that has counted one item, and its second write, which is held up."""
    store = former.store()
    await store.restore()
    await count_item(store, 1)
    former.proxy.hold(of(PRODUCE))
    late = asyncio.create_task(count_item(store, 2))
    await until(lambda: len(former.proxy.held) == 1)
    return store, late


def items(contents: dict[bytes, bytes]) -> int:
    """How many items a store has counted."""
    return COUNTS.decode(contents[b"citems"])


async def test_what_a_former_owner_sends_late_is_refused_and_changes_no_state(
    ground: Ground, former: Worker, latter: Worker
) -> None:
    """Six items came; the first owner's second write is on its way while another counts on."""
    (old, late), new = await with_a_late_write(former), latter.store()
    assert await new.restore() == {TOPIC: 1}
    for number in range(2, 7):
        await count_item(new, number)
    former.proxy.let_go()
    with pytest.raises(Fenced, match=r"Another worker has taken over ground-changelog-\d+,"):
        await ended(late)
    assert [type(failure) for failure in former.failures] == [Fenced]
    old.close()
    new.close()
    assert await ground.frontiers("fresh") == {TOPIC: 6}
    assert items(await ground.contents("fresh")) == 6


async def test_what_comes_before_the_next_owner_begins_is_part_of_what_it_restores(
    ground: Ground, former: Worker, latter: Worker
) -> None:
    (old, late), new = await with_a_late_write(former), latter.store()
    # The next owner has its epoch, and what it begins with is on its way.
    latter.proxy.hold(of(PRODUCE))
    restoring = asyncio.create_task(new.restore())
    await until(lambda: len(latter.proxy.held) == 1)
    former.proxy.let_go()
    await ended(late)
    latter.proxy.let_go()
    assert await ended(restoring) == {TOPIC: 2}
    with pytest.raises(Fenced):
        await count_item(old, 3)
    old.close()
    new.close()
    assert items(await ground.contents("fresh")) == 2


async def test_who_was_taken_over_writes_nothing_more_though_it_opens_nothing_anew(
    ground: Ground, former: Worker, latter: Worker
) -> None:
    old, new = former.store(), latter.store()
    await old.restore()
    await new.restore()
    old.close()
    for _ in range(2):
        with pytest.raises(Fenced):
            await former.ground.producer.write(ground.topic, ground.partition, [(b"nx", b"late")])
    new.close()
    assert await ground.log() == []


async def test_a_partition_that_comes_back_is_written_to_again(
    ground: Ground, former: Worker, latter: Worker
) -> None:
    for owner in (former, latter, former, latter):
        store = owner.store()
        done = (await store.restore()).get(TOPIC, 0)
        await count_item(store, done + 1)
        store.close()
    assert items(await ground.contents("fresh")) == 4
    assert not former.failures + latter.failures


async def test_a_changelog_cut_short_behind_the_state_is_said_though_opening_adds_to_it(
    ground: Ground,
) -> None:
    """The state has one record more than the log; what an owner begins with must not hide it."""
    async with ground.open() as store:
        await store.write(notes({"a": "one"}))
    other = replace(ground, partition=127)
    async with other.open("elsewhere"):
        pass
    with pytest.raises(BrokenChangelog, match="ends at 1, but the state on disk was made from 2"):
        await other.contents("db")
