"""Slices over a real Kafka: nothing is lost, repeated or out of order, whatever Faust drops."""

import asyncio
import random
import threading
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError
from mode.threads import WorkerThread

from embedded.kafka import Kafka
from pipeline.consuming.app import SliceApp
from pipeline.consuming.cursor import Cursor
from pipeline.consuming.group_client import GroupClient
from pipeline.processing.slices import Slice
from tests.patience import until
from tests.pipeline.recorder import PARTITIONS, Recorder, committed

RECORDS = 400


def lose_slices(app: SliceApp, seed: int, share: float) -> list[int]:
    """Plant Faust's race: queues are cleared right after slices were put into them.

    That is what Faust does when a worker becomes ready after a restore: it has already begun to
    fetch, and clears the streams' queues without seeking back.
    """
    chance = random.Random(seed)
    deliver, lost = app.consumer.callback, list[int]()

    async def deliver_and_maybe_clear(message: Any) -> None:
        await deliver(message)
        # At least once, as what comes in one go is handed on in one.
        if not lost or chance.random() < share:
            app.flow_control.clear()
            lost.append(message.offset)
        await asyncio.sleep(0)  # or hardly anything is left of what came together

    app.consumer.callback = deliver_and_maybe_clear
    return lost


@pytest.mark.parametrize("seed", range(3))
async def test_slices_that_faust_drops_are_read_again(kafka: Kafka, seed: int) -> None:
    recorder = Recorder(kafka.address)
    expected = await recorder.fill(RECORDS)
    async with recorder.worker() as app:
        lost = lose_slices(app, seed, share=0.3)
        await until(lambda: recorder.handled == expected)
        await app.consumer.force_commit()
        assert await committed(app, recorder) == dict.fromkeys(range(PARTITIONS), RECORDS)
    assert lost, "the race was not planted"


async def test_without_the_way_back_the_planted_race_does_lose_slices(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: an app that takes every slice as it comes has holes."""
    recorder = Recorder(kafka.address)
    expected = await recorder.fill(RECORDS)
    async with recorder.worker() as app:
        arrived: list[int] = []

        def take(slice_: Slice, _: object) -> None:
            arrived.extend(record.offset for record in slice_.records)

        async def hand_on_one_by_one(slices: list[Slice]) -> None:
            for each in slices:
                await hand_on([each])

        hand_on = app.consumer._hand_on
        monkeypatch.setattr(app.consumer, "_hand_on", hand_on_one_by_one)
        monkeypatch.setattr(app.partitions, "accept", take)
        lost = lose_slices(app, 1, share=0.3)
        await until(lambda: len(lost) > 3)
    assert len(arrived) < sum(map(len, expected.values()))


async def test_a_restart_resumes_at_the_frontier(kafka: Kafka) -> None:
    recorder = Recorder(kafka.address, pause=0.005)
    expected = await recorder.fill(RECORDS)
    async with recorder.worker():
        await until(lambda: sum(map(len, recorder.handled.values())) > RECORDS)
    assert recorder.handled != expected
    async with recorder.worker():
        await until(lambda: recorder.handled == expected)
    assert recorder.at_once == 1


async def test_a_frontier_stored_with_the_state_goes_before_an_older_commit(kafka: Kafka) -> None:
    recorder = Recorder(kafka.address)
    await recorder.fill(RECORDS)
    recorder.stored = {0: 300, 1: RECORDS}
    rest = {0: list(range(300, RECORDS)), 2: list(range(RECORDS))}
    async with recorder.worker() as app:
        await until(lambda: recorder.handled == rest)
        await app.consumer.force_commit()
        assert await committed(app, recorder) == dict.fromkeys(range(PARTITIONS), RECORDS)


async def test_a_second_worker_takes_its_share_and_nothing_is_done_twice(kafka: Kafka) -> None:
    recorder = Recorder(kafka.address, pause=0.01)
    expected = await recorder.fill(RECORDS)
    async with recorder.worker() as first:
        await until(lambda: sum(map(len, recorder.handled.values())) > 200)
        async with recorder.worker() as second:
            await until(lambda: bool(second.partitions.numbers))
            assert set(first.partitions.numbers).isdisjoint(second.partitions.numbers)
        await until(lambda: recorder.handled == expected)
    assert recorder.at_once == 1


async def test_what_is_in_flight_is_bounded_in_bytes(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(kafka.address, pause=0.01, slice_records=1)
    expected = await recorder.fill(100)
    async with recorder.worker() as app:
        monkeypatch.setattr(app.partitions, "room_per_partition", lambda: 300)
        most = 0

        def done() -> bool:
            nonlocal most
            flights = [cursor.in_flight for cursor in app.consumer.cursors.values()]
            most = max(most, *flights, 0)
            return bool(recorder.handled == expected)

        await until(done)
    # What one fetch brought is handed on whole; the next waits for room.
    assert most <= 100 * 500


async def test_a_stop_while_the_group_rebalances_is_no_crash(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when all workers are replaced, one after the other."""
    crashes: list[BaseException] = []
    monkeypatch.setattr(SliceApp, "_crash", lambda _, reason: crashes.append(reason))
    recorder = Recorder(kafka.address)
    expected = await recorder.fill(10)
    async with recorder.worker() as app:
        await until(lambda: recorder.handled == expected)
        app.rebalancing = True
    assert not crashes


async def test_it_is_known_which_answer_of_which_broker_told_where_a_partition_ends(
    kafka: Kafka,
) -> None:
    recorder = Recorder(kafka.address)
    expected = await recorder.fill(RECORDS)
    async with recorder.worker() as app:
        await until(lambda: recorder.handled == expected)
        consumer = app.consumer

        def cursors() -> list[Cursor]:
            for tp in consumer.cursors:
                consumer.note_end(tp)
            return list(consumer.cursors.values())

        await until(lambda: all(each.end == RECORDS for each in cursors()))
        for cursor in cursors():
            assert cursor.answer.broker is not None
            assert cursor.received.seen_by(cursor.answer) > 0
        before = {id(each): each.answer.at for each in cursors()}
        await until(lambda: all(each.answer.at > before[id(each)] for each in cursors()))
        assert all(each.received.is_current(each.answer) for each in cursors())


async def test_an_idle_worker_asks_its_client_only_after_an_answer_of_a_broker(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, counts = Recorder(kafka.address), Counter[str]()
    await recorder.fill(1)
    tell, getmany = GroupClient._tell, GroupClient.getmany

    def counting_tell(client: GroupClient) -> None:
        counts["answers"] += 1
        tell(client)

    async def counting_getmany(client: GroupClient, *arguments: Any) -> Any:
        counts["asked"] += 1
        return await getmany(client, *arguments)

    monkeypatch.setattr("pipeline.consuming.consumer.ASKED_ANYWAY", 1e9)
    monkeypatch.setattr(GroupClient, "_tell", counting_tell)
    monkeypatch.setattr(GroupClient, "getmany", counting_getmany)
    async with recorder.worker():
        await until(lambda: recorder.count() == PARTITIONS)
        before = counts.copy()
        await until(lambda: counts["answers"] - before["answers"] >= 10)
        # One may have been on its way, and whoever gets something asks whether there is more.
        assert counts["asked"] - before["asked"] <= 10 + 3


async def test_what_a_client_holds_is_taken_though_nothing_tells_of_an_answer(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GroupClient, "_tell", lambda _: None)
    recorder = Recorder(kafka.address)
    expected = await recorder.fill(10)
    async with recorder.worker():
        await until(lambda: recorder.handled == expected)
        await recorder.fill(10)
        await until(lambda: recorder.count() == 2 * 10 * PARTITIONS)


async def test_the_client_has_no_thread_of_its_own(kafka: Kafka) -> None:
    recorder = Recorder(kafka.address)
    expected = await recorder.fill(10)
    before = set(threading.enumerate())
    async with recorder.worker():
        await until(lambda: recorder.handled == expected)
        kinds = {type(thread) for thread in set(threading.enumerate()) - before}
    assert WorkerThread not in kinds


async def test_it_is_said_whether_something_was_committed(kafka: Kafka) -> None:
    recorder = Recorder(kafka.address)
    expected = await recorder.fill(10)
    async with recorder.worker() as app:
        await until(lambda: recorder.handled == expected)
        app.consumer._committed_offset.clear()
        assert await app.consumer.force_commit()
        assert not await app.consumer.force_commit()


async def test_faust_notes_nothing_of_what_is_done(kafka: Kafka) -> None:
    """It would keep the offset of each slice for good, as its own commit never comes."""
    recorder = Recorder(kafka.address)
    expected = await recorder.fill(10)
    async with recorder.worker() as app:
        await until(lambda: recorder.handled == expected)
        assert not any(app.consumer._acked.values())
        assert not any(app.consumer._unacked_messages)


async def test_the_group_is_joined_as_the_settings_say(kafka: Kafka) -> None:
    recorder = Recorder(kafka.address)
    await recorder.fill(0)
    async with recorder.worker() as app:
        client = app.consumer._thread._ensure_consumer()
        assert client._session_timeout_ms == 2000
        assert client._heartbeat_interval_ms == 333
        assert client._rebalance_timeout_ms == 60_000
        assert client._max_partition_fetch_bytes == 1 << 19
        assert client._fetch_max_bytes == 1 << 22
        assert client._auto_offset_reset == "none"
        assert client._isolation_level == "read_committed"
        assert not client._enable_auto_commit


async def test_it_fetches_no_more_once_it_is_to_stop(kafka: Kafka) -> None:
    recorder = Recorder(kafka.address)
    await recorder.fill(0)
    async with recorder.worker() as app:
        consumer = app.consumer
        for stopping in (True, False), (False, True):
            fetcher = SimpleNamespace(should_stop=stopping[1])
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(type(consumer), "should_stop", stopping[0])
                await asyncio.wait_for(consumer._drain_messages(fetcher), 60)


async def test_of_a_commit_what_is_no_longer_ours_is_left_out(kafka: Kafka) -> None:
    recorder = Recorder(kafka.address)
    expected = await recorder.fill(10)
    async with recorder.worker() as app:
        await until(lambda: recorder.handled == expected)
        ours = {TopicPartition(recorder.topic.name, number): 10 for number in range(PARTITIONS)}
        assert await app.consumer._commit({**ours, TopicPartition("another", 0): 1})
        assert await committed(app, recorder) == dict.fromkeys(range(PARTITIONS), 10)


@pytest.mark.parametrize(
    ("error", "ends"), [(CommitFailedError("rebalanced"), False), (KafkaError("no"), True)]
)
async def test_a_commit_that_fails_ends_the_process_unless_the_group_moved_on(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch, error: KafkaError, *, ends: bool
) -> None:
    """Also within a rebalance, where Kafka's client swallows what is raised."""
    ended: list[BaseException] = []
    recorder = Recorder(kafka.address)
    await recorder.fill(0)

    async def refuse(_: object) -> None:
        raise error

    async def end(reason: BaseException) -> None:
        ended.append(reason)

    async with recorder.worker() as app:
        client = app.consumer._thread
        monkeypatch.setattr(client, "crash", end)
        monkeypatch.setattr(client._ensure_consumer(), "commit", refuse)
        assert not await app.consumer._commit({TopicPartition(recorder.topic.name, 0): 1})
        monkeypatch.undo()
    assert ended == ([error] if ends else [])
