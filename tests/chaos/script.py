"""What a test's producer will write: people who differ in what they want, and events for them.

What must come of each event is for the judge of `demo.verify` to work out, from these records.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from demo.dataset.people import Record
from demo.dataset.world import World
from demo.produce.producer_log import Claim

ORDERS_EACH = 8
"""Orders for one customer: below the ten an hour that the rate limit lets through."""
CHATS_EACH = 40
FOLLOWERS = 2
JOINED = "2026-01-01T00:00:00Z"
KINDS = ("order", "chat", "order", "chat", "post")
QUIET = timedelta(hours=4)
"""Longer than a chat message lives, and shorter than an order's news does."""
WISHES = 8
"""Of so many people one opted out, one left by one click, and one is in quiet hours."""
Written = tuple[str, str, bytes]
"""Topic, key, value."""


def quiet_hours(now: datetime) -> Record:
    """A span by the clock of UTC that holds `now` and ends `QUIET` later."""
    now = now.astimezone(UTC)
    return {"start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + QUIET:%H:%M}"}


@dataclass(frozen=True)
class Script:
    """`most` events at most, under ids that begin with `name`; some people are quiet from `now` on.

    Most people get fewer notifications than the rate limit lets through. One follows everybody
    and would get far more. Every eighth opted out of social and chat messages, another eighth left
    them by one click.
    """

    name: str
    most: int
    now: datetime

    def people(self) -> Iterator[Written]:
        """Contacts, wishes and follows, to be known before the first event."""
        world = self.world
        yield from (_record("contacts", user, it) for user, it in world.contacts.items())
        yield from (_record("preferences", user, it) for user, it in world.preferences.items())
        yield from (_record("follows", it["followee"], it) for it in world.follows())
        yield from (_record("suppressions", it["user"], it) for it in world.subscriptions())
        yield from (_record("blocks", it["user"], it) for it in world.block_records())

    @cached_property
    def world(self) -> World:
        """Everything about everybody."""
        authors = self._users("post")
        fan_of_all = f"{self.name}-fan-of-all"
        followers = {
            author: [*(f"{author}-fan-{number}" for number in range(FOLLOWERS)), fan_of_all]
            for author in authors
        }
        fans = dict.fromkeys(fan for them in followers.values() for fan in them)
        users = (*self._users("order"), *self._users("chat"), *fans)
        # Of what the fan of all gets in quiet hours, more would wait than is kept of one user.
        wishing = [user for user in users if user != fan_of_all]
        return World(
            users=users,
            contacts={user: _contacts(user) for user in users},
            preferences={user: wish for user in wishing if (wish := self._wish(user))},
            followers=followers,
            unsubscribed={
                user: {("social", "push"), ("chat", "push")} for user in users if _rank(user) == 1
            },
        )

    def event(self, number: int, at: str) -> Written:
        """The event with this number, which happened at `at`."""
        kind, who = KINDS[number % len(KINDS)], self._who(number)
        name, actor, data = self.event_id(number), f"actor-{number % 97}", {}
        match kind:
            case "order":
                event_type = "order.shipped"
                data = {
                    "customer_id": who,
                    "order_id": name,
                    "carrier": "DHL",
                    "tracking_number": f"T{number}",
                }
            case "chat":
                event_type = "chat.message"
                data = {"recipient_id": who, "conversation_id": name, "sender_name": actor}
                data["text"] = f"Message {name}"
            case _:
                event_type, actor = "post.published", who
                data = {"post_id": name, "author_name": who, "text": f"Post {name}"}
        event = {"id": name, "type": event_type, "actor": actor, "occurred_at": at, "data": data}
        return _record("events", actor, event)

    def claim(self, number: int, happened: str, at: int) -> Claim:
        """What the producer knows of the event that Kafka took at `at` (epoch ms)."""
        _, _, value = self.event(number, happened)
        return Claim(**json.loads(value), at=at)

    def event_id(self, number: int) -> str:
        """The id of the event with this number."""
        return f"{self.name}-{number:06d}"

    def _wish(self, user: str) -> Record | None:
        match _rank(user):
            case 2:
                off = {"push": False}
                return {"user": user, "categories": {"social": off, "chat": off}}
            case 3:
                return {"user": user, "quiet_hours": [quiet_hours(self.now)]}
        return None

    def _count(self, kind: str) -> int:
        each = CHATS_EACH if kind == "chat" else ORDERS_EACH
        return int(self.most * KINDS.count(kind) / len(KINDS) / each) + 1

    def _users(self, kind: str) -> list[str]:
        return [f"{self.name}-{kind}-{number}" for number in range(self._count(kind))]

    def _who(self, number: int) -> str:
        """The users take turns, so that every partition is busy all the time."""
        turn, place = divmod(number, len(KINDS))
        kind = KINDS[place]
        rank = turn * KINDS.count(kind) + KINDS[:place].count(kind)
        return f"{self.name}-{kind}-{rank % self._count(kind)}"


def _record(topic: str, key: str, value: dict[str, Any]) -> Written:
    return topic, key, json.dumps(value).encode()


def _rank(user: str) -> int:
    return zlib.crc32(user[::-1].encode()) % WISHES


def _contacts(user: str) -> Record:
    number = zlib.crc32(user.encode())
    devices = [{"token": f"{user}:{device}"} for device in range(1 + (number % 4 == 0))]
    reach = {"user": user, "devices": devices, "zone": "UTC", "locale": "en"}
    return reach | {"email": f"{user}@mail.example", "phone": f"+1{number:010d}"}
