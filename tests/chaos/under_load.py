"""A house under load: events flow, the API is asked, and the memory of workers is watched."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import aiohttp

from bench.memory import memory_of
from embedded.local_stack import LocalStack, Worker
from tests.chaos.conftest import CALLS_IN_FLIGHT, Tell
from tests.chaos.findings import settle
from tests.chaos.flow import Flow, playing
from tests.chaos.observe import SETTLED, read_all, ready_count
from tests.chaos.script import Script
from tests.patience import PATIENCE
from web.api.keys import ApiKey, Scope, new_key, table_of

SINKS = ("push", "email", "sms")
ASKED_EVERY = 0.1
"""Seconds between two requests to the API."""
ACCEPTED, UNAVAILABLE = 202, 503
UNKNOWN = 0
"""In place of a status where the connection broke: the event may be stored or not."""
LARGEST = 400 << 20
"""Bytes resident of a worker. They take some 150 MiB, and may hold 32 MiB of records."""


@dataclass(frozen=True)
class Api:
    """Where `tocsin web` listens, and the file with its keys."""

    port: int
    keys: Path


@dataclass
class Load:
    """What was under way while something was wrong.

    `replies` are statuses by the ids of events that the API was asked to take; `largest` the most
    bytes that a process of each role had.
    """

    flow: Flow[Script]
    replies: dict[str, int] = field(default_factory=dict)
    largest: Counter[str] = field(default_factory=Counter)

    def healed(self) -> None:
        """From now on nothing is in the way any more."""
        self.flow.healed()

    async def accepts(self) -> None:
        """Wait until the API accepts an event that it is asked to take from now on."""
        before = len(self.replies)
        async with asyncio.timeout(SETTLED):
            while ACCEPTED not in list(self.replies.values())[before + 1 :]:  # noqa: ASYNC110
                await asyncio.sleep(ASKED_EVERY)


@asynccontextmanager
async def under_load(
    house: LocalStack,
    workers: Iterable[Worker],
    api: Api,
    name: str,
    seconds: int,
    rate: int,
    tell: Tell,
    *,
    soon: bool = False,
) -> AsyncIterator[Load]:
    """Let events flow inside the block, `rate` a second, and judge afterwards.

    They do for `seconds` at most. `workers` are those that trouble may concern, of the house or
    beside it. No event is lost, no more calls are repeated than those that ended had in flight,
    the API accepted nothing that is not stored, and memory stayed bounded. With `soon` what waited
    was out, and what came later took no longer, within a minute of healing.
    """
    watched = list(workers)
    before = [ready_count(worker) for worker in watched]
    script = Script(name, seconds * rate, datetime.now(UTC))
    async with playing(house, script, rate) as flow:
        load = Load(flow)
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as around:
            around.create_task(_ask(api, load, stopping))
            around.create_task(_watch(watched, load, stopping))
            try:
                yield load
            finally:
                stopping.set()
    finding = await settle(house, flow)
    again = Counter[str]()
    for worker, count_before in zip(watched, before, strict=True):
        again[worker.role] += ready_count(worker) - count_before
    tell(
        f"{finding.summary()}; API {dict(Counter(load.replies.values()))}; restarts "
        f"{dict(+again)}; MiB at most "
        f"{ {role: size >> 20 for role, size in load.largest.items()} }"
    )
    finding.assert_all_arrived()
    sinks = sum(again[house.worker_of(role).role] for role in SINKS)
    assert finding.wasted_calls <= sinks * CALLS_IN_FLIGHT
    assert max(load.largest.values()) < LARGEST
    await _assert_nothing_false(house, load)
    if soon:
        finding.assert_soon_after_healing()


async def _assert_nothing_false(house: LocalStack, load: Load) -> None:
    accepted = {name for name, status in load.replies.items() if status == ACCEPTED}
    # Others in the same house wrote what no JSON parser gets through.
    ours = f'"{_asked(load)}'.encode()
    stored = {
        json.loads(record.value)["id"]
        async for record in read_all(house, ["events"])
        if ours in record.value
    }
    assert accepted
    assert accepted - stored == set()
    assert set(load.replies.values()) <= {ACCEPTED, UNAVAILABLE, UNKNOWN}


def _asked(load: Load) -> str:
    """What the ids begin with of events that the API is asked to take."""
    return f"{load.flow.script.name}-asked-"


async def _ask(api: Api, load: Load, stopping: asyncio.Event) -> None:
    """Ask the API to take one event after the other; nobody follows who they are of."""
    key, sha256 = new_key()
    own = ApiKey(name="blog", sha256=sha256, tenant="default", scopes=frozenset({Scope.SEND}))
    await asyncio.to_thread(api.keys.write_text, table_of(own))
    url = f"http://127.0.0.1:{api.port}/v1/events"
    data = {"post_id": "1", "author_name": "Ada", "text": "Cats"}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
        await _until_known(session, url)
        for number in count():
            if stopping.is_set():
                return
            name = f"{_asked(load)}{number}"
            event = {"id": name, "type": "post.published", "actor": "nobody-follows", "data": data}
            try:
                async with session.post(url, json=event) as response:
                    load.replies[name] = response.status
            except aiohttp.ClientError:
                load.replies[name] = UNKNOWN
            await asyncio.sleep(ASKED_EVERY)


async def _until_known(session: aiohttp.ClientSession, url: str) -> None:
    """Wait until the API knows the key, whose file it reads now and then."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with session.post(url, json={}) as response:
                if response.status != 401:
                    return
            await asyncio.sleep(ASKED_EVERY)


async def _watch(workers: list[Worker], load: Load, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        for worker in workers:
            load.largest[worker.role] = max(load.largest[worker.role], memory_of(worker.pid))
        await asyncio.sleep(0.5)
