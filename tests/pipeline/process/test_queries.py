"""Who may ask a worker what it knows: nobody beyond this machine, unless questions are signed."""

import asyncio
import logging
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest
from pydantic import SecretStr

from pipeline.process.queries import (
    NOT_HERE,
    SIGNATURE,
    NotOwner,
    Queries,
    check_guarded,
    signature,
)
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from schemas.errors import Misconfigured
from tests.patience import ended
from tests.sinks.set_clock import SetClock

HOST = "127.0.0.1"

BEYOND = ("0.0.0.0", "::", "10.0.0.7", "192.168.1.2", "fe80::1", "decider-0.internal", "", "127")  # noqa: S104
LOOPBACK = ("127.0.0.1", "127.8.8.8", "::1", "localhost")


def settings(host: str, key: str) -> Settings:
    return Settings(query_host=host, signing_key=SecretStr(key))


@pytest.mark.parametrize("host", BEYOND)
def test_beyond_this_machine_nothing_is_answered_without_a_signing_key(host: str) -> None:
    with pytest.raises(Misconfigured, match=r"TOCSIN_SIGNING_KEY.*TOCSIN_QUERY_HOST"):
        check_guarded(settings(host, ""))


@pytest.mark.parametrize("host", LOOPBACK)
def test_on_this_machine_the_missing_key_is_only_warned_of(
    host: str, caplog: pytest.LogCaptureFixture
) -> None:
    check_guarded(settings(host, ""))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "TOCSIN_SIGNING_KEY is not set" in record.message


@pytest.mark.parametrize("host", (*BEYOND, *LOOPBACK))
def test_with_a_key_every_address_is_possible(host: str, caplog: pytest.LogCaptureFixture) -> None:
    check_guarded(settings(host, "k" * 32))
    assert caplog.records == []


class NobodysPartitions:
    """None is held here."""

    def frontier(self, number: int, topic: str) -> int:
        raise NotOwner

    async def answer(self, number: int, question: bytes) -> bytes:
        raise NotOwner


@pytest.mark.parametrize("sent", [b"", b"POST /0 HTTP/1.1\r\nHost: x\r\nX-A: "])
async def test_a_connection_that_asks_nothing_ends(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.process.queries.IDLE_SECONDS", 0.3)
    queries = Queries(settings(HOST, "k"))
    queries.answer_for("decider", NobodysPartitions())
    await queries.start()
    port = urlsplit(queries.url_of("decider")).port
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(sent)
    assert await ended(reader.read()) == b""
    writer.close()
    await queries.stop()


class Knowing:
    """Partition 3 alone is held, up to offset 10 of `events`, and answers with what it knows."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    def frontier(self, number: int, topic: str) -> int:
        if (number, topic) != (3, "events"):
            raise NotOwner
        return 10

    async def answer(self, number: int, question: bytes) -> bytes:
        if number != 3:
            raise NotOwner
        return self._said + question


async def test_each_role_of_a_process_is_asked_at_an_address_of_its_own() -> None:
    queries, log = Queries(settings(HOST, "key")), MemoryLog(SetClock())
    queries.answer_for("router", Knowing(b"router: "))
    queries.answer_for("decider", Knowing(b"decider: "))
    await queries.start()
    await queries.announce("router", log, 3)
    await queries.announce("decider", log, 3)
    written = [(r.key, msgspec.json.decode(r.value or b"")) for r in log.take("owners")]
    router, decider = (owner["url"] for _, owner in written)
    assert [(key, owner["role"]) for key, owner in written] == [
        (b"router/3", "router"),
        (b"decider/3", "decider"),
    ]
    assert urlsplit(router).netloc == urlsplit(decider).netloc

    async with aiohttp.ClientSession() as session:

        async def ask(url: str, path: str, signed: str | None = None) -> tuple[int, bytes]:
            """The status, and what is said; signed as whoever asks does it, if not otherwise."""
            headers = {SIGNATURE: signature(b"key", signed or path, b"who?")}
            async with session.post(url + path, data=b"who?", headers=headers) as response:
                return response.status, await response.read()

        assert await ask(router, "/3") == (200, b"router: who?")
        assert await ask(decider, "/3?events=10") == (200, b"decider: who?")
        # The last release's web asks about topics of before, too: nothing is left in these.
        assert (await ask(decider, "/3?broadcasts.high=700&events=10"))[0] == 200
        assert (await ask(decider, "/3?broadcasts=700"))[0] == NOT_HERE
        assert (await ask(decider, "/4"))[0] == NOT_HERE
        assert (await ask(router.replace("router", "inapp"), "/3"))[0] == NOT_HERE
        assert (await ask(router, "/3", signed="/4"))[0] == 403
    await queries.stop()


async def test_a_process_without_a_role_that_answers_listens_nowhere() -> None:
    queries = Queries(settings(HOST, "key"))
    await queries.start()
    assert queries.url_of("intake") == "/intake"
    await queries.stop()
