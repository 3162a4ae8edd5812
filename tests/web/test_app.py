"""The web process: what it serves and where, and that it ends in order; without a broker."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from embedded.process import free_port
from pipeline.clock import SystemClock
from pipeline.kafka.brokers import Brokers
from pipeline.settings import Settings
from policy.tracking.ticket import Purpose, issue_ticket
from schemas.errors import PortTaken, Unavailable
from schemas.inbox import Page
from schemas.topics import CONTACTS, DELIVERY_EVENTS, PRESENCE
from tests.patience import in_time, until
from tests.sinks.rig import delivery
from tests.sinks.set_clock import SetClock
from tests.sinks.test_sendgrid import SENDGRID
from tests.web.caller import KEY, NO_TYPES, Memory, calling, memory, settings, tickets
from tests.web.gateway.line import ANN, page
from tests.web.signing import SCHEMES, SETTINGS
from web import app as app_module
from web.app import build, run, serving
from web.gateway.token import make_token, subscriber_secret

ROOT = Path(__file__).parents[2]


async def test_an_application_takes_reports_and_clicks_and_has_more_routes() -> None:
    async def more(_: web.Request) -> web.Response:
        return web.Response(text="more")

    topics, clock = memory(), SetClock()
    signing = SETTINGS.model_copy(update={"partitions": 1, "cors_origins": ("https://a.example",)})
    key = signing.signing_key.get_secret_value().encode()
    app = build(signing, topics, tickets(signing), NO_TYPES, clock, [web.get("/more", more)])
    async with calling(app) as caller:
        health = await caller.get("/health", headers={"Origin": "https://a.example"})
        assert (health.status, health.text) == (200, "ok\n")
        assert health.headers["Access-Control-Allow-Origin"] == "https://a.example"
        assert (await caller.get("/more")).text == "more"
        missing = await caller.get("/nothing")
        assert (missing.status, missing.headers["Content-Type"]) == (
            404,
            "application/problem+json",
        )
        ticket = issue_ticket(delivery(SENDGRID, 7), Purpose.REPORT, key)
        scheme = SCHEMES["twilio"]
        report = scheme.sign(scheme.delivered(ticket), clock.now(), ticket)
        path = report.url.removeprefix("https://n.example.com")
        taken = await caller.post(path, data=report.body, headers=dict(report.headers))
        assert taken.status == 200
        (told,) = topics.said(DELIVERY_EVENTS)
        assert (told["user"], told["stage"]) == ("user-7", "delivered")
        assert (await caller.get(f"/open/{ticket}.gif")).status == 200
        too_large = await caller.post(path, data=BytesIO(b"x" * ((1 << 20) + 1)))
        assert too_large.status == 413


async def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"^http://127.0.0.1:{port} is taken by another"):
            async with serving(web.Application(), "127.0.0.1", port):
                pass


async def test_an_address_of_another_machine_can_not_be_listened_on() -> None:
    with pytest.raises(Unavailable, match="can't be listened on") as told:
        async with serving(web.Application(), "192.0.2.1", 0):
            pass
    assert not isinstance(told.value, PortTaken)


async def test_requests_under_way_are_finished_before_it_ends() -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        begun.set()
        await may_end.wait()
        return web.Response(text="whole")

    app = web.Application()
    app.add_routes([web.get("/", slow)])
    async with aiohttp.ClientSession() as session, in_time():
        async with serving(app, "127.0.0.1", 0) as url:
            asking = asyncio.create_task(_text(session, url))
            await begun.wait()
            asyncio.get_running_loop().call_later(0.01, may_end.set)
        assert await asking == "whole"


async def _text(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as response:
        return await response.text()


class Producer(Memory):
    """Topics in memory, and whether they were closed."""

    is_stopped = False

    async def stop(self) -> None:
        """Closed."""
        self.is_stopped = True


class Parts:
    """What the process asks of Kafka, which is not there; it is noted what each is made of."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.producer = Producer(SetClock())
        self.open: list[str] = []
        self.kafka = Brokers("")
        self.tuned: list[bool] = []
        monkeypatch.setattr(app_module, "start_producer", self.start_producer)
        monkeypatch.setattr(app_module, "tune_collector", lambda: self.tuned.append(True))
        monkeypatch.setattr("web.workers.partition_router.following", self.following("owners"))
        monkeypatch.setattr("web.gateway.hub.following", self.following("hub"))
        monkeypatch.setattr("web.workers.handled.Ends.__aenter__", self.nothing)
        monkeypatch.setattr("web.workers.handled.Ends.__aexit__", self.nothing)

    async def nothing(self, *_: object) -> None:
        """Nothing to open or to close."""

    async def start_producer(self, kafka: Brokers) -> Producer:
        """The topics."""
        self.kafka = kafka
        return self.producer

    def following(self, name: str) -> Any:
        """Follows nothing, for as long as it is open."""

        @asynccontextmanager
        async def follow(*_: object, from_start: bool) -> Any:
            assert from_start == (name == "owners")
            self.open.append(name)
            try:
                yield
            finally:
                self.open.remove(name)

        return follow


@pytest.fixture
async def parts(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Parts]:
    """What the process works with; what it did with signals is undone."""
    yield Parts(monkeypatch)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(number)


@asynccontextmanager
async def running(given: Settings) -> Any:
    """The process's own task; it is told to end after the block, if it still runs."""
    task = asyncio.create_task(run(given))
    url = f"http://127.0.0.1:{given.web_port}"
    async with aiohttp.ClientSession() as session, in_time():
        while not task.done():
            with suppress(aiohttp.ClientError):
                if await _text(session, f"{url}/health") == "ok\n":
                    break
            await asyncio.sleep(0.01)
        yield session, url, task
        if not task.done():
            os.kill(os.getpid(), signal.SIGTERM)
        await task


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_whole_process(
    parts: Parts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
) -> None:
    monkeypatch.setattr(app_module, "KEYS_SECONDS", 0.01)
    keys = tmp_path / "keys.toml"
    given = settings(
        web_host="127.0.0.1",
        web_port=free_port(),
        api_keys=keys,
        catalogue=ROOT / "catalogue",
        kafka="kafka.example:9092",
    )
    async with running(given) as (session, url, task):
        assert sorted(parts.open) == ["hub", "owners"]
        assert parts.tuned == [True]
        assert parts.kafka == Brokers("kafka.example:9092")
        assert capsys.readouterr().out == f"web ready on {url}\n"
        # A key that is added counts without a new start, and what is asked with it is written.
        digest = sha256(b"key").hexdigest()
        keys.write_text(f"[k]\nsha256 = '{digest}'\ntenant = 'acme'\nscopes = ['users']\n")
        headers = {"Authorization": "Bearer key"}
        place = f"{url}/v1/users/ann/contacts"
        async with session.put(place, json={"email": "a@b.example"}, headers=headers) as answer:
            assert answer.status == 202
        (said,) = parts.producer.said(CONTACTS)
        assert (said["user"], said["tenant"], said["email"]) == ("ann", "acme", "a@b.example")
        for path in ("/dashboard", "/inbox/bell.js", "/v1/openapi.json"):
            async with session.get(url + path) as answer:
                assert answer.status == 200, path
        # Somebody who looks is let go, and told of as gone.
        await _look(session, url, number, parts)
        await task
    assert parts.open == []
    assert parts.producer.is_stopped


async def _look(
    session: aiohttp.ClientSession, url: str, number: signal.Signals, parts: Parts
) -> None:
    token = make_token(subscriber_secret(KEY, "acme"), ANN, SystemClock().now() // 1000)

    async def answer(*_: object, **__: object) -> Page:
        return page(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web.workers.partition_router.Owners.ask", answer)
        async with session.ws_connect(f"{url}/inbox/socket?token={token}&device=d") as connected:
            assert (await connected.receive_json())["kind"] == "counts"
            os.kill(os.getpid(), number)
            closed = await connected.receive()
            assert closed.data == 1001  # going away
    await until(lambda: len(parts.producer.said(PRESENCE)) == 2)


async def test_a_process_that_can_not_listen_leaves_nothing_open(
    parts: Parts, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        given = settings(
            web_host="127.0.0.1",
            web_port=taken.getsockname()[1],
            api_keys=tmp_path / "keys.toml",
            catalogue=ROOT / "catalogue",
        )
        with pytest.raises(PortTaken):
            await run(given)
    assert parts.open == []
    assert parts.producer.is_stopped
