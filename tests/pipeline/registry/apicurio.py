"""Apicurio Registry, a server that others wrote, which has Confluent's API as one of its own."""

import asyncio
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

import aiohttp

from embedded.java import cache, java
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
        options = (f"-Dquarkus.http.host={LOOPBACK}", f"-Dquarkus.http.port={self._port}",
                   "-Dquarkus.management.enabled=false")  # fmt: skip
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
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver
    from jgo.parse import Coordinate

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="download-") as scratch:
        maven = MavenContext(
            resolver=PythonResolver(),
            repo_cache=Path(scratch, "repository"),
            remote_repos={"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories},
        )
        wanted = replace(
            Coordinate.parse(f"io.apicurio:apicurio-registry-app:{VERSION}"),
            classifier="all",
            packaging="tar.gz",
            scope="compile",
        )
        unpacked = Path(scratch, "unpacked")
        with tarfile.open(maven.create_dependency(wanted).artifact.resolve()) as archive:
            archive.extractall(unpacked, filter="data")
        try:
            unpacked.rename(target)
        except OSError:
            # Another process was faster; it is the same.
            if not target.is_dir():
                raise
