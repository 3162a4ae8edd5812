"""Limits over several web processes, which ask one worker; times are set by the test."""

import asyncio
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from pipeline.request_buckets import RequestBuckets
from schemas.question import TakeRequests
from tests.web.caller import settings
from web.api.problem import Problem
from web.http.rate_limits import Limit, Limits, erasure_limit, key_limit, tenant_limit, user_limit
from web.workers.partition_router import Owners


class Clock:
    at = 1000.0

    def __call__(self) -> float:
        return self.at


class Worker(Owners):
    """The worker that holds every partition; it answers unless it `is_away`."""

    def __init__(self, clock: Clock) -> None:
        self._settings = settings()
        self._buckets = RequestBuckets(clock)
        self.asked: list[TakeRequests] = []
        self.is_away = False

    async def ask_once(
        self, role: str, partition: int, question: Struct, kind: Any, timeout_seconds: float
    ) -> Any:
        """As over HTTP, with time for others while it is on its way."""
        assert isinstance(question, TakeRequests)
        self.asked.append(question)
        await asyncio.sleep(0)
        if self.is_away:
            return None
        return msgspec.json.decode(self._buckets.answer(msgspec.json.encode(question)), type=kind)


KEY = key_limit("shop", 30)  # one in 2 s, five at once


async def made(limits: Limits, *asked: Limit) -> dict[str, str]:
    """The headers of a request, whether it is refused or not."""
    try:
        return await limits.require(*asked)
    except Problem as problem:
        assert problem.status == 429
        return problem.headers


def is_refused(headers: dict[str, str]) -> bool:
    return "Retry-After" in headers


async def test_two_processes_have_one_limit_and_tell_the_same_of_it() -> None:
    clock = Clock()
    worker = Worker(clock)
    both = [Limits(worker, clock), Limits(worker, clock)]
    found = [await made(both[number % 2], KEY) for number in range(7)]
    assert [each["RateLimit-Remaining"] for each in found] == ["4", "3", "2", "1", "0", "0", "0"]
    assert [each["RateLimit-Reset"] for each in found] == ["2", "4", "6", "8", "10", "10", "10"]
    assert {each["RateLimit-Limit"] for each in found} == {"5"}
    assert {each["RateLimit-Policy"] for each in found} == {"5;w=10"}
    assert [each.get("Retry-After") for each in found] == [None] * 5 + ["10", "10"]
    clock.at += 10
    found = [await made(both[number % 2], KEY) for number in range(8)]
    assert [is_refused(each) for each in found] == [False] * 5 + [True] * 3


async def test_a_large_limit_holds_over_all_and_few_requests_are_counted_by_themselves() -> None:
    clock = Clock()
    worker = Worker(clock)
    three, key = [Limits(worker, clock) for _ in range(3)], key_limit("big", 60_000)
    allowed = 0
    for number in range(12_000):
        allowed += not is_refused(await made(three[number % 3], key))
    # A burst of 10,000, of which what one process has in advance may be refused by another.
    assert 10_000 - 2 * 200 <= allowed <= 10_000
    assert len(worker.asked) < 200


async def test_who_asks_seldom_loses_nothing_that_was_taken_in_advance() -> None:
    clock = Clock()
    worker = Worker(clock)
    limits, key = Limits(worker, clock), key_limit("big", 60_000)
    for _ in range(10):
        headers = await made(limits, key)
        assert headers["RateLimit-Remaining"] == "9999"
        clock.at += 1.5


async def test_who_is_refused_asks_the_worker_no_more_until_a_request_is_possible() -> None:
    clock = Clock()
    worker = Worker(clock)
    limits = Limits(worker, clock)
    for _ in range(1000):
        await made(limits, KEY)
    assert len(worker.asked) == 6
    clock.at += 2
    assert not is_refused(await made(limits, KEY))
    assert is_refused(await made(limits, KEY))


async def test_many_at_once_are_counted_together() -> None:
    clock = Clock()
    worker = Worker(clock)
    limits, user = Limits(worker, clock), user_limit("acme", "ann", 300)
    found = await asyncio.gather(*(made(limits, user) for _ in range(300)))
    assert sum(not is_refused(each) for each in found) == 50
    assert len(worker.asked) < 10


async def test_the_scarcest_limit_is_told_and_what_one_refuses_costs_the_other_nothing() -> None:
    clock = Clock()
    worker = Worker(clock)
    limits = Limits(worker, clock)
    tenant = tenant_limit("acme", 18)  # three at once
    assert (await made(limits, KEY, tenant))["RateLimit-Limit"] == "3"
    for _ in range(20):
        last = await made(limits, KEY, tenant)
    assert (last["RateLimit-Limit"], is_refused(last)) == ("3", True)
    # Three of five are used, and one was taken for a request that the tenant's limit refused.
    assert [is_refused(await made(limits, KEY)) for _ in range(3)] == [False, False, True]


async def test_while_the_worker_is_away_each_process_counts_and_asks_once_in_a_while() -> None:
    clock = Clock()
    worker = Worker(clock)
    worker.is_away = True
    limits = Limits(worker, clock)
    assert [is_refused(await made(limits, KEY)) for _ in range(7)] == [False] * 5 + [True] * 2
    assert len(worker.asked) == 1
    worker.is_away = False
    clock.at += 2
    for _ in range(3):
        assert not is_refused(await made(limits, KEY))
    assert len(worker.asked) == 4


async def test_a_process_without_workers_counts_alone() -> None:
    limits = Limits(monotonic=Clock())
    assert [is_refused(await made(limits, KEY)) for _ in range(6)] == [False] * 5 + [True]


async def test_who_goes_away_takes_the_answer_from_nobody() -> None:
    clock = Clock()
    limits = Limits(Worker(clock), clock)
    first, second = (asyncio.create_task(made(limits, KEY)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert not is_refused(await second)


async def test_the_answer_says_which_limit_it_is() -> None:
    limits = Limits(monotonic=Clock())
    erasures = erasure_limit("acme", 6)
    await limits.require(erasures)
    with pytest.raises(Problem) as refused:
        await limits.require(erasures)
    assert refused.value.body.detail == "Limit of 6 erasures a minute exceeded."


def test_no_two_users_share_a_limit() -> None:
    assert user_limit("a/b", "c", 1).name != user_limit("a", "b/c", 1).name
    assert user_limit("a", "3/b", 1).name != user_limit("a/3", "b", 1).name
    names = {each.name for each in (key_limit("x", 1), tenant_limit("x", 1), erasure_limit("x", 1))}
    assert len(names) == 3
