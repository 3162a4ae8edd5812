"""What is planned to be fetched. The oracle is Kafka's client, which looks at each partition."""

import random
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.subscription_state import Assignment
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v4

from embedded.kafka import Kafka
from pipeline.consuming.fetch_planning import Actions, Planner
from pipeline.consuming.fetch_requests import Planned, Wanted
from pipeline.consuming.fetch_sessions import LEAST_PARTITIONS, FetchSession
from tests.patience import until
from tests.pipeline.recorder import PARTITIONS, Recorder

MANY = 2 * LEAST_PARTITIONS
TPS = [TopicPartition(f"topic-{number % 3}", number) for number in range(MANY)]


class Result:
    """What the client holds of a partition, and for how long it waits to be asked for it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def calculate_backoff(self) -> float:
        return self._seconds


class Client:
    """A fetcher of Kafka's client that was never started, and who leads its partitions."""

    def __init__(self, leaders: Sequence[int | None]) -> None:
        self.leaders: dict[TopicPartition, int | None] = dict(zip(TPS, leaders, strict=True))
        self.assignment = Assignment(TPS)
        for tp in TPS:
            self.state(tp).seek(0)
        self.learn()
        self.fetcher = fetcher = Fetcher.__new__(Fetcher)
        fetcher._client = SimpleNamespace(cluster=self)
        fetcher._records, fetcher._in_flight = {}, set()
        fetcher._preferred_read_replica, fetcher._client_rack = {}, None
        fetcher._fetch_max_wait_ms, fetcher._fetch_min_bytes = 500, 1
        fetcher._fetch_max_bytes, fetcher._max_partition_fetch_bytes = 1 << 22, 1 << 19
        fetcher._isolation_level, fetcher._fetcher_timeout = 1, 0.1
        self.looks = 0
        self._plan = self.fetcher._get_actions_per_node
        fetcher._get_actions_per_node = self._count
        self.planner = Planner(fetcher, self)

    def learn(self) -> None:
        """Have the client told of its leaders anew."""
        self._partitions = object()

    def leader_for_partition(self, tp: TopicPartition) -> int | None:
        return self.leaders[tp]

    def state(self, tp: TopicPartition) -> Any:
        return self.assignment.state_value(tp)

    def _count(self, assignment: Any) -> Actions:
        self.looks += 1
        return self._plan(assignment)  # type: ignore[no-any-return]

    def plans(self) -> list[tuple[Any, ...]]:
        """Ours and that of the client, in a form that can be compared."""
        return [spelled_out(plan(self.assignment)) for plan in (self.planner.look, self._plan)]


def spelled_out(actions: Actions) -> tuple[Any, ...]:
    fetches, positions, seconds, is_unknown, others = actions
    asked = {
        leader: {
            (topic, *partition) for topic, partitions in request.topics for partition in partitions
        }
        for leader, request in fetches
    }
    return asked, dict(positions), seconds, is_unknown, len(others)


def disturb(client: Client, chance: random.Random) -> None:
    """Something that changes a plan."""
    fetcher, tp = client.fetcher, chance.choice(TPS)
    match chance.randrange(8):
        case 0 | 1 | 2:
            client.state(tp).seek(chance.randrange(100))
        case 3:
            fetcher._records = {
                tp: Result(chance.choice((0.0, 0.05, 0.1, 0.1)))
                for tp in chance.sample(TPS, chance.choice((0, 0, 1, 2)))
            }
        case 4:
            fetcher._in_flight = set(chance.sample((1, 2, 3), chance.randrange(4)))
        case 5:
            client.state(tp).pause()
            client.state(chance.choice(TPS)).resume()
        case 6:
            client.leaders[tp] = chance.choice((1, 1, 2, 2, 3, None, -1))
            client.learn()
        case 7:
            if chance.randrange(4) == 0:
                client.state(tp).await_reset(-1)


@pytest.mark.parametrize("seed", range(100))
async def test_a_plan_is_what_the_client_would_do(seed: int) -> None:
    chance = random.Random(seed)
    client = Client([chance.choice((1, 1, 2)) for _ in TPS])
    for _ in range(30):
        disturb(client, chance)
        ours, theirs = client.plans()
        assert ours == theirs


async def test_the_ordinary_is_planned_without_the_client() -> None:
    client = Client([1] * MANY)
    client.planner.look(client.assignment)
    client.fetcher._in_flight = {1}
    client.planner.look(client.assignment)
    client.fetcher._in_flight, client.fetcher._records = set(), {TPS[0]: Result(0.05)}
    client.planner.look(client.assignment)
    assert client.looks == 0


async def test_of_few_partitions_the_client_makes_the_plan_as_it_asks_without_a_session() -> None:
    client = Client([1] * (MANY - 1) + [2])
    client.planner.look(client.assignment)
    assert client.looks == 1


async def test_who_leads_is_looked_up_again_when_that_or_what_is_ours_changed() -> None:
    client = Client([1] * MANY)
    client.fetcher._in_flight = {1}
    assert client.planner.look(client.assignment)[0] == []
    client.leaders = dict.fromkeys(TPS, 2)
    assert client.planner.look(client.assignment)[0] == []
    client.learn()
    ((leader, _),) = client.planner.look(client.assignment)[0]
    assert leader == 2
    another = Assignment(TPS)
    for tp in TPS:
        another.state_value(tp).seek(9)
    ((_, request),) = client.planner.look(another)[0]
    assert {offset for _, named in request.topics for _, offset, _ in named} == {9}


async def test_what_a_request_asks_for_does_not_change_once_it_is_made() -> None:
    """The client compares with it where a partition stands once it is answered."""
    client = Client([1] * MANY)
    ((_, request),) = client.planner.look(client.assignment)[0]
    client.state(TPS[0]).seek(7)
    assert isinstance(request, Planned)
    assert set(request.wanted.offsets) == {0}


def test_a_broker_that_knows_no_sessions_is_asked_for_all() -> None:
    planned = Planned(Wanted([("topic", 3)], [7], 100), (500, 1, 1000, 1, ""))
    asked = FetchSession().next(planned)
    whole = FetchRequest(500, 1, 1000, 1, [("topic", [(3, 7, 100)])])
    assert asked.build(FetchRequest_v4).encode() == whole.build(FetchRequest_v4).encode()


async def test_a_worker_reads_on_though_it_looks_only_then(kafka: Kafka) -> None:
    recorder = Recorder(kafka.address)
    await recorder.fill(1)
    async with recorder.worker():
        for times in range(2, 12):
            await recorder.fill(1)
            await until(lambda times=times: recorder.count() == times * PARTITIONS)  # type: ignore[misc]
