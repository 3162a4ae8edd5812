"""A Kafka, the roles and the web process, and somebody who calls the API."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from embedded.local_stack import WEB, LocalStack
from web.api.keys import ApiKey, Scope, new_key, table_of
from web.http.cors import ANY

ROLES = ("router", "decider", "push", "inapp", "analytics", WEB)
TOGETHER = {"others": ("push", "inapp", "analytics")}
"""In one process, which takes less to start; tests hold up router and decider, each alone."""
TENANTS = ("acme", "globex")
SESSION_TIMEOUT = 15
"""Seconds that a worker may stand still, as a busy machine lets one wait, before it starts anew."""
FAMOUS = 3
"""Followers from which on posts are read, not written."""


@dataclass(frozen=True)
class Api:
    """The API, and keys by tenant; `slow` and `halting` may ask little, `sender` may only send."""

    url: str
    house: LocalStack
    session: aiohttp.ClientSession
    keys: dict[str, str]

    async def call(
        self, method: str, path: str, body: Any = None, key: str = "acme", **options: Any
    ) -> tuple[int, Any]:
        """The status and the body."""
        headers = {"Authorization": f"Bearer {self.keys.get(key, key)}"}
        if body is not None:
            options["json"] = body
        async with self.session.request(
            method, self.url + path, headers=headers, **options
        ) as response:
            text = await response.read()
            kind = response.content_type
            said = await response.json(content_type=kind) if "json" in kind else text
            return response.status, said

    async def done(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """What a success answers."""
        status, said = await self.call(method, path, body, **options)
        assert status < 300, (status, said)
        return said


@dataclass(frozen=True)
class Running:
    """The house, and the keys that its web process knows."""

    house: LocalStack
    keys: dict[str, str]


@pytest.fixture(scope="session")
async def running_house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """The processes. Shared: use users and actors of your own, and start again what you kill."""
    folder = tmp_path_factory.mktemp("api")
    keys, tables = {}, []
    every = frozenset(Scope)
    for name, tenant, scopes, per_minute in (
        *((tenant, tenant, every, 600_000) for tenant in TENANTS),
        ("sender", "acme", frozenset({Scope.SEND}), 6000),
        *((name, "acme", every, 12) for name in ("slow", "halting")),
    ):
        keys[name], sha256 = new_key()
        key = ApiKey(name=name, sha256=sha256, tenant=tenant, scopes=scopes, per_minute=per_minute)
        tables.append(table_of(key))
    (folder / "keys.toml").write_text("".join(tables))
    async with LocalStack(
        folder / "house",
        roles=ROLES,
        together=TOGETHER,
        api_keys=folder / "keys.toml",
        partitions=4,
        cors_origins=f'["{ANY}"]',
        fan_out_threshold=FAMOUS,
        session_timeout=SESSION_TIMEOUT,
    ) as house:
        yield Running(house, keys)


@pytest.fixture
async def api(running_house: Running) -> AsyncIterator[Api]:
    """The API, by connections of this test's own."""
    house = running_house.house
    async with aiohttp.ClientSession() as session:
        yield Api(f"http://127.0.0.1:{house.web_port}", house, session, running_house.keys)
