"""How workers are asked, and what becomes of each thing that they can answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec
import pytest
from aiohttp import web as http
from msgspec import Struct

from pipeline.process.queries import SIGNATURE, signature
from schemas.errors import BadRecord, Unavailable
from schemas.question import Owner
from tests.patience import PATIENCE
from tests.web.caller import KEY, settings
from web.app import serving
from web.workers import partition_router as owners_module
from web.workers.partition_router import Owners


class Question(Struct):
    text: str


class Answer(Struct):
    text: str


ASKED = Question("who?")


@dataclass
class Worker:
    """Answers with these statuses, one after the other and the last again and again."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    body: bytes = b'{"text": "ann"}'
    paths: list[str] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)

    async def answer(self, request: http.Request) -> http.Response:
        path = str(request.rel_url)
        self.paths.append(path)
        body = await request.read()
        if request.headers[SIGNATURE] != signature(KEY, path, body):
            self.forged.append(path)
        assert msgspec.json.decode(body, type=Question) == ASKED
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return http.Response(status=status, body=self.body)


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    found = Worker()
    app = http.Application()
    app.add_routes([http.post("/{partition}", found.answer)])
    async with serving(app, "127.0.0.1", 0) as url:
        found.url = url
        yield found
    assert found.forged == []


@pytest.fixture
async def owners() -> AsyncIterator[Owners]:
    found = Owners(settings())
    yield found
    await found._session.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(owners_module, "ANSWER_TIMEOUT_SECONDS", 0.2)
    yield


def holds(owners: Owners, url: str, role: str = "decider", partition: int = 0) -> None:
    owners._note(msgspec.json.encode(Owner(role=role, partition=partition, url=url)))


async def test_who_holds_the_partition_is_asked(owners: Owners, worker: Worker) -> None:
    holds(owners, "http://127.0.0.1:9", role="inapp")
    holds(owners, "http://127.0.0.1:9", partition=1)
    holds(owners, worker.url)
    assert await owners.ask("decider", "ann", ASKED, Answer) == Answer("ann")
    assert worker.paths == ["/0"]


async def test_the_newest_record_counts(owners: Owners, worker: Worker) -> None:
    holds(owners, "http://127.0.0.1:9")
    holds(owners, worker.url)
    assert await owners.ask("decider", "ann", ASKED, Answer) == Answer("ann")


async def test_only_what_the_role_reads_is_waited_for(owners: Owners, worker: Worker) -> None:
    holds(owners, worker.url)
    after = {"contacts": 4, "preferences": 9, "live": 7}
    await owners.ask("decider", "ann", ASKED, Answer, after)
    await owners.ask("decider", "ann", ASKED, Answer, {"live": 7})
    first, second = worker.paths
    assert parse_qs(urlsplit(first).query) == {"contacts": ["4"], "preferences": ["9"]}
    assert second == "/0"


@pytest.mark.parametrize("status", [421, 503])
async def test_while_a_partition_moves_it_is_asked_again(
    owners: Owners, worker: Worker, status: int
) -> None:
    holds(owners, worker.url)
    worker.statuses = [status, status, 200]
    assert await owners.ask("decider", "ann", ASKED, Answer) == Answer("ann")
    assert len(worker.paths) == 3


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9"])
async def test_where_nobody_answers_it_is_given_up(
    owners: Owners, impatient: None, url: str
) -> None:
    if url:
        holds(owners, url)
    with pytest.raises(Unavailable, match="No decider worker answers for partition 0"):
        await owners.ask("decider", "ann", ASKED, Answer)


async def test_what_can_not_be_used_is_told_in_the_workers_words(
    owners: Owners, worker: Worker
) -> None:
    holds(owners, worker.url)
    worker.statuses, worker.body = [422], "the zone is höchst odd".encode()
    with pytest.raises(BadRecord) as refused:
        await owners.ask("decider", "ann", ASKED, Answer)
    assert refused.value.detail == "the zone is höchst odd"


async def test_a_fault_between_us_is_no_answer(owners: Owners, worker: Worker) -> None:
    holds(owners, worker.url)
    worker.statuses, worker.body = [403], b"no"
    with pytest.raises(RuntimeError, match="a worker answered 403: b'no'"):
        await owners.ask("decider", "ann", ASKED, Answer)


async def test_each_process_of_a_role_is_asked_once(owners: Owners, worker: Worker) -> None:
    holds(owners, worker.url, partition=0)
    holds(owners, worker.url, partition=3)
    holds(owners, "http://127.0.0.1:9", partition=1)
    holds(owners, "http://127.0.0.1:7", role="inapp")
    found = await owners.ask_each("decider", ASKED, Answer)
    assert found == {worker.url: Answer("ann"), "http://127.0.0.1:9": None}
    assert worker.paths == ["/3"]
    assert await owners.ask_each("router", ASKED, Answer) == {}


async def test_a_call_lasts_no_longer_than_the_question(owners: Owners) -> None:
    assert owners._session.timeout == aiohttp.ClientTimeout(total=5.0)


async def test_a_question_for_now_is_asked_once_of_who_holds_the_partition(
    owners: Owners, worker: Worker
) -> None:
    holds(owners, worker.url, partition=3)
    assert await owners.ask_once("decider", 3, ASKED, Answer, PATIENCE) == Answer("ann")
    assert await owners.ask_once("decider", 0, ASKED, Answer, PATIENCE) is None
    assert await owners.ask_once("router", 3, ASKED, Answer, PATIENCE) is None
    assert worker.paths == ["/3"]


@pytest.mark.parametrize("status", [400, 403, 421, 422, 503])
async def test_who_can_not_answer_now_is_asked_no_more(
    owners: Owners, worker: Worker, status: int
) -> None:
    holds(owners, worker.url)
    worker.statuses = [status, 200]
    assert await owners.ask_once("decider", 0, ASKED, Answer, PATIENCE) is None
    assert len(worker.paths) == 1


async def test_a_question_for_now_waits_no_longer_than_it_says(owners: Owners) -> None:
    is_over = asyncio.Event()

    async def hang(_: http.Request) -> http.Response:
        await is_over.wait()
        return http.Response()

    app = http.Application()
    app.add_routes([http.post("/{partition}", hang)])
    async with serving(app, "127.0.0.1", 0) as url:
        holds(owners, url)
        assert await owners.ask_once("decider", 0, ASKED, Answer, 0.05) is None
        is_over.set()
