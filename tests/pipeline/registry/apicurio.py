"""Apicurio Registry, a server that others wrote, which has Confluent's API as one of its own."""

import asyncio
import tarfile
from dataclasses import replace
from pathlib import Path

import aiohttp

from embedded.java import cache, java
from embedded.maven import keep, maven, scratch_beside
from embedded.process import LOOPBACK, Child, free_port
from schemas.errors import DownloadFailed

VERSION = "3.3.3"
JVM = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


class Apicurio:
    """One that keeps everything in memory, on a free port of loopback unless it is given one."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self._folder = folder
        self._port = port or free_port()
        self._child = Child("Apicurio")

    @property
    def url(self) -> str:
        """Of its API as Confluent has it."""
        return f"http://{LOOPBACK}:{self._port}/apis/ccompat/v7"

    async def start(self) -> None:
        """Start it; on return it answers. Raises DownloadFailed, and Unavailable."""
        program = await _program()
        # It also has a port for those who watch it: without these, one that is always the same.
        options = (f"-Dquarkus.http.host={LOOPBACK}", f"-Dquarkus.http.port={self._port}",
                   f"-Dquarkus.management.host={LOOPBACK}",
                   f"-Dquarkus.management.port={free_port()}")  # fmt: skip
        argv = [str(java()), *JVM, *options, "-jar", str(program / "quarkus-run.jar")]
        await self._child.start(argv, {}, self._folder / "apicurio.log", self._is_ready)

    async def stop(self) -> None:
        """End it; nothing of it is kept."""
        await self._child.kill()

    async def _is_ready(self) -> bool:
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{self.url}/subjects") as answer,
            ):
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False


async def _program() -> Path:
    """Its folder, downloaded into the user's cache if it is not there; raises DownloadFailed."""
    target = cache() / f"apicurio-{VERSION}"
    if not target.is_dir():
        try:
            await asyncio.to_thread(_download, target)
        except Exception as error:
            raise DownloadFailed(f"Apicurio {VERSION} could not be had: {error!r}") from error
    return target


def _download(target: Path) -> None:
    from jgo.parse import Coordinate

    wanted = replace(
        Coordinate.parse(f"io.apicurio:apicurio-registry-app:{VERSION}"),
        classifier="all",
        packaging="tar.gz",
        scope="compile",
    )
    with scratch_beside(target) as scratch:
        unpacked = scratch / "unpacked"
        dependency = maven(scratch / "repository").create_dependency(wanted)
        with tarfile.open(dependency.artifact.resolve()) as archive:
            archive.extractall(unpacked, filter="data")
        keep(unpacked, target)
