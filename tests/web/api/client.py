"""Somebody who calls every route of the API, without a house: all that is asked is kept."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from pipeline.settings import Settings
from tests.web.caller import Caller, Memory, calling, memory, settings
from tests.web.desk import Asked, desk_of
from web.api.app import api
from web.api.keys import Keys, Scope

SECONDS = 1_753_000_000
NOW, NOW_SHOWN = 1000 * SECONDS, "2025-07-20T08:26:40.000Z"


class ClickHouse:
    """Keeps what it is asked, and answers with these rows."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.asked: list[dict[str, Any]] = []
        self.sql = ""

    async def query(self, sql: str, parameters: dict[str, Any]) -> list[Any]:
        """The rows."""
        return (await self.ask(sql, parameters))[1]

    async def ask(
        self, sql: str, parameters: dict[str, Any], limits: Any = None
    ) -> tuple[list[str], list[Any]]:
        """Columns without a meaning, and the rows."""
        self.sql = sql
        self.asked.append(parameters)
        return ["a", "b"], self.rows


class Client:
    """Calls with a key of the tenant `acme` that may do all."""

    def __init__(self, caller: Caller, topics: Memory, owners: Asked, house: ClickHouse) -> None:
        self.caller, self.topics, self.owners, self.clickhouse = caller, topics, owners, house

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the body."""
        headers = {"Authorization": "Bearer key"}
        answer = await self.caller.call(method, f"/v1{path}", json=body, headers=headers)
        return answer.status, msgspec.json.decode(answer.body)

    async def get(self, path: str) -> Any:
        """The body of a success."""
        status, body = await self.call("GET", path)
        assert status == 200, body
        return body


@asynccontextmanager
async def client_of(folder: Path, given: Settings) -> AsyncIterator[Client]:
    """The client, with these settings."""
    file = folder / "keys.toml"
    scopes = ", ".join(f"'{scope}'" for scope in Scope)
    digest = hashlib.sha256(b"key").hexdigest()
    file.write_text(f"[all]\nsha256 = '{digest}'\ntenant = 'acme'\nscopes = [{scopes}]\n")
    topics, owners, clickhouse = memory(), Asked(), ClickHouse()
    desk = desk_of(topics, given, NOW, owners)
    desk.clickhouse = desk.exports = clickhouse  # type: ignore[assignment]
    app = web.Application()
    app.add_routes(api(desk, Keys(file)))
    async with calling(app) as caller:
        yield Client(caller, topics, owners, clickhouse)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """With a key to sign with, and one partition."""
    async with client_of(tmp_path, settings()) as made:
        yield made
