"""Kafka's own command-line tools, which its server does not need."""

import asyncio
from dataclasses import replace
from pathlib import Path

from embedded.java import KAFKA_VERSION, cache
from embedded.kafka import java_for_kafka
from embedded.maven import keep, maven, scratch_beside
from schemas.errors import DownloadFailed

PRODUCER = "org.apache.kafka.tools.ConsoleProducer"


async def console_producer(kafka: str, topic: str, *options: str) -> list[str]:
    """The command that writes what it reads from standard input, a line a record.

    Raises DownloadFailed.
    """
    *argv, classpath = await java_for_kafka()
    return [
        *(*argv, f"{await _jar()}:{classpath}", PRODUCER),
        *("--bootstrap-server", kafka, "--topic", topic, *options),
    ]


async def _jar() -> Path:
    """The tools, downloaded into the user's cache if they are not there."""
    target = cache() / f"kafka-tools-{KAFKA_VERSION}.jar"
    if not target.is_file():
        try:
            await asyncio.to_thread(_download, target)
        except Exception as error:
            raise DownloadFailed(f"Kafka's tools could not be had: {error!r}") from error
    return target


def _download(target: Path) -> None:
    from jgo.parse import Coordinate

    wanted = Coordinate.parse(f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}")
    with scratch_beside(target) as scratch:
        dependency = maven(scratch / "repository").create_dependency(
            replace(wanted, scope="compile")
        )
        keep(Path(dependency.artifact.resolve()), target)
