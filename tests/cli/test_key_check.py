"""A key that is created works when the command returns."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from click.testing import CliRunner, Result

from cli.main import tocsin
from embedded.process import free_port
from web.api.call import Call
from web.api.keys import Keys, Scope
from web.api.route import Gate, Reply, Route
from web.http.rate_limits import Limits


async def _operate(_: Call) -> Reply:
    raise AssertionError("nothing is to be done for a question whether a key is known")


async def _read(_: Call) -> Reply:
    return Reply("yours")


@asynccontextmanager
async def web_with(path: Path) -> AsyncIterator[int]:
    """Two routes of a web process with the keys of this file, which it read before; its port."""
    keys = Keys(path)
    gate = Gate(keys, Limits(), 1 << 20, 1_000_000)
    app = web.Application()
    operations = Route("GET", "/v1/operations", Scope.OPERATE, "", _operate, {200: None})
    mine = Route("GET", "/v1/mine", Scope.READ, "", _read, {200: None})
    app.add_routes([gate.open(operations), gate.open(mine)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.fixture(autouse=True)
def unrecorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it is put on record is held in tests/cli/test_audit.py."""

    async def noted(*_: object, **__: object) -> None:
        pass

    monkeypatch.setattr("cli.commands.keys.put_on_record", noted)


async def create(path: Path, port: int, *argv: str) -> Result:
    return await asyncio.to_thread(
        CliRunner().invoke,
        tocsin,
        ["keys", "create", *argv],
        env={"TOCSIN_API_KEYS": str(path), "TOCSIN_WEB_PORT": str(port), "TOCSIN_KAFKA": "no:1"},
    )


async def status(port: int, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    url = f"http://127.0.0.1:{port}/v1/mine"
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return response.status


@pytest.mark.parametrize("scopes", [(), ("--scope", "operate", "--scope", "read")])
async def test_the_key_works_when_it_is_printed(tmp_path: Path, scopes: tuple[str, ...]) -> None:
    path = tmp_path / "keys.toml"
    async with web_with(path) as port:
        result = await create(path, port, "one", *scopes)
        assert result.exit_code == 0
        assert result.stderr == ""
        assert await status(port, result.stdout.strip()) == 200


async def test_a_key_that_is_added_works_at_once_and_a_broken_file_keeps_those_before(
    tmp_path: Path,
) -> None:
    path = tmp_path / "keys.toml"
    async with web_with(path) as port:
        first = (await create(path, port, "first")).stdout.strip()
        good = path.read_text()
        path.write_text(f"{good}[second]\nnonsense")
        assert await status(port, "tocsin_unknown") == 401
        assert await status(port, first) == 200
        path.write_text(good)
        second = (await create(path, port, "second")).stdout.strip()
        assert await status(port, second) == 200


async def test_without_a_web_process_it_says_so_and_returns(tmp_path: Path) -> None:
    path, port = tmp_path / "keys.toml", free_port()
    result = await create(path, port, "one", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["key"].startswith("tocsin_")
    assert f"no web process answers at 127.0.0.1:{port}" in result.stderr


async def test_a_web_process_with_another_file_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.key_check.KNOWN_WITHIN_SECONDS", 0.3)
    async with web_with(tmp_path / "other.toml") as port:
        result = await create(tmp_path / "keys.toml", port, "one")
        assert result.exit_code == 0
        assert result.stdout.startswith("tocsin_")
        assert "does not know the key: it reads another file" in result.stderr


async def test_another_program_at_the_port_is_no_web_process(tmp_path: Path) -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    result = await create(tmp_path / "keys.toml", port, "one")
    await runner.cleanup()
    assert "no web process answers" in result.stderr
