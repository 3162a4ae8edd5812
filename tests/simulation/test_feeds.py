"""Whoever crosses the fan-out threshold up and down, each post is once in each feed, in order."""

import os
from collections.abc import Mapping
from random import Random
from typing import TypeVar

import msgspec
import pytest
from msgspec import Struct

from policy.time.timestamps import moment
from schemas.event import Event
from schemas.feed import FeedItem
from schemas.topics import EVENTS
from tests.simulation.roles import NOW, Roles
from tests.simulation.test_simulation import FIRST
from web.feed import FeedQuery, read_feed
from web.gateway.token import Subscriber

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "50"))
IN_ONE_TEST = 25
THRESHOLD = 2
USERS, ACTORS = ("ada", "bob", "cat"), ("eve", "ada", "dan")
Answer = TypeVar("Answer")


class Feeds:
    """Actors who post, and those who follow them and read."""

    def __init__(self) -> None:
        self.roles = Roles(fan_out_threshold=THRESHOLD)

    async def ask(
        self,
        role: str,
        user: str,
        question: Struct,
        kind: type[Answer],
        after: Mapping[str, int] | None = None,
    ) -> Answer:
        """What a role answers, as `web.feed` asks it."""
        handler = self.roles.decider if role == "decider" else self.roles.inapp
        return msgspec.json.decode(await handler.answer(msgspec.json.encode(question)), type=kind)

    async def read(self, user: str, limit: int = 20) -> list[FeedItem]:
        """The whole feed, by pages."""
        found: list[FeedItem] = []
        before = None
        while True:
            query = FeedQuery(before=before, limit=limit)
            page = await read_feed(self, Subscriber("default", user), query, {})
            assert len(page.items) <= limit
            found += page.items
            if page.next is None:
                return found
            assert before is None or page.next < before
            before = page.next

    async def follow(self, follower: str, followee: str, *, following: bool = True) -> None:
        """Have one follow the other from now on, or no longer."""
        await self.roles.follow(follower, followee, following=following)
        await self.roles.settle()

    async def post(self, actor: str, name: str, key: str | None = None) -> None:
        """Have an actor post; what is posted under a key says the key."""
        text = f"{actor}/{key or name}"
        await self.roles.say(
            EVENTS,
            Event(
                id=name,
                type="post.published",
                actor=actor,
                occurred_at=moment(NOW),
                data={"text": text},
                idempotency_key=key,
            ),
        )
        await self.roles.settle()


@pytest.mark.parametrize(
    "tries",
    [
        (("try-1", "post-7"), ("try-2", "post-7")),
        (("try-1", "post-7"), ("post-7", None)),
        (("post-7", None), ("try-2", "post-7")),
        (("post-7", None), ("post-7", None)),
    ],
)
@pytest.mark.parametrize("is_read_first", [False, True])
async def test_what_counts_once_is_once_in_the_feed_on_both_sides_of_the_threshold(
    tries: tuple[tuple[str, str | None], ...], is_read_first: bool
) -> None:
    feeds = Feeds()
    await feeds.follow("ada", "eve")
    if is_read_first:
        await feeds.follow("bob", "eve")
    await feeds.post("eve", *tries[0])
    await feeds.follow("bob", "eve", following=not is_read_first)
    feeds.roles.clock.at += 1000
    await feeds.post("eve", *tries[1])
    assert [item.body for item in await feeds.read("ada")] == ["eve/post-7"]


async def test_another_key_is_another_post() -> None:
    feeds = Feeds()
    await feeds.follow("ada", "eve")
    await feeds.post("eve", "try-1", "post-7")
    await feeds.follow("bob", "eve")
    feeds.roles.clock.at += 1
    await feeds.post("eve", "try-2", "post-8")
    assert [item.body for item in await feeds.read("ada")] == ["eve/post-8", "eve/post-7"]


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, IN_ONE_TEST))
async def test_each_is_there_once_in_order_on_pages_of_any_size(first: int) -> None:
    for seed in range(first, first + IN_ONE_TEST):
        await walk(Random(seed))


def author_of(text: str) -> str:
    """Whose post it is, which its text begins with."""
    return text.partition("/")[0]


async def walk(draw: Random) -> None:
    """Follow, unfollow and post at random, then compare each feed with a plain list."""
    feeds = Feeds()
    follows: set[tuple[str, str]] = set()
    written: list[tuple[str, str]] = []
    posted: list[tuple[str, str]] = []
    for number in range(draw.randrange(5, 40)):
        feeds.roles.clock.at += draw.choice([0, 0, 1])
        actor = draw.choice(ACTORS)
        if draw.random() < 0.4:
            edge = draw.choice(USERS), actor
            is_new = draw.random() < 0.7
            follows = follows | {edge} if is_new else follows - {edge}
            await feeds.follow(*edge, following=is_new)
            continue
        await feeds.post(actor, f"p{number}")
        fans = [user for user, followee in follows if followee == actor]
        if len(fans) < THRESHOLD:
            written += [(user, f"{actor}/p{number}") for user in fans]
        else:
            posted.append((actor, f"{actor}/p{number}"))
    for user in USERS:
        # Nobody is shown what they posted themselves.
        expected = [text for whose, text in written if whose == user and user != author_of(text)]
        expected += [text for actor, text in posted if (user, actor) in follows and user != actor]
        for limit in (1, 2, 3, 100):
            items = await feeds.read(user, limit)
            assert sorted(item.body for item in items) == sorted(expected)
            ids = [item.id for item in items]
            assert ids == sorted(ids, reverse=True)
