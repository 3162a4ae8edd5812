"""Who is handed what comes from `live`, and what becomes of a slow client; without a broker."""

import asyncio
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from schemas.inbox import InboxCounts, Live, Message
from tests.web.caller import settings
from web.gateway.hub import MOST_SOCKETS, WAITING, Hub, Listener
from web.gateway.token import Subscriber

ANN, BOB = Subscriber("acme", "ann"), Subscriber("acme", "bob")


def live(number: int, user: str = "ann", tenant: str = "acme", position: str = "") -> Live[Any]:
    counts = InboxCounts(unread=0, unseen=0, last=number)
    where = position or f"contacts:{number}"
    message = Message(kind="item", id=number, counts=counts, position=where)
    return Live(user=user, tenant=tenant, id=number, message=message)


def raw(number: int) -> Live[Raw]:
    return Live(user="ann", id=number, message=Raw(b"{}"))


def record(*lives: Live[Any]) -> bytes:
    return b"\n".join(map(msgspec.json.encode, lives))


@pytest.fixture
async def hub() -> Hub:
    return Hub(settings())


async def heard(listener: Listener) -> list[int]:
    """The ids that wait, which are taken."""
    found = []
    while True:
        try:
            async with asyncio.timeout(0.01):
                found.append((await listener.get()).id)
        except TimeoutError:
            return found


async def test_only_whose_inbox_it_is_is_handed_a_message(hub: Hub) -> None:
    listeners = [hub.listen(who) for who in (ANN, ANN, BOB, Subscriber("globex", "ann"))]
    hub._hand_on(record(live(1), live(2, "bob"), live(3), live(4, tenant="globex")))
    assert [await heard(each) for each in listeners if each] == [[1, 3], [1, 3], [2], [4]]


async def test_who_left_hears_no_more(hub: Hub) -> None:
    stays, leaves = hub.listen(ANN), hub.listen(ANN)
    assert stays and leaves
    hub.leave(ANN, leaves)
    hub._hand_on(record(live(1)))
    assert (await heard(stays), await heard(leaves)) == ([1], [])


async def test_a_user_has_so_many_listeners_at_once(hub: Hub) -> None:
    listeners = [hub.listen(ANN) for _ in range(MOST_SOCKETS + 2)]
    assert [each is not None for each in listeners] == [True] * 20 + [False] * 2
    assert hub.listen(BOB) is not None
    first = listeners[0]
    assert first
    hub.leave(ANN, first)
    assert hub.listen(ANN) is not None
    assert hub.listen(ANN) is None


async def test_what_an_inbox_must_have_is_the_farthest_of_what_was_handed_on(hub: Hub) -> None:
    assert hub.done(ANN) == {}
    hub._hand_on(record(live(1, position="contacts:9"), live(2, position="contacts:5")))
    # Of one record the last line's counts.
    assert hub.done(ANN) == {"contacts": 5}
    hub._hand_on(record(live(3, position="contacts:3")))
    hub._hand_on(record(live(4, "bob", position="devices:8")))
    assert hub.done(ANN) == {"contacts": 5, "devices": 8}
    hub.done(ANN)["contacts"] = 0
    assert hub.done(ANN)["contacts"] == 5


async def test_a_client_that_is_not_read_loses_all_at_once_and_is_behind() -> None:
    listener = Listener()
    behind = []
    for number in range(WAITING + 1):
        listener.put(raw(number))
        behind.append(listener.is_behind)
    assert behind == [False] * 100 + [True]
    assert await heard(listener) == [100]


class Straight:
    """A client that takes messages at once, as long as it has room."""

    def __init__(self, listener: Listener) -> None:
        self.taken: list[int] = []
        self.has_room = True
        listener.straight = self

    def __call__(self, message: Live[Raw]) -> bool:
        if self.has_room:
            self.taken.append(message.id)
        return self.has_room


async def test_while_a_client_waits_a_message_goes_straight() -> None:
    listener = Listener()
    straight = Straight(listener)
    listener.put(raw(1))  # nobody waits yet
    assert straight.taken == []
    assert (await listener.get()).id == 1
    waiting = asyncio.create_task(listener.get())
    await asyncio.sleep(0)
    listener.put(raw(2))
    listener.put(raw(3))
    assert (straight.taken, waiting.done()) == ([2, 3], False)
    # What follows one that had no room must not overtake it.
    straight.has_room = False
    listener.put(raw(4))
    straight.has_room = True
    listener.put(raw(5))
    assert straight.taken == [2, 3]
    assert (await waiting).id == 4
    assert await heard(listener) == [5]
