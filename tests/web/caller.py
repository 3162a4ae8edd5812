"""Somebody who calls a web application in the same process, which writes to topics in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from msgspec import Struct
from pydantic import SecretStr

from pipeline.catalogue_folder import FixedCatalogue
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.write_queue import Entry
from pipeline.settings import Settings
from policy.catalogue.catalogue import parse
from schemas.errors import Unavailable
from schemas.topics import SUPPRESSIONS, Topic
from tests.sinks.set_clock import SetClock
from tests.web.desk import Asked
from web.app import serving
from web.tickets import Tickets
from web.workers.partition_router import Owners

KEY = b"k" * 32


def settings(**fields: Any) -> Settings:
    """With a signing key and one partition, so that all a topic has is in one place."""
    return Settings(signing_key=SecretStr(KEY.decode()), partitions=1, **fields)


class Memory(MemoryLog):
    """Topics in memory; while it `is_away` nothing can be written."""

    is_away = False

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """As the broker does it, or as without one."""
        if self.is_away:
            raise Unavailable("Kafka does not answer")
        return await super().write(topic, partition, entries)

    def said(self, topic: Topic) -> list[Any]:
        """All values of a topic, a line each where it has several in a record."""
        values = [record.value or b"" for record in self.topics[topic.name]]
        return [msgspec.json.decode(line) for value in values for line in value.splitlines()]

    def said_as(self, kind: str) -> list[Any]:
        """What those of this kind among suppressions say beside it."""
        found = [said for said in self.said(SUPPRESSIONS) if said.get("kind") == kind]
        return [{name: value for name, value in said.items() if name != "kind"} for said in found]


class Answer(Struct, frozen=True):
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@dataclass
class Caller:
    """Calls an application's routes, and follows no redirect."""

    url: str
    session: aiohttp.ClientSession

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        """The answer."""
        asked = self.session.request(method, self.url + path, allow_redirects=False, **options)
        async with asked as response:
            return Answer(response.status, dict(response.headers), await response.read())

    async def get(self, path: str, **options: Any) -> Answer:
        """The answer to GET."""
        return await self.call("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Answer:
        """The answer to POST."""
        return await self.call("POST", path, **options)


@asynccontextmanager
async def calling(app: web.Application) -> AsyncIterator[Caller]:
    """Serve it, and call it."""
    async with serving(app, "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
        yield Caller(url, session)


def tickets(of: Settings, owners: Owners | None = None) -> Tickets:
    """Tickets as they come back; without `owners` nobody keeps any."""
    return Tickets(of, owners or Asked())


NO_TYPES = FixedCatalogue(parse({}))
"""A catalogue that says nothing."""


def memory() -> Memory:
    """Empty topics."""
    return Memory(SetClock())
