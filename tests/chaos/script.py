"""What a test's producer will write, and what must come of each event; the same for one name."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from embedded.simulators.accept_log import Accepted, digest_of
from policy.identity import delivery_id, notification_id
from schemas.vocabulary import Channel
from tests.chaos.witness import Key

ORDERS_EACH = 8
"""Orders for one customer: below the ten an hour that the rate limit lets through."""
CHATS_EACH = 40
FOLLOWERS = 2
JOINED = "2026-01-01T00:00:00Z"
KINDS = ("order", "chat", "order", "chat", "post")
Record = tuple[str, str, bytes]
"""Topic, key, value."""


@dataclass(frozen=True)
class Script:
    """`most` events at most, under ids that begin with `name`.

    No user gets more than the rate limit lets through, so that nothing is suppressed that a
    loss could hide behind.
    """

    name: str
    most: int

    def people(self) -> Iterator[Record]:
        """Contacts and follows, to be known before the first event."""
        for user in [*self._users("order"), *self._users("chat")]:
            yield _record("contacts", user, self._contacts(user))
        for author in self._users("post"):
            for follower in _followers(author):
                follow = {"follower": follower, "followee": author, "at": JOINED}
                yield _record("contacts", follower, self._contacts(follower))
                yield _record("follows", author, follow)

    def event(self, number: int, at: str) -> Record:
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

    def event_id(self, number: int) -> str:
        """The id of the event with this number."""
        return f"{self.name}-{number:06d}"

    def expected(self, number: int) -> Iterator[tuple[str, Key, str]]:
        """Delivery id, key and proof of each message that event `number` must lead to."""
        kind, who, name = KINDS[number % len(KINDS)], self._who(number), self.event_id(number)
        match kind:
            case "order":
                push = digest_of(f"DHL has picked up order {name}.")
                sms = digest_of(f"Order {name} is on its way: DHL T{number}")
                for token in _tokens(who):
                    yield _message(name, "order_shipped", who, Channel.PUSH, token, push)
                title = f"Order {name} is on its way"
                yield _message(name, "order_shipped", who, Channel.EMAIL, _email(who), title)
                yield _message(name, "order_shipped", who, Channel.SMS, _phone(who), sms)
            case "chat":
                text = digest_of(f"Message {name}")
                for token in _tokens(who):
                    yield _message(name, "chat_message", who, Channel.PUSH, token, text)
            case _:
                text = digest_of(f"Post {name}")
                for user in _followers(who):
                    for token in _tokens(user):
                        yield _message(name, "post_published", user, Channel.PUSH, token, text)

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

    def _contacts(self, user: str) -> dict[str, Any]:
        devices = [{"token": token} for token in _tokens(user)]
        return {"user": user, "devices": devices, "email": _email(user), "phone": _phone(user)}


def proof(line: Accepted) -> str:
    """What shows in the accept log that the right text went out: the body, or an e-mail's title."""
    return line.title if line.channel is Channel.EMAIL else line.digest


def _message(
    event: str, kind: str, user: str, channel: Channel, address: str, text: str
) -> tuple[str, Key, str]:
    name = notification_id("default", event, user, kind)
    return delivery_id(name, channel, address), Key(event, user, str(channel), address), text


def _record(topic: str, key: str, value: dict[str, Any]) -> Record:
    return topic, key, json.dumps(value).encode()


def _followers(author: str) -> list[str]:
    return [f"{author}-fan-{number}" for number in range(FOLLOWERS)]


def _tokens(user: str) -> list[str]:
    return [f"{user}:{device}" for device in range(1 + (zlib.crc32(user.encode()) % 4 == 0))]


def _email(user: str) -> str:
    return f"{user}@mail.example"


def _phone(user: str) -> str:
    return f"+1{zlib.crc32(user.encode()):010d}"
