"""One user's token, and two web processes that a worker counts the requests for."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import msgspec
import pytest
from aiohttp import web

from agents.router.agent import Router
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.queries import Queries
from pipeline.process.runtime import Runtime
from pipeline.request_buckets import RequestBuckets
from schemas.question import Owner
from schemas.topics import INBOX_CHANGES
from tables.storage.memory_store import MemoryStore
from tests.patience import PATIENCE
from tests.policy.samples import shipped_catalogue
from tests.sinks.set_clock import SetClock
from tests.web.caller import KEY, Answer, Caller, Memory, calling, memory, settings
from tests.web.desk import desk_of
from web.gateway.hub import Hub
from web.gateway.presence import PresenceTracker
from web.gateway.routes import Gateway
from web.gateway.token import Subscriber, make_token, subscriber_secret
from web.http.rate_limits import Limits
from web.workers.partition_router import Owners

PER_MINUTE = 30
"""One in two seconds, and five at once."""
SETTINGS = settings(user_requests_per_minute=PER_MINUTE)


def still() -> float:
    """A clock that stands."""
    return 1.0


class Held:
    """A router's one partition."""

    def __init__(self) -> None:
        clock = SetClock()
        runtime = Runtime(SETTINGS, memory(), clock)
        self._router = Router(FixedCatalogue(shipped_catalogue()), runtime, MemoryStore())
        self._router._request_buckets = RequestBuckets(still)

    def frontier(self, number: int, topic: str) -> int:
        """Everything is done."""
        return 1 << 40

    async def answer(self, number: int, question: bytes) -> bytes:
        """What the router says."""
        return await self._router.answer(question)


@dataclass
class Two:
    """Two web processes' gateways, and what they wrote."""

    callers: list[Caller]
    topics: Memory

    async def change(self, number: int, user: str = "ann") -> Answer:
        """Mark all as read at one of them."""
        secret = subscriber_secret(KEY, "acme")
        token = make_token(secret, Subscriber("acme", user), int(time.time()))
        headers = {"Authorization": f"Bearer {token}"}
        caller = self.callers[number % 2]
        return await caller.post("/inbox/changes", json={"kind": "read"}, headers=headers)


@pytest.fixture
async def two(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Two]:
    # However busy the machine is, the worker is waited for, and nothing is to be had again.
    monkeypatch.setattr("web.http.rate_limits.ASK_TIMEOUT_SECONDS", PATIENCE)
    topics, clock = memory(), SetClock()
    queries = Queries(SETTINGS)
    queries.answer_for("router", Held())
    await queries.start()
    async with AsyncExitStack() as open_:
        open_.push_async_callback(queries.stop)
        callers = []
        for _ in range(2):
            owners = Owners(SETTINGS)
            await open_.enter_async_context(owners._session)
            url = queries.url_of("router")
            owners._note(msgspec.json.encode(Owner(role="router", partition=0, url=url)))
            desk = desk_of(topics, SETTINGS, clock.now(), owners)
            desk.limits = Limits(owners, still)
            app = web.Application()
            app.add_routes(Gateway(desk, Hub(SETTINGS), PresenceTracker(desk)).routes())
            callers.append(await open_.enter_async_context(calling(app)))
        yield Two(callers, topics)


async def test_a_user_has_one_limit_at_all_processes_together(two: Two) -> None:
    found = [await two.change(number) for number in range(20)]
    taken = [each for each in found if each.status == 202]
    assert {each.status for each in found} == {202, 429}
    assert len(taken) == 5
    assert len(two.topics.said(INBOX_CHANGES)) == len(taken)


async def test_both_tell_the_same_of_it(two: Two) -> None:
    found = [await two.change(number) for number in range(20)]
    assert {each.headers["RateLimit-Limit"] for each in found} == {"5"}
    assert {each.headers["RateLimit-Policy"] for each in found} == {"5;w=10"}
    assert found[0].headers["RateLimit-Remaining"] == "4"
    assert found[0].headers["RateLimit-Reset"] == "2"
    refused = next(each for each in found if each.status == 429)
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"]
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    said = msgspec.json.decode(refused.body)
    assert said["detail"] == "Limit of 30 requests by a user a minute exceeded."


async def test_one_user_takes_nothing_from_another(two: Two) -> None:
    for number in range(10):
        await two.change(number)
    assert (await two.change(0, "bob")).status == 202
