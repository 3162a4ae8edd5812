"""Where a worker goes on: what would pass over records, or decide without state, stops it."""

import logging

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.consuming.app import SliceApp
from pipeline.monitoring.metrics import RETENTION_PASSED
from pipeline.processing.frontiers import Bounds, Finding, Stored, find, frontier_of
from schemas.errors import LostPlace
from tests.kafka_proxy import FETCH, of, proxy_to
from tests.patience import until
from tests.pipeline.recorder import PARTITIONS, Recorder

CONTACTS = TopicPartition("contacts", 3)


def at(offset: int | None, *, is_new: bool = False) -> Stored:
    """A state that is done with `contacts` up to this offset."""
    return Stored({} if offset is None else {"contacts": offset}, is_new)


@pytest.mark.parametrize(
    ("bounds", "stored", "place"),
    [
        (Bounds(0, 0), at(None, is_new=True), 0),
        (Bounds(7, 50), at(None, is_new=True), 7),
        (Bounds(0, 50, 20), at(20), 20),
        (Bounds(0, 50, 20), at(30), 30),
        (Bounds(0, 50), at(50), 50),
        (Bounds(20, 50, 20), at(10), 20),
        (Bounds(30, 50, 20), at(20), 30),
    ],
    ids=[
        "nothing anywhere",
        "never read, and retention took the first ones",
        "as committed",
        "stored and not committed yet",
        "at the end",
        "a commit of where retention had passed the group, without a state",
        "retention passed it",
    ],
)
def test_the_later_one_counts_where_both_can_be_right(
    bounds: Bounds, stored: Stored, place: int
) -> None:
    assert frontier_of("decider", CONTACTS, bounds, stored) == place


@pytest.mark.parametrize(
    ("bounds", "stored", "said"),
    [
        (Bounds(0, 10, 40), at(40), "processed up to 40, but its log ends at 10: the topic was"),
        (Bounds(0, 10), at(40), "processed up to 40, but its log ends at 10"),
        (Bounds(0, 10, 40), at(None, is_new=True), "processed up to 40, but its log ends at 10"),
        (Bounds(0, 90, 50), at(None, is_new=True), "committed 50, but the role's changelog is"),
        (Bounds(0, 90, 50), at(40), "committed 50, but the role's state is only of 40"),
        (Bounds(0, 90, 50), at(None), "committed 50, but the role's state is only of 0"),
    ],
)
def test_what_cant_be_right_stops_with_what_was_found_kept_and_to_be_done(
    bounds: Bounds, stored: Stored, said: str
) -> None:
    with pytest.raises(LostPlace, match=said) as raised:
        frontier_of("decider", CONTACTS, bounds, stored)
    assert str(raised.value).startswith("contacts-3: ")
    assert "all that is stored and committed was kept. `tocsin frontiers decider`" in str(
        raised.value
    )


def test_a_sink_may_have_lost_a_frontier_to_retention_but_not_its_whole_changelog() -> None:
    bounds = Bounds(0, 90, 50)
    assert find("push", "contacts", bounds, at(None)) is None
    assert find("push", "contacts", bounds, at(None, is_new=True)) is Finding.STATE_LOST


def test_a_role_without_state_goes_on_as_committed() -> None:
    assert frontier_of("analytics", CONTACTS, Bounds(0, 90, 50), at(None)) == 50


def told_of_retention(recorder: Recorder) -> float:
    """How many records the metric counts."""
    return float(RETENTION_PASSED.labels(recorder.name, recorder.topic.name)._value.get())


@pytest.fixture
def crashes(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What would have ended the process."""
    found: list[BaseException] = []
    monkeypatch.setattr(SliceApp, "_crash", lambda _, reason: found.append(reason))
    return found


async def delete_before(kafka: Kafka, recorder: Recorder, offset: int) -> None:
    """What retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    tps = [TopicPartition(recorder.topic.name, number) for number in range(PARTITIONS)]
    await admin.delete_records({tp: RecordsToDelete(offset) for tp in tps})
    await admin.close()


async def make_anew(kafka: Kafka, recorder: Recorder) -> None:
    """Delete the topic and create it again."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    await admin.delete_topics([recorder.topic.name])
    while recorder.topic.name in await admin.list_topics():
        pass
    await admin.close()
    await create_topics(recorder.settings, [recorder.topic])


@pytest.mark.parametrize("is_running", [False, True])
async def test_retention_that_passes_a_reader_is_told_and_counted(
    kafka: Kafka, is_running: bool, caplog: pytest.LogCaptureFixture, crashes: list[BaseException]
) -> None:
    async with proxy_to(kafka.port) as proxy:
        recorder = Recorder(proxy.address)

        async def pass_it() -> None:
            await recorder.fill(10)
            await delete_before(kafka, recorder, 15)

        await recorder.fill(10)
        async with recorder.worker() as app:
            await until(lambda: recorder.count() == 10 * PARTITIONS)
            await app.consumer.force_commit()
            if is_running:
                proxy.hold(of(FETCH))
                await until(lambda: bool(proxy.held))
                await pass_it()
                proxy.let_go()
                await until(lambda: recorder.count() == 15 * PARTITIONS)
        if not is_running:
            await pass_it()
            async with recorder.worker():
                await until(lambda: recorder.count() == 15 * PARTITIONS)
    kept = [*range(10), *range(15, 20)]
    assert recorder.handled == dict.fromkeys(range(PARTITIONS), kept)
    assert told_of_retention(recorder) == 5 * PARTITIONS
    said = [r.getMessage() for r in caplog.records if "retention deleted" in r.getMessage()]
    assert len(said) == PARTITIONS
    assert f"{recorder.topic.name}-0: retention deleted 5 records" in min(said)
    assert not crashes


@pytest.mark.parametrize("is_running", [False, True])
async def test_a_topic_made_anew_stops_the_worker(
    kafka: Kafka, is_running: bool, crashes: list[BaseException]
) -> None:
    """Reading on at its start, or at its end, would repeat or pass over records in silence."""
    recorder = Recorder(kafka.address)
    expected = await recorder.fill(10)
    errors: list[BaseException] = []
    async with recorder.worker(errors) as app:
        await until(lambda: recorder.handled == expected)
        # Kafka forgets what was committed of a topic that is deleted; the state does not.
        recorder.stored = dict.fromkeys(range(PARTITIONS), 10)
        if is_running:
            await make_anew(kafka, recorder)
            await recorder.fill(5)
            await until(lambda: bool(crashes + errors))
            assert set(app.partitions.frontiers().values()) <= {10}
    if not is_running:
        await make_anew(kafka, recorder)
        await recorder.fill(5)
        async with recorder.worker(errors):
            await until(lambda: len(errors) == PARTITIONS)
    (first, *_) = crashes + errors
    assert isinstance(first, LostPlace)
    assert "processed up to 10, but its log ends at" in str(first)
    assert recorder.handled == expected


async def test_a_log_that_loses_its_end_stops_the_worker_that_reads_it(
    kafka: Kafka, crashes: list[BaseException]
) -> None:
    """As after an unclean election: nothing tells the group, only a fetch is refused."""
    recorder = Recorder(kafka.address)
    expected = await recorder.fill(10)
    async with recorder.worker() as app:
        await until(lambda: recorder.handled == expected)
        for cursor in list(app.consumer.cursors.values()):
            cursor.seek(15)
        await until(lambda: bool(crashes))
    assert isinstance(crashes[0], LostPlace)
    assert "processed up to 15, but its log ends at 10" in str(crashes[0])
    assert recorder.handled == expected


@pytest.fixture(autouse=True)
def loud(caplog: pytest.LogCaptureFixture) -> None:
    """What workers log is to be seen."""
    caplog.set_level(logging.WARNING)
