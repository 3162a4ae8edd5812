"""`/inbox/…` in one process: tokens, sockets, events, polls, and what is asked and written."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import WSMsgType, web

from schemas.errors import Unavailable
from schemas.inbox import InboxCounts, ReadCounts, ReadInbox
from schemas.topics import INBOX_CHANGES, PRESENCE
from tests.patience import in_time, until
from tests.web.caller import KEY, Answer, Caller, Memory, calling, memory, settings
from tests.web.desk import Asked, desk_of
from tests.web.gateway.line import ANN, counts, item, live, page, record
from web.gateway import routes
from web.gateway.hub import MOST_SOCKETS, Hub
from web.gateway.presence import PresenceTracker
from web.gateway.routes import Gateway
from web.gateway.token import Subscriber, make_token, subscriber_secret

SECONDS = 1_753_000_000
NOW, NOW_SHOWN = 1000 * SECONDS, "2025-07-20T08:26:40Z"
TOKEN = make_token(subscriber_secret(KEY, "acme"), ANN, SECONDS)


class Gate:
    """The gateway, somebody who calls it, and what it works with."""

    def __init__(self, caller: Caller, hub: Hub, owners: Asked, topics: Memory) -> None:
        self.caller, self.hub, self.owners, self.topics = caller, hub, owners, topics
        self.gateway: Gateway

    async def get(self, path: str, token: str = TOKEN, **headers: str) -> Answer:
        """The answer to GET, with a token."""
        given = {"Authorization": f"Bearer {token}", **headers}
        async with in_time():
            return await self.caller.get(path, headers=given)

    def comes(self, *numbers: int) -> None:
        """Items of Ann's."""
        for number in numbers:
            self.hub._hand_on(record(live(number)))

    @property
    def listeners(self) -> int:
        """How many clients of Ann's are connected."""
        return len(self.hub._listeners.get(ANN, ()))

    def present(self) -> list[tuple[str, bool]]:
        """What was told of devices."""
        return [(each["device"], each["online"]) for each in self.topics.said(PRESENCE)]


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    topics, owners, hub = memory(), Asked(), Hub(settings())
    owners.answer = page(7)
    desk = desk_of(topics, settings(), NOW, owners)
    gateway = Gateway(desk, hub, PresenceTracker(desk))
    app = web.Application()
    app.add_routes(gateway.routes())
    async with calling(app) as caller:
        made = Gate(caller, hub, owners, topics)
        made.gateway = gateway
        yield made
        gateway.end()


def token(tenant: str = "acme", user: str = "ann", at: int = SECONDS, key: bytes = KEY) -> str:
    return make_token(subscriber_secret(key, tenant), Subscriber(tenant, user), at)


@pytest.mark.parametrize(
    "wrong",
    ["", "x", token(key=b"another"), token(at=SECONDS - 3600), token(at=SECONDS + 86_400)],
)
@pytest.mark.parametrize("path", ["", "/counts", "/poll", "/stream", "/socket"])
async def test_nobody_is_let_in_without_a_token_that_is_ours(
    gate: Gate, path: str, wrong: str
) -> None:
    for answer in (
        await gate.get(f"/inbox{path}", token=wrong),
        await gate.caller.get(f"/inbox{path}?token={wrong}"),
    ):
        assert (answer.status, answer.headers["Content-Type"]) == (401, "application/problem+json")
        said = msgspec.json.decode(answer.body)["detail"]
        assert said == "The subscriber token is missing, forged or has ended."
    assert gate.owners.asked == []


async def test_a_token_may_stand_in_the_query(gate: Gate) -> None:
    assert (await gate.caller.get(f"/inbox?token={TOKEN}")).status == 200
    # The header's counts where both are there.
    assert (await gate.get("/inbox?token=x")).status == 200
    gate.owners.answer = counts(7)
    assert (await gate.caller.get(f"/inbox/counts?token={TOKEN}")).status == 200


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", {}),
        ("?which=unread&limit=5", {"which": "unread", "limit": 5}),
        (f"?before={item(3).id}", {"before": item(3).id}),
    ],
)
async def test_a_page_is_read(gate: Gate, query: str, asked: dict[str, Any]) -> None:
    gate.owners.answer = page(7, 7, 6, after=6)
    answer = await gate.get(f"/inbox{query}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.body == msgspec.json.encode(page(7, 7, 6, after=6))
    expected = ReadInbox(tenant="acme", user="ann", **asked)
    assert gate.owners.asked == [("inapp", "ann", expected, {})]


async def test_a_page_waits_for_a_position(gate: Gate) -> None:
    await gate.get("/inbox?position=inbox-changes:9")
    assert gate.owners.asked[0][3] == {"inbox-changes": 9}


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "which=some", "before=x", "position=x"])
async def test_what_can_not_be_asked(gate: Gate, query: str) -> None:
    answer = await gate.get(f"/inbox?{query}")
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert gate.owners.asked == []


async def test_counts(gate: Gate) -> None:
    gate.owners.answer = InboxCounts(unread=1, unseen=2, last=3)
    answer = await gate.get("/inbox/counts")
    assert (answer.status, answer.body) == (200, b'{"unread":1,"unseen":2,"last":3}')
    assert gate.owners.asked == [("inapp", "ann", ReadCounts(tenant="acme", user="ann"), {})]


async def test_a_change_is_written(gate: Gate) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = await gate.caller.post("/inbox/changes", headers=headers, json={"kind": "read"})
    assert (answer.status, answer.body) == (202, b'{"position":"inbox-changes:1"}')
    said = {"user": "ann", "tenant": "acme", "kind": "read", "at": NOW_SHOWN}
    assert gate.topics.said(INBOX_CHANGES) == [said]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"{", ""),
        (b"\xff", ""),
        (b'{"kind": "eaten"}', "/kind"),
        (b'{"kind": "read", "more": 1}', ""),
        (b'{"kind": "snoozed"}', "/until"),
    ],
)
async def test_a_change_that_can_not_be(gate: Gate, body: bytes, pointer: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = await gate.caller.post("/inbox/changes", headers=headers, data=body)
    assert answer.status == 400
    assert msgspec.json.decode(answer.body)["errors"][0]["pointer"] == pointer
    assert gate.topics.topics == {}


@pytest.mark.parametrize("path", ["", "/counts", "/poll", "/stream", "/socket"])
async def test_while_nobody_answers_it_is_to_be_tried_again(gate: Gate, path: str) -> None:
    gate.owners.answer = Unavailable("No inapp worker answers.")
    answer = await gate.get(f"/inbox{path}")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert msgspec.json.decode(answer.body)["detail"] == "No inapp worker answers."
    assert gate.listeners == 0


async def test_the_component_needs_no_token(gate: Gate) -> None:
    folder = routes.BELL.parent / "bell"
    modules = {f"bell/{path.name}": path for path in folder.iterdir()}
    for name, path in {"bell.js": routes.BELL, **modules}.items():
        answer = await gate.get(f"/inbox/{name}", token="")
        assert (answer.status, answer.body) == (200, path.read_bytes())
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        # Modules of two versions would not fit together.
        kept = "max-age=300" if path == routes.BELL else "no-cache"
        assert answer.headers["Cache-Control"] == kept


@asynccontextmanager
async def socket(gate: Gate, query: str = "") -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    url = f"{gate.caller.url}/inbox/socket?token={TOKEN}{query}"
    async with in_time(), gate.caller.session.ws_connect(url) as connected:
        yield connected


async def test_a_socket_has_what_was_missed_and_then_what_comes(gate: Gate) -> None:
    gate.owners.answer = page(7, 6, 7)
    async with socket(gate, "&last=5&device=phone") as connected:
        missed = [(await connected.receive_json())["id"] for _ in range(2)]
        gate.comes(8)
        gate.comes(9)
        came = [(await connected.receive_json())["id"] for _ in range(2)]
        assert (missed, came) == ([6, 7], [8, 9])
        assert gate.present() == [("phone", True)]
        # What a client says is a sign of life, and no more.
        await connected.send_str("hello")
        gate.comes(10)
        assert (await connected.receive_json())["id"] == 10
    await until(lambda: gate.present() == [("phone", True), ("phone", False)])
    assert gate.listeners == 0
    asked = gate.owners.asked[0][2]
    assert isinstance(asked, ReadInbox)
    assert asked.since == 5


async def test_a_process_that_ends_lets_its_sockets_go(gate: Gate) -> None:
    async with socket(gate) as connected:
        assert (await connected.receive_json())["kind"] == "counts"
        gate.gateway.end()
        last = await connected.receive()
        assert last.type is WSMsgType.CLOSE
        assert last.data == 1001  # going away
        word, number, unit = str(last.extra).removeprefix("retry ").split()
        assert (word, unit) == ("in", "ms")
        assert 0 <= int(number) < 5000
    await until(lambda: gate.listeners == 0)


@pytest.mark.parametrize(("size", "taken"), [(4096, True), (4097, False)])
async def test_a_client_may_say_so_much(gate: Gate, size: int, taken: bool) -> None:
    async with socket(gate) as connected:
        await connected.receive_json()
        await connected.send_str("x" * size)
        gate.comes(8)
        answer = await connected.receive()
        while not taken and answer.type is WSMsgType.TEXT:
            answer = await connected.receive()
        assert (answer.type is WSMsgType.TEXT) == taken
        assert taken or answer.data == 1009  # too big


async def lines_of(answer: aiohttp.ClientResponse, count: int) -> list[str]:
    return [(await answer.content.readline()).decode().rstrip("\n") for _ in range(count)]


async def test_server_sent_events(gate: Gate) -> None:
    gate.owners.answer = page(7, 7)
    headers = {"Authorization": f"Bearer {TOKEN}", "Last-Event-ID": "6"}
    url = f"{gate.caller.url}/inbox/stream?last=1&device=tab"
    async with in_time():
        async with gate.caller.session.get(url, headers=headers) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == "text/event-stream"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Accel-Buffering"] == "no"
            retry, empty, *first = await lines_of(answer, 5)
            assert retry.startswith("retry: ")
            assert 1000 <= int(retry.removeprefix("retry: ")) < 5000
            gate.comes(8)
            second = await lines_of(answer, 3)
        for number, (name, data, end) in ((7, first), (8, second)):
            assert (name, empty, end) == (f"id: {number}", "", "")
            assert msgspec.json.decode(data.removeprefix("data: "))["item"]["number"] == number
        asked = gate.owners.asked[0][2]
        assert isinstance(asked, ReadInbox)
        assert asked.since == 6
        await until(lambda: gate.present() == [("tab", True), ("tab", False)])
        assert gate.listeners == 0


async def test_events_of_a_silent_inbox_have_a_sign_of_life(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert routes.HEARTBEAT == 20
    monkeypatch.setattr(routes, "HEARTBEAT", 0.01)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        in_time(),
        gate.caller.session.get(f"{gate.caller.url}/inbox/stream", headers=headers) as answer,
    ):
        lines = await lines_of(answer, 9)
    assert lines[5:9] == [": ping", "", ": ping", ""]


async def test_a_process_that_ends_lets_its_streams_go(gate: Gate) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"{gate.caller.url}/inbox/stream"
    async with in_time(), gate.caller.session.get(url, headers=headers) as answer:
        await lines_of(answer, 5)
        gate.gateway.end()
        assert await answer.content.read() == b""
    await until(lambda: gate.listeners == 0)


def polled(answer: Answer) -> list[tuple[str, int]]:
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.body.endswith(b"\n")
    said = [msgspec.json.decode(line) for line in answer.body.splitlines()]
    return [(each["kind"], each["id"]) for each in said]


async def test_a_poll_answers_at_once_what_is_new(gate: Gate) -> None:
    assert polled(await gate.get("/inbox/poll")) == [("counts", 7)]
    gate.owners.answer = page(7, 6, 7)
    assert polled(await gate.get("/inbox/poll?last=5")) == [("item", 6), ("item", 7)]
    # A number that was never given.
    gate.owners.answer = page(7)
    assert polled(await gate.get("/inbox/poll?last=9")) == [("counts", 7)]
    assert gate.listeners == 0


@pytest.mark.parametrize("last", ["", "-1", "x", "1" * 16])
async def test_what_is_no_number_is_none(gate: Gate, last: str) -> None:
    assert polled(await gate.get(f"/inbox/poll?last={last}")) == [("counts", 7)]
    asked = gate.owners.asked[0][2]
    assert isinstance(asked, ReadInbox)
    assert asked.since is None


async def test_a_poll_waits_for_what_comes(gate: Gate) -> None:
    polling = asyncio.create_task(gate.get("/inbox/poll?last=7"))
    await until(lambda: gate.listeners == 1)
    await until(lambda: bool(gate.owners.asked))
    gate.comes(8)
    assert polled(await polling) == [("item", 8)]


async def test_a_poll_ends_with_what_it_began(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    assert routes.LONGEST_POLL == 30
    monkeypatch.setattr(routes, "LONGEST_POLL", 0.01)
    assert polled(await gate.get("/inbox/poll?last=7")) == [("counts", 7)]


@pytest.mark.parametrize("path", ["poll", "stream", "socket"])
async def test_a_user_has_so_many_connections(gate: Gate, path: str) -> None:
    for _ in range(MOST_SOCKETS):
        gate.hub.listen(ANN)
    answer = await gate.get(f"/inbox/{path}")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "5")
    said = msgspec.json.decode(answer.body)["detail"]
    assert said == "The user has too many connections."
    assert gate.listeners == MOST_SOCKETS


@pytest.mark.parametrize(
    ("query", "device"), [("?device=tab", "tab"), (f"?device={'x' * 201}", "x" * 200)]
)
async def test_a_device_names_itself(gate: Gate, query: str, device: str) -> None:
    await gate.get(f"/inbox/poll{query}")
    assert gate.present() == [(device, True), (device, False)]


async def test_a_device_without_a_name_is_given_one(gate: Gate) -> None:
    await gate.get("/inbox/poll")
    await gate.get("/inbox/poll")
    names = [name for name, _ in gate.present()]
    assert names[0] == names[1] != names[2] == names[3]
    for name in names:
        assert name.startswith("web-")
        assert len(name) == len("web-") + 12
