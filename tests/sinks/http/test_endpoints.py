"""Servers that anybody may name: each has a circuit and places of its own."""

import asyncio
import socket

import pytest

from schemas.vocabulary import Reason
from sinks.http.circuits import MOST
from sinks.http.client import HttpClient, Reply
from sinks.http.endpoints import Endpoints
from sinks.provider import Outcome, PermanentFailure, Sent, TransientFailure
from tests.patience import until
from tests.sinks.replies.table import reply
from tests.sinks.requests.recorder import Recorder, Still

URL = "https://hooks.example.com/x"
DOWN = reply(500, b"")
FINE = reply(200, b"")


def meaning(said: Reply) -> Outcome:
    return Sent("s") if said.status == 200 else TransientFailure(Reason.PROVIDER_ERROR, "500")


class Known(Endpoints):
    """Endpoints that all lead to one recorder."""

    def __init__(self, http: HttpClient | None, clock: Still) -> None:
        super().__init__(10, ("127.0.0.1",), clock)
        self.http = http
        self.error: Exception | None = None
        self.asked: list[tuple[str, int]] = []

    async def _client(self, host: str, port: int) -> HttpClient | None:
        self.asked.append((host, port))
        if self.error is not None:
            raise self.error
        return self.http

    async def to(self, circuit: str, url: str = URL) -> Outcome:
        """Call a URL."""
        return await self.call(circuit, url, b"{}", {"a": "b"}, meaning)


async def test_a_call_is_handed_on_and_its_reply_has_its_meaning() -> None:
    http = Recorder(FINE)
    assert await Known(http, Still()).to("c") == Sent("s")
    assert http.request == (URL, b"{}", {"a": "b"})


async def test_five_failures_open_one_circuit_for_a_second_and_no_other() -> None:
    clock, http = Still(), Recorder(DOWN, DOWN, DOWN, DOWN, DOWN, FINE)
    calls = Known(http, clock)
    for _ in range(5):
        assert await calls.to("one") == TransientFailure(Reason.PROVIDER_ERROR, "500")
    waits = TransientFailure(Reason.CIRCUIT_OPEN, "its server is in trouble", 1.0)
    assert await calls.to("one") == waits
    assert len(http.requests) == 5
    assert await calls.to("two") == Sent("s")
    clock.time += 400
    assert await calls.to("one") == TransientFailure(
        Reason.CIRCUIT_OPEN, "its server is in trouble", 0.6
    )
    clock.time += 600
    assert await calls.to("one") == Sent("s")
    assert await calls.to("one") == Sent("s")


async def test_a_retry_after_is_of_one_circuit() -> None:
    clock = Still()
    calls = Known(Recorder(FINE), clock)

    def slow(_: Reply) -> Outcome:
        return TransientFailure(Reason.THROTTLED, "429", 30.0)

    assert await calls.call("one", URL, b"", {}, slow) == slow(FINE)
    clock.time += 29_000
    assert await calls.to("one") == TransientFailure(
        Reason.CIRCUIT_OPEN, "its server is in trouble", 1.0
    )
    assert await calls.to("two") == Sent("s")
    clock.time += 1000
    assert await calls.to("one") == Sent("s")


async def test_a_refusal_opens_nothing() -> None:
    calls = Known(Recorder(FINE), Still())
    gone = PermanentFailure(Reason.UNREGISTERED, "410")
    for _ in range(30):
        assert await calls.call("c", URL, b"", {}, lambda _: gone) == gone


async def test_a_reply_that_never_came_counts_as_it_is() -> None:
    lost = TransientFailure(Reason.TIMEOUT, "no reply", uncertain=True)
    calls = Known(Recorder(lost), Still())
    for _ in range(5):
        assert await calls.to("c") == lost
    opened = await calls.to("c")
    assert isinstance(opened, TransientFailure)
    assert opened.reason is Reason.CIRCUIT_OPEN


async def test_where_a_name_leads_within_nothing_is_called() -> None:
    calls = Known(None, Still())
    private = PermanentFailure(Reason.INVALID_ADDRESS, "its name stands for a private address")
    assert await calls.to("c") == private


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://hooks.example.com/x", "it leads to hooks.example.com without TLS"),
        ("https://10.0.0.1/x", "it leads to 10.0.0.1, which is not public"),
        ("https://[", "it is no URL"),
    ],
)
async def test_what_may_not_be_called_is_refused_before_any_call(url: str, said: str) -> None:
    http = Recorder(FINE)
    assert await Known(http, Still()).to("c", url) == PermanentFailure(Reason.INVALID_ADDRESS, said)
    assert http.requests == []


class Hanging(Recorder):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__(FINE)
        self.go = asyncio.Event()

    async def post(self, url: str, body: bytes, headers: object) -> Reply | TransientFailure:
        """Wait."""
        found = await super().post(url, body, {})
        await self.go.wait()
        return found


async def test_a_call_that_was_given_up_says_nothing_of_its_server() -> None:
    hanging = Hanging()
    calls = Known(Recorder(DOWN), Still())
    for _ in range(4):
        await calls.to("c")
    calls.http = hanging
    task = asyncio.create_task(calls.to("c"))
    await until(lambda: bool(hanging.requests))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    # Neither the fifth failure nor a success, after which five more would be needed.
    calls.http = Recorder(DOWN)
    assert await calls.to("c") == TransientFailure(Reason.PROVIDER_ERROR, "500")
    assert await calls.to("c") == TransientFailure(
        Reason.CIRCUIT_OPEN, "its server is in trouble", 1.0
    )


LOST = TransientFailure(Reason.UNREACHABLE, "refused")
WAITS = TransientFailure(Reason.CIRCUIT_OPEN, "its server is in trouble", 1.0)


async def test_a_host_at_which_five_hooks_are_not_reached_is_left_alone_as_a_whole() -> None:
    clock, http = Still(), Recorder(LOST)
    calls = Known(http, clock)
    for number in range(5):
        assert await calls.to(f"hook {number}") == LOST
    assert await calls.to("hook 5") == WAITS
    assert len(http.requests) == 5
    assert await calls.to("hook 5", "https://other.example.com/x") == LOST


@pytest.mark.parametrize(
    "reply",
    [DOWN, reply(401, b""), reply(503, b"", {"retry-after": "3600"}), reply(429, b"")],
    ids=lambda said: str(said.status),
)
async def test_what_hooks_answer_is_no_trouble_of_others_at_their_host(reply: Reply) -> None:
    """Many share a host who know nothing of each other, as at makers of workflows."""
    calls = Known(Recorder(reply), Still())

    def said(found: Reply) -> Outcome:
        return TransientFailure(Reason.PROVIDER_ERROR, str(found.status), found.retry_after)

    for number in range(60):
        await calls.call(f"hook {number}", URL, b"", {}, said)
    calls.http = Recorder(FINE)
    assert await calls.to("another") == Sent("s")


async def test_one_hook_that_is_not_reached_is_left_alone_by_itself() -> None:
    calls = Known(Recorder(LOST), Still())
    for _ in range(60):
        await calls.to("bad")
    calls.http = Recorder(FINE)
    assert await calls.to("bad") == WAITS
    assert await calls.to("good") == Sent("s")


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://hooks.example.com/x", "hooks.example.com", 443),
        ("https://hooks.example.com:8443/x", "hooks.example.com", 8443),
        ("http://127.0.0.1/x", "127.0.0.1", 80),
        ("http://127.0.0.1:8080/x", "127.0.0.1", 8080),
        ("https://HOOKS.example.com:443/x", "hooks.example.com", 443),
    ],
)
async def test_who_is_looked_up_and_called(url: str, host: str, port: int) -> None:
    calls = Known(Recorder(FINE), Still())
    assert await calls.to("c", url) == Sent("s")
    assert calls.asked == [(host, port)]


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (socket.gaierror(-2, "Name or service not known"), "gaierror"),
        (UnicodeError("label too long"), "UnicodeError"),
        (TimeoutError(), "TimeoutError"),
    ],
)
async def test_a_name_that_can_not_be_looked_up_is_tried_again(error: Exception, name: str) -> None:
    calls = Known(None, Still())
    calls.error = error
    said = f"its name can't be looked up: {name}"
    assert await calls.to("c") == TransientFailure(Reason.UNREACHABLE, said)


async def test_of_too_many_circuits_those_used_the_longest_ago_go() -> None:
    assert MOST == 1024
    calls = Known(Recorder(DOWN, DOWN, DOWN, DOWN, DOWN, FINE), Still())
    for _ in range(5):
        await calls.to("in trouble")
    for number in range(1023):
        await calls.to(f"circuit {number}")
    # Used again, it is not the oldest any more.
    assert isinstance(await calls.to("in trouble"), TransientFailure)
    for number in range(1023, 2046):
        await calls.to(f"circuit {number}")
    assert isinstance(await calls.to("in trouble"), TransientFailure)
    for number in range(1024):
        await calls.to(f"another {number}")
    assert await calls.to("in trouble") == Sent("s")
