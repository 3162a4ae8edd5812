"""What one client is sent: what it missed, then what comes, in order and each once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from schemas.inbox import Message, Page, ReadInbox
from tests.patience import in_time
from tests.web.caller import settings
from tests.web.desk import Asked
from tests.web.gateway.line import ANN, counts, item, live, page, record
from web.gateway.hub import Hub, Listener
from web.gateway.stream import MOST_MISSED, Said, Stream, said


class Talk:
    """A stream of Ann's, the hub behind it, and whoever is asked for her inbox."""

    def __init__(self) -> None:
        self.hub = Hub(settings())
        self.owners = Asked()
        listener = self.hub.listen(ANN)
        assert isinstance(listener, Listener)
        self.stream = Stream(self.hub, self.owners, ANN, listener)
        self._messages: Any = self.stream.messages()

    async def begin(self, last: int | None, answer: Page) -> list[Message]:
        """What it begins with, where the inbox answers this."""
        self.owners.answer = answer
        return await self.stream.begin(last)

    def comes(self, *numbers: int, is_item: bool = True) -> None:
        """Items of these numbers, or changes of states, in a record each."""
        for number in numbers:
            self.hub._hand_on(record(live(number, is_item=is_item)))

    async def next(self) -> Message:
        """What is sent next."""
        async with in_time():
            found: Said = await anext(self._messages)
        message = msgspec.json.decode(found.text, type=Message)
        assert message.id == found.id
        return message


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    made = Talk()
    yield made
    await made._messages.aclose()


def messages(kind: str, *numbers: int, last: int | None = None) -> list[Message]:
    return [
        Message(
            kind,  # type: ignore[arg-type]
            number,
            counts(number if last is None else last),
            item=item(number) if kind == "item" else None,
        )
        for number in numbers
    ]


@pytest.mark.parametrize(
    ("last", "answer", "expected"),
    [
        (None, page(0), messages("counts", 0)),
        (None, page(7, 7, after=7), messages("counts", 7)),
        (7, page(7), messages("counts", 7)),
        (0, page(0), messages("counts", 0)),
        (5, page(7, 6, 7), messages("item", 6, 7, last=7)),
        # A number that was never given: the inbox was erased since.
        (8, page(7), messages("counts", 7)),
        (1, page(101, *range(2, 102)), messages("item", *range(2, 102), last=101)),
        (0, page(101, *range(1, 101), after=100), messages("fetch", 101)),
        (0, page(101, *range(2, 102)), messages("fetch", 101)),
    ],
)
async def test_what_it_begins_with(
    talk: Talk, last: int | None, answer: Page, expected: list[Message]
) -> None:
    assert MOST_MISSED == 100
    assert await talk.begin(last, answer) == expected


@pytest.mark.parametrize(("last", "limit"), [(None, 1), (0, 100), (7, 100)])
async def test_what_is_asked_of_the_inbox(talk: Talk, last: int | None, limit: int) -> None:
    talk.comes(3)
    await talk.begin(last, page(7))
    asked = ReadInbox(tenant="acme", user="ann", which="all", since=last, limit=limit)
    # What was handed on before must be in the inbox that is read.
    assert talk.owners.asked == [("inapp", "ann", asked, {"contacts": 3})]


async def test_what_follows_is_sent_as_it_is(talk: Talk) -> None:
    await talk.begin(None, page(7))
    talk.comes(8)
    talk.comes(8, is_item=False)
    talk.comes(9)
    found = [await talk.next() for _ in range(3)]
    assert [(each.kind, each.id, each.position) for each in found] == [
        ("item", 8, "contacts:8"),
        ("counts", 8, "contacts:8"),
        ("item", 9, "contacts:9"),
    ]


async def test_what_is_known_is_not_sent_again(talk: Talk) -> None:
    await talk.begin(None, page(7))
    talk.comes(6, 7, 8, 8, 7, 9)
    assert [(await talk.next()).id for _ in range(2)] == [8, 9]
    assert len(talk.owners.asked) == 1


@pytest.mark.parametrize(
    ("numbers", "is_item"), [([9], True), ([9], False)], ids=["an item", "states"]
)
async def test_where_something_lies_between_it_is_read(
    talk: Talk, numbers: list[int], is_item: bool
) -> None:
    await talk.begin(None, page(7))
    talk.owners.answer = page(9, 8, 9)
    talk.comes(*numbers, is_item=is_item)
    assert [await talk.next() for _ in range(2)] == messages("item", 8, 9, last=9)
    role, user, asked, after = talk.owners.asked[-1]
    assert (role, user, after) == ("inapp", "ann", {"contacts": 9})
    assert isinstance(asked, ReadInbox)
    assert (asked.since, asked.limit) == (7, 100)
    talk.comes(9, 10)
    assert (await talk.next()).id == 10


async def test_after_an_erasure_numbers_begin_anew(talk: Talk) -> None:
    await talk.begin(None, page(7))
    talk.owners.answer = page(0)
    talk.comes(0, is_item=False)
    assert await talk.next() == messages("counts", 0)[0]
    talk.comes(1)
    assert (await talk.next()).id == 1


async def test_who_is_behind_is_told_to_fetch_once(talk: Talk) -> None:
    await talk.begin(None, page(7))
    talk.comes(*range(8, 8 + 101))
    found = await talk.next()
    # The newest of them, with where the inbox has it.
    assert found == Message("fetch", 108, counts(108), "contacts:108")
    talk.comes(109)
    assert (await talk.next()).kind == "item"


async def test_what_follows_goes_straight_while_the_client_has_room(talk: Talk) -> None:
    straight: list[bytes] = []
    room = [True]

    def send(text: bytes) -> bool:
        if room[0]:
            straight.append(text)
        return room[0]

    await talk.begin(None, page(7))
    talk.stream.go_straight(send)
    waiting = asyncio.create_task(talk.next())
    await asyncio.sleep(0)
    talk.comes(7, 8)
    assert straight == []  # the first is known, so the second may not overtake it
    assert (await waiting).id == 8
    waiting = asyncio.create_task(talk.next())
    await asyncio.sleep(0)
    talk.comes(9, 10)
    assert [msgspec.json.decode(text)["id"] for text in straight] == [9, 10]
    room[0] = False
    talk.comes(11)
    assert (await waiting).id == 11
    assert len(straight) == 2


async def test_who_left_is_handed_nothing(talk: Talk) -> None:
    await talk.begin(None, page(7))
    talk.stream.end()
    assert talk.hub._listeners == {}


def test_a_message_has_no_more_than_there_is() -> None:
    assert said(messages("counts", 7)[0]) == Said(
        7, b'{"kind":"counts","id":7,"counts":{"unread":7,"unseen":7,"last":7}}'
    )
