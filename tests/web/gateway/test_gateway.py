"""Inboxes live: every notification once, in order, on every transport, whatever dies meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from msgspec import Raw

from schemas.inbox import InboxCounts, Live, Message
from tests.agents.names import unique
from tests.patience import ended, in_time, until, until_told
from tests.web.api.routes.test_inbox import filled
from tests.web.api.routes.test_sending import notification, person
from tests.web.house import Api
from web.gateway.hub import MOST_SOCKETS, WAITING, Hub
from web.gateway.stream import Said, Stream
from web.gateway.token import Subscriber
from web.workers.partition_router import Owners

Read = Callable[[], Awaitable[dict[str, Any]]]


async def token_of(api: Api, user: str) -> str:
    said = await api.done("POST", f"/v1/users/{user}/token")
    return str(said["token"])


class Client:
    """A socket that keeps what it got."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> dict[str, Any]:
        said: dict[str, Any] = await ended(self.socket.receive_json())
        return said

    async def items(self, count: int, read: Read | None = None) -> list[int]:
        """The numbers of so many items."""
        found: list[int] = []
        while len(found) < count:
            said = await (read or self.next)()
            if said["kind"] == "item":
                found.append(said["id"])
        return found


@asynccontextmanager
async def socket(api: Api, user: str, **query: str) -> AsyncIterator[Client]:
    token = await token_of(api, user)
    url = f"{api.url}/inbox/socket"
    async with api.session.ws_connect(url, params={"token": token, **query}) as connected:
        yield Client(connected)


async def test_a_notification_comes_while_the_user_looks(api: Api) -> None:
    user = await person(api)
    async with socket(api, user) as phone, socket(api, user) as laptop:
        for client in (phone, laptop):
            first = await client.next()
            assert (first["kind"], first["counts"]["unread"]) == ("counts", 0)
        await api.done("POST", "/v1/notifications", notification(user, actor=unique("actor")))
        for client in (phone, laptop):
            said = await client.next()
            assert (said["kind"], said["id"], said["counts"]["unread"]) == ("item", 1, 1)
            assert said["item"]["title"] == "Bo on Cats"


async def test_who_comes_back_misses_nothing_and_sees_nothing_twice(api: Api) -> None:
    path, _ = await filled(api, 3)
    user = path.split("/")[3]
    async with socket(api, user, last="1") as client:
        assert await client.items(2) == [2, 3]
        more = asyncio.create_task(send(api, user, 20))
        assert await client.items(10) == list(range(4, 14))
    await more
    async with socket(api, user, last="13") as client:
        assert await client.items(10) == list(range(14, 24))


async def send(api: Api, user: str, count: int) -> None:
    for _ in range(count):
        await api.done("POST", "/v1/notifications", notification(user, actor=unique("actor")))


async def test_who_was_away_for_long_is_told_to_fetch(api: Api) -> None:
    path, _ = await filled(api, 1)
    async with socket(api, path.split("/")[3], last="99") as client:
        assert (await client.next())["kind"] == "counts"  # a number that was never given


async def test_what_is_read_elsewhere_changes_the_count(api: Api) -> None:
    path, items = await filled(api, 2)
    user = path.split("/")[3]
    async with socket(api, user) as client:
        assert (await client.next())["counts"]["unread"] == 2
        headers = {"Authorization": f"Bearer {await token_of(api, user)}"}
        body = {"kind": "read", "item": items[0]["id"]}
        url = f"{api.url}/inbox/changes"
        async with api.session.post(url, json=body, headers=headers) as answer:
            assert answer.status == 202
        said = await client.next()
        assert (said["kind"], said["counts"]["unread"]) == ("counts", 1)


async def test_server_sent_events_resume_by_their_id(api: Api) -> None:
    path, _ = await filled(api, 2)
    user = path.split("/")[3]
    token = await token_of(api, user)
    headers = {"Last-Event-ID": "1"}
    url = f"{api.url}/inbox/stream"
    async with api.session.get(url, params={"token": token}, headers=headers) as answer:
        assert answer.content_type == "text/event-stream"
        assert [await event(answer)] == [2]
        await api.done("POST", "/v1/notifications", notification(user, actor=unique("actor")))
        assert await event(answer) == 3


async def event(answer: aiohttp.ClientResponse) -> int:
    """The number of the next item."""
    async with in_time():
        while True:
            line = (await answer.content.readline()).decode()
            if line.startswith("data: "):
                said = json.loads(line.removeprefix("data: "))
                if said["kind"] == "item":
                    return int(said["id"])


async def test_long_polling_answers_when_there_is_something(api: Api) -> None:
    path, _ = await filled(api, 2)
    user = path.split("/")[3]
    token = await token_of(api, user)

    async def poll(last: int) -> list[dict[str, Any]]:
        query = {"token": token, "last": str(last)}
        async with api.session.get(f"{api.url}/inbox/poll", params=query) as answer:
            return [json.loads(line) for line in (await answer.text()).splitlines()]

    assert [said["id"] for said in await poll(0)] == [1, 2]
    waiting = asyncio.create_task(poll(2))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await api.done("POST", "/v1/notifications", notification(user))
    assert [said["id"] for said in await ended(waiting)] == [3]


@pytest.mark.parametrize("path", ["socket", "stream", "poll", "counts", ""])
async def test_nobody_looks_into_anothers_inbox(api: Api, path: str) -> None:
    for token in ("", "forged", await token_of(api, "ann") + "x"):
        url = f"{api.url}/inbox/{path}".rstrip("/")
        async with api.session.get(url, params={"token": token}) as answer:
            assert answer.status == 401


async def test_presence_comes_and_goes_with_the_socket(api: Api) -> None:
    user = await person(api)
    async with socket(api, user, device="laptop") as client:
        await client.next()
        await until_online(api, user, expected=True)
    await until_online(api, user, expected=False)


async def until_online(api: Api, user: str, *, expected: bool) -> None:
    await until_told(
        lambda: api.done("GET", f"/v1/users/{user}"), lambda known: known["online"] is expected
    )


@pytest.mark.parametrize("role", ["web", "inapp"])
async def test_a_killed_process_costs_nobody_a_message(api: Api, role: str) -> None:
    """`kill -9` while notifications flow: after coming back, each is shown once and in order."""
    user = await person(api)
    sending = asyncio.create_task(send_patiently(api, user, 40))
    seen: list[int] = []
    killed = False
    async with in_time():
        while len(seen) < 40:
            try:
                last = {"last": str(seen[-1])} if seen else {"last": "0"}
                async with socket(api, user, **last) as client:
                    while len(seen) < 40:
                        seen += await client.items(1)
                        if len(seen) >= 10 and not killed:
                            killed = True
                            await api.house.worker_of(role).kill()
            except (aiohttp.ClientError, TypeError, TimeoutError, AssertionError):
                await asyncio.sleep(0.2)
    await sending
    assert seen == list(range(1, 41))
    await send_patiently(api, user, 1)  # all may be seen before the process is back


async def send_patiently(api: Api, user: str, count: int) -> None:
    for number in range(count):
        body = notification(user, id=f"{user}-{number}", actor=f"actor-{number}")
        while True:
            try:
                status, _ = await api.call("POST", "/v1/notifications", body)
                if status == 202:
                    break
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.2)


async def test_a_slow_client_is_told_to_fetch_once(api: Api) -> None:
    """What waits for it is bounded, whoever is slow; the others get everything."""
    user = await person(api)
    whose = Subscriber("acme", user)
    async with Owners(api.house.settings) as owners, Hub(api.house.settings) as hub:
        slow, quick = hub.listen(whose), hub.listen(whose)
        assert slow is not None
        assert quick is not None
        streams = [Stream(hub, owners, whose, each) for each in (slow, quick)]
        for stream in streams:
            await stream.begin(None)
        count = WAITING + 20
        for number in range(1, count + 1):
            slow.put(live(user, number))
        said = streams[0].messages()
        first = message(await anext(said))
        assert (first.kind, first.id, first.position) == ("fetch", WAITING + 1, "inbox-changes:1")
        assert first.counts.unread == WAITING + 1
        rest = [message(await anext(said)) for _ in range(WAITING + 2, count + 1)]
        assert [(each.kind, each.id) for each in rest] == [
            ("item", number) for number in range(WAITING + 2, count + 1)
        ]
        for stream in streams:
            stream.end()


def live(user: str, number: int) -> Live[Raw]:
    """That the item of this number came, of an inbox where nothing is read."""
    counts = InboxCounts(unread=number, unseen=number, last=number)
    said = Message("item", number, counts, "inbox-changes:1")
    return Live(user=user, tenant="acme", id=number, message=Raw(msgspec.json.encode(said)))


def message(said: Said) -> Message:
    found = msgspec.json.decode(said.text, type=Message)
    assert found.id == said.id
    return found


async def test_what_goes_straight_overtakes_nothing(api: Api) -> None:
    """A client with no room for a moment gets all in order, what waited for it first."""
    user = await person(api)
    whose = Subscriber("acme", user)
    async with Owners(api.house.settings) as owners, Hub(api.house.settings) as hub:
        listener = hub.listen(whose)
        assert listener is not None
        stream = Stream(hub, owners, whose, listener)
        await stream.begin(None)
        sent: list[int] = []
        has_room = True

        def take(text: bytes) -> None:
            sent.append(msgspec.json.decode(text, type=Message).id)

        def send(text: bytes) -> bool:
            if has_room:
                take(text)
            return has_room

        async def rest() -> None:
            async for said in stream.messages():
                take(said.text)

        stream.go_straight(send)
        listener.put(live(user, 1))  # nobody empties the queue yet
        sending = asyncio.create_task(rest())
        for number in range(2, 41):
            if number % 5 == 0:
                has_room = not has_room
            listener.put(live(user, number))
            listener.put(live(user, number - 1))  # told again
            if number % 7 == 0:
                await asyncio.sleep(0)
        await until(lambda: len(sent) >= 40)
        assert sent == list(range(1, 41))
        has_room = True
        listener.put(live(user, 41))
        assert sent[-1] == 41  # at once
        sending.cancel()
        stream.end()


async def test_who_was_erased_is_told_and_hears_of_what_comes_then(api: Api) -> None:
    user = await person(api)
    async with socket(api, user) as client:
        await send(api, user, 2)
        assert await client.items(2) == [1, 2]
        await api.done("DELETE", f"/v1/users/{user}")
        while (said := await client.next())["kind"] != "counts":
            pass
        assert (said["id"], said["counts"]["unread"]) == (0, 0)
        await api.done("PUT", f"/v1/users/{user}/contacts", {"email": "new@example.com"})
        await send(api, user, 1)
        assert await client.items(1) == [1]


async def test_a_user_has_so_many_sockets(api: Api) -> None:
    user = await person(api)
    whose = Subscriber("acme", user)
    async with Hub(api.house.settings) as hub:
        listeners = [hub.listen(whose) for _ in range(MOST_SOCKETS)]
        assert None not in listeners
        assert hub.listen(whose) is None
        assert hub.listen(Subscriber("globex", user)) is not None


async def test_while_kafka_is_away_nothing_is_promised_and_then_all_goes_on(api: Api) -> None:
    user = await person(api)
    async with socket(api, user) as client:
        await client.next()
        # From now on, as pings are answered by who reads; however long Kafka is away.
        coming = asyncio.create_task(client.items(3, read=client.socket.receive_json))
        await api.house.kafka.kill()
        status, problem = await api.call("POST", "/v1/notifications", notification(user))
        assert (status, problem["title"]) == (503, "Tocsin can't take it now")
        body = {"email": "new@example.com"}
        headers = {"Authorization": f"Bearer {api.keys['acme']}"}
        path = f"{api.url}/v1/users/{user}/contacts"
        async with api.session.put(path, json=body, headers=headers) as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
        await api.house.kafka.start()
        await send_patiently(api, user, 3)
        assert await ended(coming) == [1, 2, 3]
