"""The pages and the API in this process, for people of a provider that others wrote."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
from aiohttp import web
from pydantic import SecretStr

from embedded.process import LOOPBACK, free_port
from pipeline.clock import SystemClock
from schemas.audit import Audit
from schemas.topics import AUDIT
from tests.web.api.client import ClickHouse
from tests.web.caller import Memory, memory, settings
from tests.web.desk import Asked, desk_of
from tests.web.login.openid import CLIENT, SECRET, OpenId, openid
from web.api.app import api
from web.api.keys import Keys
from web.app import serving
from web.console.routes import console
from web.http.rate_limits import Limits
from web.login.guard import Guard
from web.login.routes import Login

RIGHTS = {"oncall": ("operate",), "staff": ("read",), "*": ()}
LOOK = "/v1/users/ada/day"
"""What the scope `read` is for."""


@dataclass
class Pages:
    """The web process in this one, its provider, and what it wrote."""

    url: str
    provider: OpenId
    topics: Memory

    @property
    def on_record(self) -> list[Audit]:
        """Who did what."""
        values = [record.value or b"" for record in self.topics.topics[AUDIT.name]]
        return [msgspec.json.decode(value, type=Audit) for value in values]


@pytest.fixture(scope="module")
async def provider(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenId]:
    """Running, unless a test stops it."""
    folder = tmp_path_factory.mktemp("openid")
    async with openid(folder, f"http://{LOOPBACK}:{free_port()}") as made:
        yield made


@pytest.fixture
async def pages(provider: OpenId, tmp_path: Path) -> AsyncIterator[Pages]:
    """With people's groups in `groups`, and a client with a secret."""
    await provider.start()
    given = settings(
        pages_url=provider.pages,
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SecretStr(SECRET),
        oidc_scope="openid email groups",
        oidc_rights=RIGHTS,
        oidc_tenant="acme",
    )
    topics, clock = memory(), SystemClock()
    desk = desk_of(topics, given, clock.now(), Asked())
    desk.clickhouse = ClickHouse()  # type: ignore[assignment]
    guard = Guard(given, clock)
    login = Login(given, guard, desk.trail, Limits(), clock)
    app = web.Application()
    routes = api(desk, Keys(tmp_path / "none.toml"), guard.key_of)
    app.add_routes([*routes, *login.routes(), *console()])
    async with serving(app, LOOPBACK, urlsplit(provider.pages).port or 0):
        yield Pages(provider.pages, provider, topics)
    await login.close()
