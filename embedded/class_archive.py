"""Kafka's classes as Java has them once they are loaded and verified, in one file for all starts.

Half of the processor time of Kafka's start goes into loading 11,000 classes. With this file it is
saved; without it, or where it belongs to another Java or other jars, Kafka starts as it always did.

`python -m embedded.class_archive` makes it, beside the Java that it is for. That takes as long as
five starts, so `make test` does it, which starts Kafka some fifty times, and a demo does not.
"""

import asyncio
import logging
import sys
import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

from aiokafka import AIOKafkaProducer

from embedded.java import class_archive
from embedded.kafka import Kafka, java_for_kafka
from embedded.process import Child
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.clients import new_client, new_consumer
from pipeline.settings import Settings
from schemas.errors import TocsinError
from schemas.topics import TOPICS

TOPIC = TOPICS[0].name


async def make_class_archive() -> Path:
    """Make it, in place of one that is there; returns the file.

    Raises Unavailable with what Java said, OSError where its folder can't be written, and what
    starting Kafka raises.
    """
    target = class_archive()
    partial = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
    with TemporaryDirectory(prefix="tocsin-classes-") as name:
        folder = Path(name)
        classes = folder / "classes"
        # An archive that is there would do for classes of its own, and they would not be listed.
        listing = ("-Xshare:off", f"-XX:DumpLoadedClassList={classes}")
        async with Kafka(folder / "kafka", options=listing) as kafka:
            await _use(kafka.address)
        options = (f"-XX:SharedClassListFile={classes}", f"-XX:SharedArchiveFile={partial}")
        try:
            argv = await java_for_kafka("-Xshare:dump", *options)
            await Child("Archiving Kafka's classes").run(argv, {}, folder / "archiving.log")
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    return target


async def _use(kafka: str) -> None:
    """Have it do what it does for workers: topics, records, a group."""
    await create_topics(Settings(kafka=kafka, partitions=1), TOPICS)
    producer = new_client(AIOKafkaProducer, kafka, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC, b"any")
    finally:
        await producer.stop()
    consumer = new_consumer(kafka, TOPIC, group_id="any")
    await consumer.start()
    try:
        await consumer.getone()
        await consumer.commit()
    finally:
        await consumer.stop()


def main() -> None:
    """Run from the command line."""
    # What Kafka's client complains of until a new Kafka has come to itself concerns nobody.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        asyncio.run(make_class_archive())
    except (TocsinError, OSError) as error:
        sys.exit(f"Kafka's classes can't be archived here, so it starts slower: {error}")


if __name__ == "__main__":
    main()
