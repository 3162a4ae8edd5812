"""What has no bound is done in steps: killed between any two, nothing is lost or done twice."""

import os
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import NamedTuple

import pytest

from pipeline.processing.lanes import ALL_READ
from pipeline.producing.write_queue import Entry
from policy.time.timestamps import moment
from policy.user.ledger import Held
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.erasure import Erasure
from schemas.event import Cancellation, Event, Notify
from schemas.profile import Contacts, Device
from schemas.request import Origin, Request
from schemas.topics import CANCELLATIONS, CONTACTS, DELIVER, DELIVERY_EVENTS, ERASURES, EVENTS
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tables.erasure_filter import ERASING
from tables.pending import CANCEL_KEYS, CANCELLING, HELD
from tables.storage.memory_store import MemoryStore
from tables.storage.table import key_of
from tests.simulation.measured import Measured
from tests.simulation.play import Crash, Fate, MortalStore
from tests.simulation.roles import NOW, POSTS, Roles
from tests.simulation.test_simulation import FIRST

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "120"))
IN_ONE_TEST = 30
MINUTE = 60_000
TYPE = """
[types.{name}]
category = "social"
priority = "normal"
users = "who"
time_to_live = "20d"
until = {{ event = "thing.over", match = "thing" }}
rate_limit = {{ count = 1000, seconds = 1 }}
templates.push = {{ title = "Hi", body = "{{{{ data.text }}}}" }}
channels = ["push"]
{special}
"""
TYPES = (
    'event = "thing.happened"'
    + TYPE.format(name="later", special='delay = "10m"')
    + TYPE.format(name="gathered", special='digests = [{ channels = ["push"], every = "5m" }]')
)
USERS = tuple(f"u{number}" for number in range(6))


class Told(NamedTuple):
    """Ids of rows: that it went out, and that it did not, with the reason."""

    good: set[str]
    bad: set[tuple[str, Reason]]


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows a step, read two at a time."""
    monkeypatch.setattr("tables.storage.step.Step.__init__.__defaults__", (3, 1 << 20))
    for name in ("cancellation.AT_ONCE", "pending_erasure.AT_ONCE", "decisions.READ_AT_ONCE"):
        monkeypatch.setattr(f"agents.decider.{name}", 2)


def users_of(event: Event) -> tuple[str, ...]:
    """Whom it is for."""
    return event.notify.users if event.notify else ()


class Walk:
    """Scheduled and gathered events are cancelled or ended, users erased, and the decider dies."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.fate, self.changelog = Fate(), list[Entry]()
        self.store = MortalStore(self.changelog, self.fate)
        self.roles = Roles(catalogue=TYPES, decider_store=self.store)
        self.events: dict[str, Event] = {}
        self.cancelled: set[tuple[str, str]] = set()
        self.erased: set[tuple[str, str]] = set()

    async def run(self) -> None:
        reach = [Contacts(user=user, devices=(Device(token=f"t-{user}"),)) for user in USERS]
        await self.roles.say(CONTACTS, *reach)
        await self._take()
        for number in range(self.draw.randrange(3, 25)):
            self.roles.clock.at += self.draw.choice([1, 1000, MINUTE, 4 * MINUTE])
            await self._say(f"e{number}")
            for _ in range(self.draw.randrange(4)):
                await self._surely(self.roles.on_timer)
        for _ in range(40):
            self.roles.clock.at += MINUTE
            while await self._surely(self.roles.on_timer):
                pass
        self._check()

    async def _say(self, name: str) -> None:
        roll, now = self.draw.random(), self.roles.clock.at
        key = self.draw.choice(["k", "k", "l", None])
        if roll < 0.6:
            event = Event(
                id=name,
                type="named",
                actor="shop",
                occurred_at=moment(now),
                data={"text": name, "thing": self.draw.choice("xy")},
                notify=Notify(
                    type=self.draw.choice(["later", "gathered"]),
                    users=tuple(self.draw.sample(USERS, self.draw.randrange(1, 6))),
                ),
                cancel_key=key,
            )
            self.events[name] = event
            await self.roles.say(EVENTS, event)
        elif roll < 0.75:
            await self._end(name, now - self.draw.choice([0, 0, 2 * MINUTE]))
        elif roll < 0.85 and key is not None:
            at = now - self.draw.choice([0, 0, 2 * MINUTE])
            said = Cancellation(cancel_key=key, actor="shop", at=moment(at))
            await self.roles.say(CANCELLATIONS, said)
            self._stop(lambda event: event.cancel_key == key and event.occurred_at <= said.at)
        else:
            user = self.draw.choice(USERS)
            await self.roles.say(ERASURES, Erasure(user=user))
            self._stop(lambda _: True, user)
            self.roles.clock.at += 1
            back = Contacts(user=user, devices=(Device(token=f"t-{user}"),))
            await self.roles.say(CONTACTS, back)
        await self._take()

    async def _end(self, name: str, at: int) -> None:
        """Something is over, for one or two users or for everybody."""
        thing = self.draw.choice("xy")
        whose = self.draw.choice([None, *(self.draw.sample(USERS, 2) for _ in range(3))])
        said = {"thing": thing} | ({} if whose is None else {"who": whose})
        over = Event(id=name, type="thing.over", actor="shop", occurred_at=moment(at), data=said)
        await self.roles.say(EVENTS, over)
        for user in USERS if whose is None else whose:
            self._stop(
                lambda event: (
                    event.data["thing"] == thing and event.occurred_at <= over.occurred_at
                ),
                user,
                self.cancelled,
            )

    def _stop(
        self,
        concerns: Callable[[Event], bool],
        user: str = "",
        gone: set[tuple[str, str]] | None = None,
    ) -> None:
        """What is not sent by now, of these events, must never be; of one user, for erasure."""
        if gone is None:
            gone = self.erased if user else self.cancelled
        sent = self._told()
        for name, event in self.events.items():
            for each in [user] if user else users_of(event):
                place = name, each
                if each in users_of(event) and concerns(event) and not sent[place].good:
                    gone.add(place)

    async def _take(self) -> None:
        while await self._surely(self.roles.route) or await self._surely(self.roles.decide):
            pass

    async def _surely(self, work: Callable[[], Awaitable[bool]]) -> bool:
        """Do it in processes that die before or after some of their writes."""
        if self.draw.random() < 0.3:
            self.fate.crashes = [self.fate.steps + self.draw.randrange(1, 7)]
        try:
            return await work()
        except Crash:
            self.store = MortalStore(self.changelog, self.fate)
            await self.roles.restart_decider(self.store)
            return True

    def _told(self) -> defaultdict[tuple[str, str], Told]:
        """What was told of each event and user."""
        told = defaultdict[tuple[str, str], Told](lambda: Told(set(), set()))
        for row in self.roles.read(DELIVERY_EVENTS, DeliveryEvent):
            found = told[row.event_id, row.user]
            # A digest is queued in the name of its newest event.
            if row.stage is (Stage.QUEUED if row.type == "later" else Stage.DIGESTED):
                found.good.add(row.id)
            elif row.stage is Stage.SUPPRESSED:
                found.bad.add((row.id, row.reason))
        return told

    def _check(self) -> None:
        told = self._told()
        for name, event in self.events.items():
            for user in users_of(event):
                place, found = (name, user), told[name, user]
                if place in self.erased:
                    assert not found.good
                elif place in self.cancelled:
                    assert not found.good
                    assert [reason for _, reason in found.bad] == [Reason.CANCELLED]
                else:
                    assert (len(found.good), found.bad) == (1, set())
        for table in (HELD, CANCEL_KEYS, CANCELLING, ERASING):
            assert not any(self.store.scan(table.prefix))


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, IN_ONE_TEST))
async def test_what_is_cancelled_or_erased_in_steps_is_told_once_and_never_sent(first: int) -> None:
    for seed in range(first, first + IN_ONE_TEST):
        await Walk(seed).run()


async def town(store: MemoryStore, users: Sequence[str]) -> Roles:
    """Users with a device each."""
    roles = Roles(catalogue=TYPES, decider_store=store, tenant_share=1_000_000)
    await roles.say(
        CONTACTS, *(Contacts(user=user, devices=(Device(token=f"t-{user}"),)) for user in users)
    )
    await roles.decide()
    return roles


async def ask(roles: Roles, kind: str, name: str, users: Sequence[str]) -> None:
    """An event of a type for these users happens, and is decided."""
    event = Event(
        id=name,
        type="named",
        actor="shop",
        occurred_at=moment(roles.clock.at),
        data={"text": name},
        cancel_key="k",
        notify=Notify(type=kind, users=tuple(users)),
    )
    await roles.say(EVENTS, event)
    await roles.route()
    while await roles.on_timer():
        pass
    await roles.decide()


def ended(roles: Roles) -> Counter[tuple[str, Reason]]:
    """Of each event, why how many users did not get it."""
    rows = {row.id: row for row in roles.read(DELIVERY_EVENTS, DeliveryEvent)}.values()
    return Counter((row.event_id, row.reason) for row in rows if row.stage is Stage.SUPPRESSED)


async def cancel(roles: Roles, at: int) -> None:
    await roles.say(CANCELLATIONS, Cancellation(cancel_key="k", actor="shop", at=moment(at)))
    await roles.route()
    await roles.decide()


async def test_a_cancellation_of_many_goes_on_by_itself_a_thousand_at_a_time() -> None:
    """Three requests of each of 1,000 users; of each, four rows: what is held, by its key and by
    its time, and the user's ledger."""
    store, users = Measured(), [f"user-{number}" for number in range(1000)]
    roles = await town(store, users)
    for number in range(3):
        await ask(roles, "later", f"e{number}", users)
    store.most_written = 0
    await cancel(roles, roles.clock.at)
    first = ended(roles).total()
    assert first == 1000
    steps = 0
    while await roles.on_timer():
        steps += 1
    assert steps == 2 + 1  # the last one finds that nothing is left
    assert ended(roles) == {(f"e{number}", Reason.CANCELLED): 1000 for number in range(3)}
    assert 3000 <= store.most_written <= 4 * 1000 + 10
    assert not [*store.scan(HELD.prefix), *store.scan(CANCEL_KEYS.prefix)]


@pytest.mark.usefixtures("small_steps")
async def test_a_later_cancellation_of_the_key_looks_again_at_what_was_passed_over() -> None:
    roles = await town(MemoryStore(), USERS)
    before = roles.clock.at
    roles.clock.at += MINUTE
    for number in range(3):
        await ask(roles, "later", f"e{number}", USERS)
    await cancel(roles, before)
    assert await roles.on_timer()
    assert any(roles.decider_store.scan(CANCELLING.prefix))  # some are still to be looked at
    await cancel(roles, roles.clock.at)
    while await roles.on_timer():
        pass
    assert ended(roles) == {(f"e{number}", Reason.CANCELLED): len(USERS) for number in range(3)}


@pytest.mark.usefixtures("small_steps")
async def test_what_an_erasure_has_yet_to_take_is_in_no_digest_and_in_no_cancellation() -> None:
    """Gathered under one name: 30 events of before an erasure, of which some are left, and 2 of
    one who came back, of which one is cancelled."""
    roles = await town(MemoryStore(), ["ann"])
    for number in range(30):
        await ask(roles, "gathered", f"old{number}", ["ann"])
    roles.clock.at += 1
    await roles.say(ERASURES, Erasure(user="ann"))
    await roles.decide()
    roles.clock.at += 1
    await roles.say(CONTACTS, Contacts(user="ann", devices=(Device(token="new"),)))
    for name, key in (("new0", "k"), ("new1", "l")):
        at, notify = moment(roles.clock.at), Notify(type="gathered", users=("ann",))
        event = Event(
            id=name, type="named", actor="shop", occurred_at=at, notify=notify,
            data={"text": name}, cancel_key=key,
        )  # fmt: skip
        await roles.say(EVENTS, event)
    await roles.route()
    await roles.decide()
    assert len(list(roles.decider_store.scan(HELD.prefix))) > 10
    await cancel(roles, roles.clock.at)
    roles.clock.at += 6 * MINUTE
    await roles.decider.on_timer(lambda _: ALL_READ)
    assert len(list(roles.decider_store.scan(HELD.prefix))) > 10
    rows = roles.read(DELIVERY_EVENTS, DeliveryEvent)
    assert {row.event_id for row in rows if row.stage is Stage.DIGESTED} == {"new1"}
    assert ended(roles) == {("new0", Reason.CANCELLED): 1}
    while await roles.on_timer():
        pass
    assert not any(roles.decider_store.scan(HELD.prefix))


async def test_an_erasure_of_much_that_waits_goes_on_by_itself_a_thousand_at_a_time() -> None:
    """2,500 held requests, and for each its place under a cancel key."""
    store, one = Measured(), Event(
        id="e", type="named", actor="shop", occurred_at=moment(NOW), cancel_key="k"
    )  # fmt: skip
    request = Request(
        type="later", user="ann", event=one, origin=Origin("events", 0, 0), accepted_at=NOW
    )
    held = HELD.encode(Held(request, 0, (Channel.PUSH,)))
    for number in range(2500):
        name = f"{number:030}.0"
        await store.write(
            {
                HELD.prefix + key_of("default", "ann", name): held,
                CANCEL_KEYS.prefix + key_of("default", "k", "ann", name): CANCEL_KEYS.encode("n"),
            }
        )
    roles = await town(store, ["ann"])
    store.most_written = 0
    roles.clock.at += 1
    await roles.say(ERASURES, Erasure(user="ann"))
    await roles.decide()
    assert len(list(store.scan(HELD.prefix))) == 1500
    while await roles.on_timer():
        pass
    assert 2000 <= store.most_written <= 2000 + 20
    assert not [*store.scan(HELD.prefix), *store.scan(CANCEL_KEYS.prefix)]


async def test_large_events_are_held_and_sent_by_few_at_once() -> None:
    """500 kB for each of 60 followers: four make 2 MiB, and what is read in one go is 50 rows."""
    store, users = Measured(), [f"user-{number:02}" for number in range(60)]
    catalogue = POSTS.replace("followers = true", 'followers = true\ndelay = "10m"')
    roles = Roles(catalogue=catalogue, decider_store=store)
    for user in users:
        await roles.follow(user, "eve")
    await roles.settle()
    data = {"text": "hello", "more": "x" * 500_000}
    post = Event(id="e", type="post.published", actor="eve", occurred_at=moment(NOW), data=data)
    await roles.say(EVENTS, post)
    await roles.route()
    store.most_written = 0
    await roles.decide()
    assert len(list(store.scan(HELD.prefix))) == 4
    while await roles.on_timer():
        pass
    assert len(list(store.scan(HELD.prefix))) == 60
    assert store.most_written <= 4 * 3 + 5
    roles.clock.at += 11 * MINUTE
    await roles.on_timer()
    assert len(list(store.scan(HELD.prefix))) == 10
    while await roles.on_timer():
        pass
    told = DELIVER[Channel.INAPP, Priority.NORMAL]
    assert Counter(each.user for each in roles.read(told, Delivery)) == Counter(users)
