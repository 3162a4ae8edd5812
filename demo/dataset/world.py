"""The world of the demo: 20,000 people and who follows whom, the same for the same seed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from demo.dataset.graph import follower_graph
from demo.dataset.people import Record, contacts, preferences

USERS = 20_000
SEED = 7
READ_FROM = 1000
"""Followers from which on posts are read by feeds and not written: the documented default."""
JOINED = "2026-01-01T00:00:00Z"
BLOCKED_BY = 0.01
"""The share of the follows in which the follower has blocked the other since."""
LEFT = ("social", "push")
LEFT_BY = 0.02
"""Which category on which channel this share of the people left by one click."""


@dataclass(frozen=True)
class World:
    """Everything that is known of everybody before anything happens.

    `contacts` has a record for each user, `preferences` only for those who set any;
    `followers` lists the followers of those who have some. `unsubscribed` are categories and
    channels that a user left by one click in an earlier message. `blocks` are the actors of whom
    a user wants to hear nothing.
    """

    users: tuple[str, ...]
    contacts: dict[str, Record]
    preferences: dict[str, Record]
    followers: dict[str, list[str]]
    unsubscribed: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    blocks: dict[str, set[str]] = field(default_factory=dict)

    def follows(self) -> Iterator[Record]:
        """Every follow as the topic `follows` documents it."""
        for followee, followers in self.followers.items():
            for follower in followers:
                yield {"follower": follower, "followee": followee, "at": JOINED}

    def subscriptions(self) -> Iterator[Record]:
        """Every click as it stands in the topic `suppressions`."""
        for user, left in self.unsubscribed.items():
            for category, channel in sorted(left):
                said = {"user": user, "category": category, "channel": channel, "at": JOINED}
                yield {"kind": "subscription", **said}

    def block_records(self) -> Iterator[Record]:
        """Every block as the topic `blocks` documents it."""
        for user, actors in self.blocks.items():
            for actor in sorted(actors):
                yield {"user": user, "actor": actor, "at": JOINED}

    def follow_count(self) -> int:
        """How many follows there are."""
        return sum(map(len, self.followers.values()))

    def is_read(self, actor: str) -> bool:
        """Whether the actor's posts are left for feeds to read."""
        return len(self.followers.get(actor, ())) >= READ_FROM


def make_world(seed: int = SEED, count: int = USERS) -> World:
    """`count` people; pure, and takes about a second for 20,000."""
    random = Random(seed)  # noqa: S311 - repeatable, not secret
    users = tuple(f"user-{number:05d}" for number in range(count))
    reached = {user: contacts(user, number, random) for number, user in enumerate(users)}
    drawn = ((user, preferences(user, random)) for user in users)
    wanted = {user: record for user, record in drawn if record is not None}
    followers = follower_graph(users, random)
    return World(
        users=users,
        contacts=reached,
        preferences=wanted,
        followers=followers,
        unsubscribed={user: {LEFT} for user in users if random.random() < LEFT_BY},
        blocks=_blocks(followers, random),
    )


def _blocks(followers: dict[str, list[str]], random: Random) -> dict[str, set[str]]:
    """Some block somebody whom they follow all the same: then nothing of theirs comes."""
    blocks: dict[str, set[str]] = {}
    for followee, them in followers.items():
        for follower in them:
            if random.random() < BLOCKED_BY:
                blocks.setdefault(follower, set()).add(followee)
    return blocks
