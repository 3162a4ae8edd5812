"""ClickHouse behind TLS: a front that ends it stands before the real engine."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import BasicAuth, ClientSession, web

from analytics.clickhouse import ClickHouse
from embedded.clickhouse import ClickHouse as Server
from embedded.process import LOOPBACK
from pipeline.monitoring.metrics import STALE_SECRETS
from pipeline.secret_file import FileSecret
from pipeline.settings import Settings
from schemas.errors import Unavailable
from tests.certificates import Authority
from tests.pipeline.mounted import Mounted


@asynccontextmanager
async def tls_front(server: Server, authority: Authority, *, mutual: bool) -> AsyncIterator[int]:
    """Passes on to the server what comes by TLS; the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("clickhouse"))
    context.load_verify_locations(authority.file)
    context.verify_mode = ssl.CERT_REQUIRED if mutual else ssl.CERT_NONE

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, outside = await asyncio.open_connection(server.host, server.port)
        await asyncio.gather(_copy(reader, outside), _copy(inside, writer))

    async with await asyncio.start_server(pass_on, LOOPBACK, 0, ssl=context) as front:
        yield front.sockets[0].getsockname()[1]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(1 << 16):
            writer.write(part)
            await writer.drain()
        writer.close()


async def one(port: int, **settings: Any) -> Any:
    """What it says that 1 is."""
    given = Settings(clickhouse_host=LOOPBACK, clickhouse_port=port, **settings)
    client = ClickHouse(given)
    try:
        return (await client.query("SELECT 1"))[0][0]
    finally:
        await client.close()


async def test_it_is_asked_by_tls_if_that_is_said(clickhouse: Server, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    known = {"clickhouse_tls": True, "clickhouse_ca_file": authority.file}
    async with tls_front(clickhouse, authority, mutual=False) as port:
        assert await one(port, **known) == 1
        with pytest.raises(Unavailable, match="TOCSIN_CLICKHOUSE_CA_FILE names who may vouch"):
            await one(port, clickhouse_tls=True)
        with pytest.raises(Unavailable, match="TOCSIN_CLICKHOUSE_TLS to whether"):
            await one(port)
        with pytest.raises(Unavailable, match="to files there are"):
            await one(port, clickhouse_tls=True, clickhouse_ca_file=tmp_path / "missing")
    with pytest.raises(Unavailable):
        await one(clickhouse.port, **known)


async def test_it_may_know_us_by_a_certificate(clickhouse: Server, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    known = {"clickhouse_tls": True, "clickhouse_ca_file": authority.file}
    own = authority.issue("tocsin")
    async with tls_front(clickhouse, authority, mutual=True) as port:
        certified = known | {"clickhouse_certificate_file": own, "clickhouse_key_file": own}
        assert await one(port, **certified) == 1
        with pytest.raises(Unavailable):
            await one(port, **known)


async def test_no_port_says_by_itself_that_there_is_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    async def note(**options: Any) -> None:
        asked.append(options)
        raise OSError

    monkeypatch.setattr("analytics.clickhouse.clickhouse_connect.get_async_client", note)
    for port in (443, 8443):
        with pytest.raises(Unavailable):
            await one(port)
    assert [each["interface"] for each in asked] == ["http", "http"]


async def test_a_certificate_that_is_replaced_serves_from_then_on(
    clickhouse: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.replaced_files.LOOK_SECONDS", 0)
    authority = Authority(tmp_path)
    mounted = Mounted(tmp_path / "secrets", pem=authority.issue("old", ended=True).read_bytes())
    async with tls_front(clickhouse, authority, mutual=True) as port:
        given = Settings(
            clickhouse_host=LOOPBACK,
            clickhouse_port=port,
            clickhouse_tls=True,
            clickhouse_ca_file=authority.file,
            clickhouse_certificate_file=mounted["pem"],
            clickhouse_key_file=mounted["pem"],
        )
        client = ClickHouse(given)
        try:
            with pytest.raises(Unavailable):
                await client.query("SELECT 1")
            right = authority.issue("new").read_bytes()
            mounted.swap(pem=right)
            assert await client.query("SELECT 1") == [(1,)]
            mounted.swap(pem=right[:100])
            assert await client.query("SELECT 1") == [(1,)]
            assert STALE_SECRETS.labels("clickhouse_certificate_file")._value.get() == 1
        finally:
            await client.close()


@asynccontextmanager
async def guarded_front(server: Server, known: list[str]) -> AsyncIterator[int]:
    """Passes on what comes with one of these passwords, and refuses the rest as ClickHouse does."""

    async def pass_on(request: web.Request) -> web.Response:
        given = BasicAuth.decode(request.headers["Authorization"])
        if given.password not in known:
            said = (
                "Code: 516. DB::Exception: tocsin: Authentication failed. (AUTHENTICATION_FAILED)"
            )
            return web.Response(
                status=403, text=said, headers={"X-ClickHouse-Exception-Code": "516"}
            )
        url = f"http://{server.host}:{server.port}{request.path_qs}"
        async with (
            ClientSession() as session,
            session.request(request.method, url, data=await request.read()) as answer,
        ):
            kept = {n: v for n, v in answer.headers.items() if n.lower().startswith("x-")}
            return web.Response(body=await answer.read(), status=answer.status, headers=kept)

    app = web.Application()
    app.add_routes([web.route("*", "/{path:.*}", pass_on)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def test_a_password_that_is_replaced_serves_from_then_on(
    clickhouse: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.replaced_files.LOOK_SECONDS", 0)
    mounted, known = Mounted(tmp_path / "secrets", password="old"), ["old"]
    secret = FileSecret("clickhouse_password", mounted["password"])
    async with guarded_front(clickhouse, known) as port:
        client = ClickHouse(
            Settings(clickhouse_host=LOOPBACK, clickhouse_port=port, clickhouse_password=secret)
        )
        try:
            assert await client.query("SELECT 1") == [(1,)]
            known[:] = ["new"]
            with pytest.raises(Unavailable, match="AUTHENTICATION_FAILED") as said:
                await client.query("SELECT 1")
            assert "old" not in str(said.value)
            mounted.swap(password="new")
            assert await client.query("SELECT 1") == [(1,)]
            mounted.swap(password="")
            assert await client.query("SELECT 1") == [(1,)]
        finally:
            await client.close()
