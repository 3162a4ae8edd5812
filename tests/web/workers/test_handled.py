"""What must be done before a role is asked, and is waited for; without a broker."""

import asyncio
from collections.abc import Mapping

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from pipeline.producing.outputs import partition_of
from schemas.errors import Unavailable
from schemas.topics import CONTACTS, DELIVER, FOLLOWING, REQUESTS, SUPPRESSIONS
from schemas.vocabulary import Channel, Priority
from tests.web.caller import settings
from tests.web.desk import Asked
from web.api.problem import Problem
from web.workers import handled as handled_module
from web.workers.handled import PASSED, Handled

PARTITIONS = 8
HERE = partition_of("ann", PARTITIONS)


class Owners(Asked):
    """Keeps what is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waited: list[tuple[str, int, dict[str, int]]] = []
        self.error: Exception | None = None
        self.hangs = False

    async def wait(self, role: str, partition: int, after: Mapping[str, int]) -> None:
        """Keep it."""
        self.waited.append((role, partition, dict(after)))
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error


class Ends:
    """Every partition ends at 100 times its number, and some letters of its topic."""

    async def of(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        """The ends."""
        return {tp: 100 * tp.partition + len(tp.topic) for tp in partitions}


class Rig:
    """What is asked for Ann."""

    def __init__(self) -> None:
        self.owners = Owners()
        given = settings().model_copy(update={"partitions": PARTITIONS})
        self.handled = Handled(given, self.owners)
        self.handled._ends = Ends()  # type: ignore[assignment]

    async def before(self, role: str, position: str | None) -> Mapping[str, int]:
        """The offsets."""
        return await self.handled.before(role, "ann", position)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def ends_of(reader: str) -> dict[str, int]:
    return {topic: 100 * HERE + len(topic) for topic in PASSED[reader]}


def test_by_which_topics_the_roles_pass_on() -> None:
    assert set(PASSED) == {"decider", "inapp"}
    assert {FOLLOWING.name, SUPPRESSIONS.name} <= set(PASSED["decider"])
    assert {topic.name for topic in REQUESTS.values()} <= set(PASSED["decider"])
    assert CONTACTS.name not in PASSED["decider"]
    inbox = {DELIVER[Channel.INAPP, priority].name for priority in Priority}
    assert inbox <= set(PASSED["inapp"])


@pytest.mark.parametrize("role", ["decider", "inapp"])
@pytest.mark.parametrize(
    ("position", "after"),
    [
        (None, {}),
        ("", {}),
        ("contacts:3,contacts:9,preferences:4", {"contacts": 9, "preferences": 4}),
    ],
)
async def test_what_was_written_for_the_user_is_asked_for_as_it_is(
    rig: Rig, role: str, position: str | None, after: dict[str, int]
) -> None:
    assert await rig.before(role, position) == after
    assert rig.owners.waited == []


async def test_before_the_decider_the_router_is_waited_for(rig: Rig) -> None:
    after = await rig.before("decider", "events/3:7,events/5:8,follows/3:2,contacts:9")
    assert sorted(rig.owners.waited) == [
        ("router", 3, {"events": 7, "follows": 2}),
        ("router", 5, {"events": 8}),
    ]
    assert after == {"contacts": 9, **ends_of("decider")}


async def test_before_the_inbox_the_decider_is_waited_for_as_well(rig: Rig) -> None:
    after = await rig.before("inapp", "events/3:7,contacts:9")
    passed = {"contacts": 9, **ends_of("decider")}
    assert rig.owners.waited == [("router", 3, {"events": 7}), ("decider", HERE, passed)]
    assert after == passed | ends_of("inapp")


async def test_what_is_not_handled_in_time_is_told_as_not_lost(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert handled_module.TIMEOUT_SECONDS == 4
    monkeypatch.setattr(handled_module, "TIMEOUT_SECONDS", 0.01)
    rig.owners.hangs = True
    with pytest.raises(Unavailable, match=r"not handled within 0\.01 s\. It is not lost"):
        await rig.before("inapp", "events/3:7")


async def test_while_kafka_is_away_it_is_told(rig: Rig) -> None:
    rig.owners.error = KafkaConnectionError()
    with pytest.raises(Unavailable, match=settings().kafka):
        await rig.before("inapp", "events/3:7")


@pytest.mark.parametrize("position", ["x", "events:7", "contacts/3:7", "events/8:7", "other:1"])
async def test_what_is_no_position(rig: Rig, position: str) -> None:
    with pytest.raises(Problem):
        await rig.before("inapp", position)


async def test_without_kafka_nothing_can_be_waited_for() -> None:
    given = settings(kafka="127.0.0.1:1")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        async with Handled(given, Owners()):
            pass
