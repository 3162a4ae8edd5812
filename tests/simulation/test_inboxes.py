"""Whatever comes late, twice or out of order, an inbox's counts are what counting gives."""

import os
from random import Random
from typing import Any

import msgspec
import pytest

from policy.inbox import Counts
from policy.time.timestamps import moment
from schemas.delivery import Content, Delivery
from schemas.erasure import Erasure
from schemas.inbox import InboxChange, ReadCounts
from schemas.topics import DELIVER, ERASURES, INBOX_CHANGES
from schemas.vocabulary import Channel, Priority
from tables.inbox import COUNTS, INBOX, SNOOZED, id_of_item
from tables.storage.table import View, key_of
from tables.timers import TIMERS, Timer, Timers
from tests.simulation.roles import Roles
from tests.simulation.test_simulation import FIRST

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "100"))
IN_ONE_TEST = 50
HIGH = DELIVER[Channel.INAPP, Priority.HIGH]
USERS = ("ada", "bob")
NO_MOMENT = 0
"""Until when topics are read: what is snoozed comes back by the clock alone."""
CHANGES = ("seen", "read", "unread", "archived", "unarchived", "snoozed")


class Walk:
    """Deliveries, changes and erasures at random, each of them late or told again."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.size = self.random.choice([1, 2, 5])
        self.roles = Roles(inbox_size=self.size)
        self.said: list[Delivery] = []

    async def step(self) -> None:
        """Write some records of one kind, and handle them."""
        draw, clock = self.random, self.roles.clock
        clock.at += draw.choice([0, 1, 5])
        roll = draw.random()
        for _ in range(draw.choice([1, 1, 4])):
            if roll < 0.03:
                await self.roles.say(ERASURES, Erasure(user=draw.choice(USERS)))
            elif roll < 0.6:
                await self.roles.say(HIGH, self._delivery())
            else:
                await self.roles.say(INBOX_CHANGES, self._change())
        await self.roles.store()
        while await self.roles.inapp.on_timer(lambda _: NO_MOMENT) == 0:
            pass

    def _delivery(self) -> Delivery:
        draw, now = self.random, self.roles.clock.at
        if self.said and draw.random() < 0.3:
            return draw.choice(self.said)
        values: dict[str, Any] = {
            "delivery_id": f"{len(self.said):032x}",
            "notification_id": f"{len(self.said):032x}",
            "event_id": "event",
            "type": "post",
            "category": "social",
            "user": draw.choice(USERS),
            "channel": Channel.INAPP,
            "priority": Priority.HIGH,
            "address": "",
            "content": Content(body="hello"),
            "occurred_at": now,
            "accepted_at": now - draw.choice([0, 0, 1, 3, 50]),
            "expires_at": now + draw.choice([0, 10, 10**6]),
            "replaces": draw.choice(["", "", f"{0:032x}"]),
        }
        self.said.append(Delivery(**values))
        return self.said[-1]

    def _change(self) -> InboxChange:
        draw, now = self.random, self.roles.clock.at
        about = draw.choice(self.said) if self.said and draw.random() < 0.7 else None
        is_own = about is not None and draw.random() < 0.9
        kind: Any = draw.choice(CHANGES)
        return InboxChange(
            user=about.user if about and is_own else draw.choice(USERS),
            kind=kind,
            at=moment(now - draw.choice([0, 0, 1, 10, 100, -5])),
            item=f"{about.accepted_at:013d}.{about.notification_id}" if about else None,
            until=moment(now + 10) if kind == "snoozed" else None,
        )

    async def check(self, user: str) -> None:
        """Compare what is counted with what is there."""
        whose, store = key_of("default", user), self.roles.inapp_store
        items = [INBOX.decode(value) for _, value in store.scan(INBOX.prefix + whose)]
        row = store.stored.get(COUNTS.prefix + whose)
        counts = COUNTS.decode(row) if row else Counts()
        live = [item.state for item in items if item.state.archived_at <= 0]
        unread = sum(state.read_at <= 0 for state in live)
        unseen = sum(not state.seen_at for state in live)
        assert (counts.items, counts.unread, counts.unseen) == (len(items), unread, unseen)
        assert len(items) <= self.size
        assert len({item.number for item in items}) == len(items)
        asked = msgspec.json.encode(ReadCounts(tenant="default", user=user))
        told = msgspec.json.decode(await self.roles.inapp.answer(asked))
        now = self.roles.clock.at
        seen = [state for state in live if state.snoozed_until <= now]
        assert told["unread"] == sum(state.read_at <= 0 for state in seen)
        assert told["unseen"] == sum(not state.seen_at for state in seen)
        assert told.get("snoozed", 0) == len(live) - len(seen)
        away = {
            id_of_item(place[len(INBOX.prefix) :]): INBOX.decode(value).state.snoozed_until
            for place, value in store.scan(INBOX.prefix + whose)
            if INBOX.decode(value).state.snoozed_until > now
        }
        assert counts.snoozed == len(away)
        kept = [SNOOZED.decode(value) for _, value in store.scan(SNOOZED.prefix + whose)]
        assert kept == [away] * bool(away)
        timers = [TIMERS.decode(value) for _, value in store.scan(TIMERS.prefix)]
        assert sorted(away) == sorted(each.name for each in timers if each.user == user)
        assert row is None or counts != Counts()


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, IN_ONE_TEST))
async def test_counts_are_what_counting_gives_and_no_inbox_is_too_large(first: int) -> None:
    for seed in range(first, first + IN_ONE_TEST):
        walk = Walk(seed)
        for _ in range(walk.random.randrange(5, 60)):
            await walk.step()
            for user in USERS:
                await walk.check(user)


@pytest.mark.parametrize("is_erased", [True, False])
async def test_nobody_is_named_by_what_was_put_off_and_is_gone(is_erased: bool) -> None:
    """As versions until 0.5.0 left it: of an item that went before its user was erased."""
    roles, item = Roles(), f"{1:013d}.{1:032x}"
    store, whose = roles.inapp_store, key_of("default", "ada")
    until, timer = roles.clock.at + 10, Timer("default", "ada", item)
    view = View(TIMERS, store)
    Timers(store).add(view, until, timer)
    left = {SNOOZED.prefix + whose: SNOOZED.encode({item: until}), **view.changes()}
    await store.write(left)
    if is_erased:
        await roles.say(ERASURES, Erasure(user="ada"))
        await roles.store()
    else:
        roles.clock.at = until
        while await roles.inapp.on_timer(lambda _: NO_MOMENT) == 0:
            pass
    assert not [key for key in store.stored if b"ada" in key]
