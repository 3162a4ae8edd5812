"""A mail that went by SMTP, from the transaction to its bounce, which brings back what it may."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from aiohttp import web
from msgspec import Struct

from agents.sink.agent import Sink
from agents.sink.dispatch import Dispatch
from pipeline.process.runtime import Runtime
from pipeline.settings import Settings
from schemas.delivery import Delivery
from schemas.encoding import encode
from schemas.topics import DELIVER, DELIVERY_EVENTS, SUPPRESSIONS
from schemas.vocabulary import Channel, Priority
from sinks.email.smtp import Smtp
from sinks.registry import Weighted
from tables.storage.memory_store import MemoryStore
from tests.sinks.relay import Peer, Taken, relaying, settings_for
from tests.sinks.requests.recorder import NOW, Recorder, delivery
from tests.sinks.set_clock import SetClock
from tests.web.caller import NO_TYPES, Caller, Memory, calling
from tests.web.desk import Asked
from tests.web.dsn import dsn, failed, piped
from web.reports.smtp import SmtpReports
from web.tickets import Tickets
from web.webhooks import Webhooks
from web.workers.report_writer import BackChannel

Answer = TypeVar("Answer")
MAILS = DELIVER[Channel.EMAIL, Priority.HIGH]
UNKNOWN = "smtp; 550 5.1.1 User unknown"
ANN = delivery(Channel.EMAIL, "ann@example.com", user="ann")


class Workers(Asked):
    """The e-mail worker, which holds every partition."""

    def __init__(self) -> None:
        super().__init__()
        self.sink: Sink | None = None

    async def ask_once(
        self,
        role: str,
        partition: int,
        question: Struct,
        kind: type[Answer],
        timeout_seconds: float,
    ) -> Answer | None:
        """What the worker answers, as it travels."""
        assert role == Channel.EMAIL
        if self.sink is None:
            return None
        return msgspec.json.decode(await self.sink.answer(msgspec.json.encode(question)), type=kind)


@dataclass
class Post:
    """A shop that sends mail through a relay, which pipes bounces to it."""

    peer: Peer
    settings: Settings
    log: Memory
    clock: SetClock
    caller: Caller
    workers: Workers = field(default_factory=Workers)

    async def send(self, said: Delivery) -> Taken:
        """What the relay got."""
        provider = Smtp(self.settings, Recorder(), self.clock)
        runtime = Runtime(self.settings, self.log, self.clock)
        dispatch = Dispatch([Weighted(provider, 1)], runtime, holds=False)
        sink = Sink(Channel.EMAIL, runtime, dispatch, MemoryStore(), asyncio.Event())
        await self.log.write(MAILS.name, 0, [(said.user.encode(), encode(said))])
        slice_ = self.log.slice_from(MAILS.name, 0)
        assert slice_ is not None
        await sink.handle(slice_)
        await provider.close()
        self.workers.sink = sink
        return self.peer.taken[-1]

    async def bounces(self, mail: str, headers: Mapping[str, str] | None = None) -> int:
        """The status of our answer to what the relay pipes."""
        given = piped(mail)
        sent = given.headers if headers is None else headers
        return (await self.caller.post("/webhooks/smtp", data=given.body, headers=sent)).status

    def told(self) -> list[Any]:
        """What was written on account of bounces."""
        events = [each for each in self.log.said(DELIVERY_EVENTS) if each["stage"] != "sent"]
        return [*events, *self.log.said(SUPPRESSIONS)]


@asynccontextmanager
async def posting(folder: Path, **fields: Any) -> AsyncIterator[Post]:
    async with relaying(folder) as peer:
        settings = settings_for(
            peer, smtp_webhook_user="relay", smtp_webhook_password="password", **fields
        )
        clock = SetClock()
        clock.time = NOW
        log, workers = Memory(clock), Workers()
        back = BackChannel(log, settings, Tickets(settings, workers), NO_TYPES)
        app = web.Application()
        reporters = [SmtpReports(settings)]
        app.add_routes(Webhooks(reporters, back, settings.public_url, clock).routes())
        async with calling(app) as caller:
            yield Post(peer, settings, log, clock, caller, workers)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    async with posting(tmp_path, smtp_bounce_domain="b.example.com") as opened:
        yield opened


def headers_of(taken: Taken) -> str:
    return taken.content.partition(b"\r\n\r\n")[0].decode().replace("\r\n", "\n")


def assert_ann_bounced(post: Post) -> None:
    event, suppression = post.told()
    assert (event["stage"], event["user"], event["provider"]) == ("bounced", "ann", "smtp")
    assert event["delivery_id"] == ANN.delivery_id
    assert (suppression["user"], suppression["reason"]) == ("ann", "hard_bounce")
    assert suppression["address"] == "ann@example.com"


async def test_a_bounce_that_brings_the_headers_back(post: Post) -> None:
    taken = await post.send(ANN)
    post.workers.sink = None  # the ticket in them is enough
    assert await post.bounces(dsn(failed(UNKNOWN), returned=headers_of(taken))) == 200
    assert_ann_bounced(post)


async def test_a_bounce_that_brings_nothing_back_but_its_own_address(post: Post) -> None:
    taken = await post.send(ANN)
    assert await post.bounces(dsn(failed(UNKNOWN), to=taken.sender.upper())) == 200
    assert_ann_bounced(post)


async def test_while_nobody_knows_the_ticket_the_relay_is_to_come_again(post: Post) -> None:
    taken = await post.send(ANN)
    post.workers.sink = None
    assert await post.bounces(dsn(failed(UNKNOWN), to=taken.sender)) == 503
    assert post.told() == []


async def test_anybody_may_write_to_that_address(post: Post) -> None:
    taken = await post.send(ANN)
    local = taken.sender.partition("@")[0]
    for forged in (local[:-9] + "a" * 9, "bounce+" + "a" * 53, "bounce+x"):
        assert await post.bounces(dsn(failed(UNKNOWN), to=f"{forged}@b.example.com")) == 200
    ticket = headers_of(taken).partition("X-Tocsin-Ticket: ")[2].split("\n")[0]
    changed = ticket[:-4] + ("AAAA" if not ticket.endswith("AAAA") else "BBBB")
    assert await post.bounces(dsn(failed(UNKNOWN), returned=f"X-Tocsin-Ticket: {changed}")) == 200
    assert post.told() == []


async def test_only_the_relay_pipes(post: Post) -> None:
    taken = await post.send(ANN)
    for headers in ({}, {"Authorization": "Basic cmVsYXk6d3Jvbmc="}):
        assert await post.bounces(dsn(failed(UNKNOWN), to=taken.sender), headers) == 403
    assert post.told() == []


async def test_without_a_domain_for_bounces_the_ticket_still_comes_back(tmp_path: Path) -> None:
    async with posting(tmp_path) as post:
        taken = await post.send(ANN)
        assert taken.sender == "shop@example.com"
        assert await post.bounces(dsn(failed(UNKNOWN), returned=headers_of(taken))) == 200
        assert_ann_bounced(post)
