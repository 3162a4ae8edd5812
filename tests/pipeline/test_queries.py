"""Who may ask a worker what it knows: nobody beyond this machine, unless questions are signed."""

import asyncio
import logging
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from pipeline.errors import Misconfigured
from pipeline.memory_log import MemoryLog
from pipeline.queries import NotHere, Queries, check_guarded
from pipeline.settings import Settings
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
        raise NotHere

    async def answer(self, number: int, question: bytes) -> bytes:
        raise NotHere


@pytest.mark.parametrize("sent", [b"", b"POST /0 HTTP/1.1\r\nHost: x\r\nX-A: "])
async def test_a_connection_that_asks_nothing_ends(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.queries.IDLE_SECONDS", 0.3)
    queries = Queries("decider", NobodysPartitions(), MemoryLog(SetClock()), settings(HOST, "k"))
    await queries.start()
    reader, writer = await asyncio.open_connection(HOST, urlsplit(queries.url).port)
    writer.write(sent)
    assert await ended(reader.read()) == b""
    writer.close()
    await queries.stop()
