"""What to fetch is looked for when a broker can be asked, and not while all of them are."""

from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from embedded.kafka import Kafka
from pipeline.fetch_planning import plan_when_possible
from tests.patience import until
from tests.pipeline.recorder import PARTITIONS, Recorder

FIRST, SECOND = (TopicPartition("events", number) for number in range(2))


class Client:
    """As much of Kafka's client as a plan needs: who leads what, and who is being asked."""

    def __init__(self, **leaders: int | None) -> None:
        self.looks = 0
        self._partitions: dict[str, int | None] = leaders
        self._in_flight: set[int] = set()
        self._fetcher_timeout = 0.1
        self._client = SimpleNamespace(cluster=self)
        self._fetcher = self

    def leader_for_partition(self, tp: TopicPartition) -> int | None:
        return self._partitions[f"p{tp.partition}"]

    def _get_actions_per_node(
        self, _: Any
    ) -> tuple[list[Any], dict[Any, Any], float, bool, list[Any]]:
        self.looks += 1
        return [], {}, 0.1, False, []

    def look(self, assignment: Any, *asked: int) -> int:
        """Have it look while these brokers are being asked; how often it has looked by then."""
        self._in_flight = set(asked)
        self._get_actions_per_node(assignment)
        return self.looks


def both() -> Any:
    """An assignment of two partitions."""
    return SimpleNamespace(tps={FIRST, SECOND})


def test_it_is_looked_while_any_leader_can_be_asked() -> None:
    client, assignment = Client(p0=1, p1=2), both()
    plan_when_possible(client)
    assert [client.look(assignment, *asked) for asked in ((), (1,), (2,))] == [1, 2, 3]
    assert client.look(assignment, 1, 2) == 3
    assert client.look(assignment, 1) == 4


def test_it_is_looked_where_a_leader_is_unknown_so_that_it_is_asked_for() -> None:
    client = Client(p0=1, p1=None)
    plan_when_possible(client)
    assert client.look(both(), 1) == 1


def test_who_leads_is_looked_up_again_when_that_or_what_is_ours_changed() -> None:
    client, assignment = Client(p0=1, p1=1), both()
    plan_when_possible(client)
    assert client.look(assignment, 1) == 0
    client._partitions = {"p0": 1, "p1": 2}
    assert client.look(assignment, 1) == 1
    assert client.look(SimpleNamespace(tps={FIRST}), 1) == 1
    assert client.look(SimpleNamespace(tps={SECOND}), 1) == 2
    assert client.look(SimpleNamespace(tps=set()), 1) == 3


async def test_a_worker_reads_on_though_it_looks_only_then(kafka: Kafka) -> None:
    recorder = Recorder(kafka.address)
    await recorder.fill(1)
    async with recorder.worker():
        for times in range(2, 12):
            await recorder.fill(1)
            await until(lambda times=times: recorder.count() == times * PARTITIONS)  # type: ignore[misc]
