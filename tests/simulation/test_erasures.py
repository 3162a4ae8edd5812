"""Who was erased is as if nothing of before had ever been, and all of since is there."""

import os
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import NamedTuple

import pytest
from msgspec import Struct

from policy.time.timestamps import moment
from schemas.erasure import Erasure, Withdrawal
from schemas.event import Event
from schemas.feedback import Suppression
from schemas.follow import Follow
from schemas.profile import Contacts, Preferences
from schemas.topics import (
    CONTACTS,
    DELIVER,
    ERASURES,
    EVENTS,
    FOLLOWS,
    PREFERENCES,
    SUPPRESSIONS,
    WITHDRAWALS,
    Topic,
)
from schemas.vocabulary import Channel, Priority, SuppressionReason
from tables.erasure_filter import ERASING, REMEMBERED_MS, ErasureFilter
from tables.followers import FOLLOWEES, FOLLOWER_COUNTS, FOLLOWERS, INDEXED
from tables.inbox import INBOX
from tables.storage.memory_store import MemoryStore
from tables.storage.table import key_of
from tables.storage.transaction import Transaction
from tables.users import PROFILES
from tests.simulation.measured import Measured
from tests.simulation.roles import NOW, Roles
from tests.simulation.test_simulation import FIRST

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "150"))
IN_ONE_TEST = 75
INAPP = DELIVER[Channel.INAPP, Priority.NORMAL]
ADA, BOB = "ada", "bob"
TYPES = """
event = "said"
[types.said]
category = "social"
priority = "normal"
channels = ["inapp"]
users = "who"
time_to_live = "2d"
rate_limit = { count = 1000, seconds = 1 }
templates.inapp.body = "{{ data.text }}"
"""


class Said(NamedTuple):
    """A record that Kafka takes at `at`, and when it took what the record is about."""

    at: int
    accepted_at: int
    topic: Topic
    value: Struct

    def is_of(self, user: str) -> bool:
        """Whether it is about a user."""
        value = self.value
        if isinstance(value, Follow):
            return user in (value.follower, value.followee)
        if isinstance(value, Event):
            return bool(value.data["who"] == user)
        return bool(getattr(value, "user", "") == user)


def script(draw: Random) -> list[Said]:
    """What is said, in order. Producers' own times may be wrong, and reports are late."""
    said = [Said(NOW, NOW, CONTACTS, Contacts(user=BOB, email="bob@example.com"))]
    at = NOW
    for number in range(draw.randrange(5, 30)):
        at += draw.choice([1, 10, 1000])
        user, when = draw.choice([ADA, BOB]), moment(at + draw.choice([0, -5000, 5000]))
        match draw.randrange(7):
            case 0:
                contacts = Contacts(user=user, email=f"{number}@example.com")
                said.append(Said(at, at, CONTACTS, contacts))
            case 1:
                said.append(Said(at, at, PREFERENCES, Preferences(user=user, digest_at="08:00")))
            case 2:
                data = {"who": user, "text": "hello"}
                event = Event(id=f"{number}", type="said", actor="x", occurred_at=when, data=data)
                said.append(Said(at, at, EVENTS, event))
            case 3:
                bounce = Suppression(
                    user=user,
                    channel=Channel.EMAIL,
                    reason=SuppressionReason.HARD_BOUNCE,
                    at=when,
                    address=f"old@{user}",
                    accepted_at=NOW,
                )
                said.append(Said(at, NOW, SUPPRESSIONS, bounce))
            case _:
                followee, following = draw.choice(["eve", ADA]), draw.random() < 0.7
                # A clock that is behind would have it undo nothing that is newer, erased or not.
                when = moment(at + draw.choice([0, 5000]))
                follow = Follow(follower=user, followee=followee, at=when, following=following)
                said.append(Said(at, at, FOLLOWS, follow))
    return said


async def result(said: list[Said], draw: Random | None = None) -> dict[str, object]:
    """Who follows whom, what is known of each and what is in inboxes, once all of it was said.

    With `draw`, each role lags behind as it likes until then.
    """
    roles = Roles(catalogue=TYPES)
    steps: list[Callable[[], Awaitable[bool]]] = [
        roles.route,
        partial(roles.route, WITHDRAWALS),
        roles.decide,
        roles.store,
        partial(roles.store, INAPP),
        roles.on_timer,
    ]
    for each in said:
        roles.clock.at = each.at
        await roles.say(each.topic, each.value)
        if draw is not None:
            for step in draw.sample(steps, len(steps)):
                if draw.random() < 0.2:
                    await step()
    roles.clock.at += 60_000
    await roles.settle()
    decider, router, inapp = roles.decider_store, roles.router_store, roles.inapp_store
    assert not [*decider.scan(ERASING.prefix), *router.scan(ERASING.prefix)]
    return {
        "followers": dict(decider.scan(FOLLOWERS.prefix)),
        "followees": dict(decider.scan(FOLLOWEES.prefix)),
        "followers counted": dict(router.scan(FOLLOWERS.prefix)),
        "followees counted": dict(router.scan(FOLLOWEES.prefix)),
        "counts": dict(router.scan(FOLLOWER_COUNTS.prefix)),
        "profiles": dict(decider.scan(PROFILES.prefix)),
        "inboxes": [key for key, _ in inapp.scan(INBOX.prefix)],
    }


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, IN_ONE_TEST))
async def test_whatever_lags_the_moment_of_acceptance_decides(first: int) -> None:
    for seed in range(first, first + IN_ONE_TEST):
        draw = Random(seed)
        said = script(draw)
        place = draw.randrange(len(said))
        at = said[place].at
        erasure = Said(at, at, ERASURES, Erasure(user=ADA))
        # Kafka takes nothing else in that millisecond after it.
        after = [each for each in said[place + 1 :] if each.at > at]
        left = [each for each in said if not each.is_of(ADA) or each.accepted_at > at]
        found = await result([*said[: place + 1], erasure, *after], draw)
        assert found == await result(left), f"seed {seed}"


async def test_a_step_of_an_erasure_is_small_however_many_follow_and_others_go_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agents.edges.go_on_erasing.__defaults__", (10,))
    store = Measured()
    roles = Roles(catalogue=TYPES, decider_store=store)
    for number in range(100):
        await roles.follow(f"fan-{number}", ADA)
        await roles.follow(ADA, f"actor-{number}")
        for actor in range(3):
            await roles.follow(f"user-{number}", f"other-{actor}")
    await roles.settle()
    roles.clock.at += 1
    store.scanned = store.most_written = 0
    await roles.say(ERASURES, Erasure(user=ADA))
    await roles.decide(ERASURES)
    # Ten edges in two tables, and the row that says how far it is.
    steps, heard = 0, 0
    while await roles.on_timer():
        steps += 1
        await roles.say(CONTACTS, Contacts(user=BOB, email=f"{steps}@example.com"))
        await roles.decide(CONTACTS)
        heard += 1
    assert steps == heard == 22
    assert store.most_written <= 21
    # Of the 500 edges, those of the user once each, and a few keys each step to find the next.
    assert store.scanned <= 200 + 10 * steps
    assert len(list(store.scan(FOLLOWERS.prefix))) == 300
    assert not [key for key, _ in store.scan(FOLLOWEES.prefix + key_of("default", ADA))]
    await roles.settle()
    counts = [FOLLOWER_COUNTS.decode(v) for _, v in roles.router_store.scan(FOLLOWER_COUNTS.prefix)]
    assert counts == [{0: 100}] * 3


async def test_an_erasure_that_is_cut_short_goes_on_after_a_restart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agents.edges.go_on_erasing.__defaults__", (1,))
    roles = Roles(catalogue=TYPES)
    for number in range(5):
        await roles.follow(ADA, f"actor-{number}")
    await roles.settle()
    roles.clock.at += 1
    await roles.say(ERASURES, Erasure(user=ADA))
    await roles.decide(ERASURES)
    await roles.on_timer()
    await roles.restart_decider(MemoryStore(dict(roles.decider_store.stored)))
    await roles.settle()
    assert not list(roles.decider_store.scan(FOLLOWERS.prefix))
    assert not list(roles.router_store.scan(FOLLOWERS.prefix))


async def test_edges_of_before_there_was_an_index_are_found_once_all_were_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("agents.edges.go_on_indexing.__defaults__", (2,))
    roles = Roles(catalogue=TYPES)
    for number in range(5):
        await roles.follow(ADA, f"actor-{number}")
        await roles.follow(BOB, f"actor-{number}")
    await roles.route()
    await roles.decide()
    stores = (roles.decider_store, roles.router_store)
    for store in stores:
        for key, _ in list(store.scan(FOLLOWERS.prefix)):
            await store.write({key: FOLLOWERS.encode(True)})
        await store.write(dict.fromkeys([key for key, _ in store.scan(FOLLOWEES.prefix)]))
    roles.clock.at += 1
    await roles.say(ERASURES, Erasure(user=ADA))
    await roles.settle()
    for store in stores:
        assert len(list(store.scan(FOLLOWERS.prefix))) == 5
        assert len(list(store.scan(FOLLOWEES.prefix + key_of("default", BOB)))) == 5
        assert len(list(store.scan(FOLLOWEES.prefix))) == 5
        (row,) = [INDEXED.decode(value) for _, value in store.scan(INDEXED.prefix)]
        assert row.is_complete


async def test_one_edge_of_many_that_is_younger_stays() -> None:
    roles = Roles(catalogue=TYPES)
    await roles.follow(ADA, "eve")
    at = roles.clock.at
    roles.clock.at += 1
    await roles.follow(ADA, "dan")
    await roles.settle()
    await roles.say(WITHDRAWALS, Withdrawal(actor=ADA, at=at))
    await roles.settle()
    for store in (roles.decider_store, roles.router_store):
        assert [key for key, _ in store.scan(FOLLOWERS.prefix)] == [
            FOLLOWERS.prefix + key_of("default", "dan", ADA)
        ]


async def test_erasures_of_long_ago_are_forgotten_at_the_same_rate_as_others_come() -> None:
    """Noted once an hour for half a year: what is kept is of a month, or little more."""
    roles, store = Roles(catalogue=TYPES), MemoryStore()
    hour, kept = 3_600_000, 0
    for number in range(180 * 24):
        transaction = Transaction(None, store, roles.runtime.outputs())
        ErasureFilter(transaction).note("default", f"user-{number}", NOW + number * hour)
        await transaction.commit()
        kept = max(kept, len(store.stored))
    assert REMEMBERED_MS // hour <= kept <= REMEMBERED_MS // hour * 3 // 2
