"""What the decider is told of who has the app open."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from schemas.topics import PRESENCE
from tests.web.caller import Memory, memory, settings
from tests.web.desk import desk_of
from web.gateway import presence
from web.gateway.presence import PresenceTracker
from web.gateway.token import Subscriber

ANN, BOB = Subscriber("acme", "ann"), Subscriber("globex", "bob")
NOW, NOW_SHOWN = 1_753_000_000_000, "2025-07-20T08:26:40Z"
END_SHOWN = "2025-07-20T08:29:10Z"
"""150 seconds later."""


@pytest.fixture
def topics() -> Memory:
    return memory()


@pytest.fixture
async def here(topics: Memory) -> PresenceTracker:
    return PresenceTracker(desk_of(topics, settings(), NOW))


def said(topics: Memory) -> list[tuple[Any, ...]]:
    fields = ("tenant", "user", "device", "online", "until")
    return [tuple(record[name] for name in fields) for record in topics.said(PRESENCE)]


async def test_the_first_connection_of_a_device_is_told_and_the_last(
    here: PresenceTracker, topics: Memory
) -> None:
    await here.came(ANN, "phone")
    assert said(topics) == [("acme", "ann", "phone", True, END_SHOWN)]
    await here.came(ANN, "phone")
    await here.went(ANN, "phone")
    assert len(said(topics)) == 1
    await here.went(ANN, "phone")
    assert said(topics)[1:] == [("acme", "ann", "phone", False, NOW_SHOWN)]


async def test_devices_and_users_are_apart(here: PresenceTracker, topics: Memory) -> None:
    await here.came(ANN, "phone")
    await here.came(ANN, "laptop")
    await here.came(BOB, "phone")
    await here.went(ANN, "laptop")
    assert [(user, device, online) for _, user, device, online, _ in said(topics)] == [
        ("ann", "phone", True),
        ("ann", "laptop", True),
        ("bob", "phone", True),
        ("ann", "laptop", False),
    ]


async def test_who_was_never_here_does_not_leave(here: PresenceTracker, topics: Memory) -> None:
    await here.went(ANN, "phone")
    assert said(topics) == []
    await here.came(ANN, "phone")
    assert len(said(topics)) == 1


async def test_at_the_end_everybody_leaves_once(here: PresenceTracker, topics: Memory) -> None:
    here.start()
    await here.came(ANN, "phone")
    await here.came(BOB, "phone")
    await here.close()
    await here.close()
    assert [(user, online) for _, user, _, online, _ in said(topics)[2:]] == [
        ("ann", False),
        ("bob", False),
    ]


async def test_a_socket_goes_on_while_kafka_is_away(here: PresenceTracker, topics: Memory) -> None:
    topics.is_away = True
    await here.came(ANN, "phone")
    topics.is_away = False
    await here.went(ANN, "phone")
    assert [online for *_, online, _ in said(topics)] == [False]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(presence, "RENEW", 0.001)
    yield


async def test_who_stays_is_told_of_again(
    here: PresenceTracker, topics: Memory, quick: None
) -> None:
    await here.came(ANN, "phone")
    here.start()
    async with asyncio.timeout(60):
        while len(said(topics)) < 3:  # noqa: ASYNC110 - it is told by a task
            await asyncio.sleep(0.001)
    await here.close()
    assert set(said(topics)[:-1]) == {("acme", "ann", "phone", True, END_SHOWN)}


def test_the_end_is_put_off_before_it_comes() -> None:
    """Twice at least, so that one that is lost costs nothing."""
    assert presence.HOLDS_MS >= 2 * presence.RENEW * 1000
