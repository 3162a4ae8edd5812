"""A topic that is followed: one value that can't be read keeps nobody from the next."""

import asyncio
import json
import logging

import pytest

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.topic_following import following
from pipeline.producing.producer import start_producer
from pipeline.settings import Settings
from schemas.topics import Topic
from tests.patience import in_time

NEWS = Topic(name="news-followed", key="none", written_by="this test", read_by="this test")


async def test_what_can_not_be_read_is_passed_over(
    kafka: Kafka, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(kafka=kafka.address, partitions=1)
    await create_topics(settings, [NEWS])
    taken: asyncio.Queue[int] = asyncio.Queue()

    def take(value: bytes) -> None:
        taken.put_nowait(json.loads(value))

    producer = await start_producer(kafka.address)
    try:
        await producer.write(NEWS.name, 0, [(None, b"1"), (None, b"{broken"), (None, None)])
        with caplog.at_level(logging.ERROR):
            async with following(settings, NEWS, take, from_start=True), in_time():
                await producer.write(NEWS.name, 0, [(None, b"2")])
                assert [await taken.get(), await taken.get()] == [1, 2]
    finally:
        await producer.stop()
    assert "news-followed-0 at 1 can't be read" in caplog.text
