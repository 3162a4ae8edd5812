"""The limits of keys and tenants at the API's routes, with a clock that stands."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from schemas.topics import ERASURES
from tests.web.caller import Answer, Caller, Memory, calling, memory, settings
from tests.web.desk import desk_of
from web.api.keys import Keys
from web.api.route import Gate
from web.api.routes.users import Users
from web.http.rate_limits import Limits

TABLE = "[{0}]\nsha256 = '{1}'\ntenant = '{2}'\nscopes = ['users', 'erase']\n"
KEYS = {"shop": "acme", "back": "acme", "other": "globex"}
TENANT_PER_MINUTE, ERASURES_PER_MINUTE = 60, 12
"""Ten requests at once, and two erasures."""


class Client:
    """Calls with a key."""

    def __init__(self, caller: Caller, topics: Memory) -> None:
        self._caller = caller
        self.topics = topics

    async def call(self, key: str, method: str, path: str) -> Answer:
        headers = {"Authorization": f"Bearer {key}"}
        return await self._caller.call(method, f"/v1/users/ann{path}", headers=headers)

    async def erase(self, key: str) -> Answer:
        return await self.call(key, "DELETE", "")

    async def follow(self, key: str) -> Answer:
        return await self.call(key, "PUT", "/follows/eve")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    file, topics = tmp_path / "keys.toml", memory()
    file.write_text(
        "".join(
            TABLE.format(name, hashlib.sha256(name.encode()).hexdigest(), tenant)
            for name, tenant in KEYS.items()
        )
    )
    desk = desk_of(topics, settings(tenant_erasures_per_minute=ERASURES_PER_MINUTE), 0)
    desk.limits = Limits(monotonic=lambda: 1.0)
    gate = Gate(Keys(file), desk.limits, 1 << 20, TENANT_PER_MINUTE, desk.trail)
    app = web.Application()
    app.add_routes(map(gate.open, Users(desk).routes()))
    async with calling(app) as caller:
        yield Client(caller, topics)


async def test_the_keys_of_a_tenant_have_one_limit_together(client: Client) -> None:
    found = [await client.follow(("shop", "back")[number % 2]) for number in range(12)]
    assert [each.status for each in found] == [202] * 10 + [429] * 2
    # A key alone may make a thousand at once: the tenant's limit is told, as it is the scarcer.
    assert {each.headers["RateLimit-Limit"] for each in found} == {"10"}
    assert found[0].headers["RateLimit-Remaining"] == "9"
    said = msgspec.json.decode(found[11].body)
    assert said["detail"] == "Limit of 60 requests a minute exceeded."
    assert (await client.follow("other")).status == 202


async def test_a_tenant_may_erase_fewer_users_than_it_may_ask_for(client: Client) -> None:
    found = [await client.erase(("shop", "back")[number % 2]) for number in range(3)]
    assert [each.status for each in found] == [202, 202, 429]
    assert [each.headers["RateLimit-Limit"] for each in found] == ["2"] * 3
    assert [each.headers["RateLimit-Remaining"] for each in found] == ["1", "0", "0"]
    assert found[2].headers["Retry-After"] == found[2].headers["RateLimit-Reset"] == "10"
    said = msgspec.json.decode(found[2].body)
    assert said["detail"] == "Limit of 12 erasures a minute exceeded."
    assert len(client.topics.said(ERASURES)) == 2
    assert (await client.follow("shop")).status == 202
    assert (await client.erase("other")).status == 202
