"""A fan-out in parts, with crashes and follows in between, tells everybody once, or why not."""

import os
from collections import Counter
from random import Random

import msgspec
import pytest

from pipeline.producing.write_queue import Entry
from policy.time.timestamps import moment
from schemas.dead_letter import DeadLetter
from schemas.delivery import Delivery
from schemas.event import Event
from schemas.profile import Contacts
from schemas.question import CountAudience, Counted
from schemas.request import Broadcast
from schemas.topics import (
    CONTACTS,
    DEAD_LETTERS,
    DELIVER,
    EVENTS,
    FOLLOWING,
    REQUESTS,
)
from schemas.vocabulary import Channel, Priority, Reason
from tests.simulation.play import Crash, Fate, MortalStore
from tests.simulation.roles import NOW, POSTS, Roles
from tests.simulation.test_simulation import FIRST

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "60"))
IN_ONE_TEST = 30
AT_ONCE = 3
POSTS_TOPIC = REQUESTS[Priority.NORMAL]
TOLD = DELIVER[Channel.INAPP, Priority.NORMAL]
SUBSCRIBED = """
[types.told]
category = "social"
priority = "normal"
channels = ["inapp"]
subscribers = "topics"
time_to_live = "20d"
rate_limit = { count = 1000, seconds = 1 }
templates.inapp.body = "{{ data.text }}"
"""
GERMAN = POSTS + 'templates.inapp.locales.de.body = "{{ data.text_de }}"\n'


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.decider.fan_out.AT_ONCE", AT_ONCE)
    # The decider's default, which was bound when its module was read.
    monkeypatch.setattr("agents.decider.agent.Decider._do_by_clock.__defaults__", (AT_ONCE,))


def published(name: str) -> Event:
    data = {"text": "hello", "topics": ["news"]}
    return Event(id=name, type="post.published", actor="eve", occurred_at=moment(NOW), data=data)


@pytest.mark.parametrize("speaks_german", [1, 2, 3, 4, 7, 9])
async def test_who_can_not_be_told_makes_one_dead_letter_wherever_they_stand(
    speaks_german: int,
) -> None:
    """The second user of the first, second and third part, and others in a later one."""
    roles = Roles(catalogue=GERMAN)
    users = [f"user-{number}" for number in range(10)]
    for user in users:
        await roles.follow(user, "eve")
    germans = {users[speaks_german], users[-1]}
    await roles.say(CONTACTS, *(Contacts(user=user, locale="de") for user in sorted(germans)))
    await roles.say(EVENTS, published("e1"))
    await roles.settle()
    told = {each.user for each in roles.read(TOLD, Delivery)}
    assert told == set(users) - germans
    (letter,) = roles.read(DEAD_LETTERS, DeadLetter)
    (source,) = roles.log.topics[POSTS_TOPIC.name]
    assert (letter.reason, letter.role) == (Reason.RENDER_FAILED, "decider")
    assert (letter.topic, letter.offset, letter.key) == (source.topic, source.offset, source.key)
    # Sent again once contacts are mended, it tells those whom it could not.
    await roles.say(CONTACTS, *(Contacts(user=user) for user in sorted(germans)))
    await roles.log.write(letter.topic, 0, [(letter.key, letter.value)])
    await roles.settle()
    found = Counter(each.user for each in roles.read(TOLD, Delivery))
    assert found == Counter(users)


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, IN_ONE_TEST))
async def test_crashes_and_follows_in_between_leave_nobody_out_and_tell_nobody_twice(
    first: int,
) -> None:
    for seed in range(first, first + IN_ONE_TEST):
        await Walk(seed).run()


SEGMENTED = """
event = "news.published"
[segments.grown]
where = "user.age | int >= 18 and not user.plan in ['none', 'closed']"
[segments.others]
where = "user.age | int < 18 or user.plan == 'none'"
[types.news]
category = "news"
priority = "normal"
channels = ["inapp"]
segment_at = "segment"
time_to_live = "20d"
rate_limit = { count = 1000, seconds = 1 }
templates.inapp.body = "{{ data.segment }}"
"""


def _belongs(segment: str, attributes: dict[str, str]) -> bool:
    """As the segments above say, in another language."""
    age, plan = attributes.get("age"), attributes.get("plan")
    if segment == "grown":
        return age is not None and int(age) >= 18 and plan is not None and plan not in NO_PLAN
    return age is not None and (int(age) < 18 or plan == "none")


NO_PLAN = ("none", "closed")


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS // 2, IN_ONE_TEST))
async def test_a_segment_is_told_as_it_was_counted_whatever_crashes(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.decider.user_queries.MOST_COUNTED", 2)
    for seed in range(first, first + IN_ONE_TEST):
        draw, fate, changelog = Random(seed), Fate(), list[Entry]()
        roles = Roles(catalogue=SEGMENTED, decider_store=MortalStore(changelog, fate))
        people: dict[str, dict[str, str]] = {}
        for number in range(draw.randrange(1, 12)):
            given = {"age": str(draw.randrange(100)), "plan": draw.choice(("pro", *NO_PLAN))}
            people[f"u{number:02}"] = {
                name: value for name, value in given.items() if draw.random() < 0.9
            }
        contacts = [Contacts(user=user, attributes=given) for user, given in people.items()]
        await roles.say(CONTACTS, *contacts, Contacts(user="else", tenant="globex"))
        await roles.decide()
        expected = {
            name: {user for user, given in people.items() if _belongs(name, given)}
            for name in ("grown", "others")
        }
        for name in expected:
            said = msgspec.structs.replace(published(name), type="news.published")
            said = msgspec.structs.replace(said, data={"segment": name})
            await roles.say(EVENTS, said)
        written = len(changelog)
        await roles.route()
        for broadcast in roles.read(POSTS_TOPIC, Broadcast):
            found = await _counted(roles, broadcast)
            assert found == len(expected[broadcast.named])
        assert len(changelog) == written
        for _ in range(3):
            fate.crashes = [fate.steps + draw.randrange(1, 30)]
            try:
                await roles.settle()
            except Crash:
                await roles.restart_decider(MortalStore(changelog, fate))
        fate.crashes = []
        await roles.settle()
        told = (
            {
                (each.content.body, each.user, each.delivery_id)
                for each in roles.read(TOLD, Delivery)
            }
            if any(expected.values())
            else set()
        )
        assert Counter((name, user) for name, user, _ in told) == Counter(
            (name, user) for name, users in expected.items() for user in users
        )


async def _counted(roles: Roles, broadcast: Broadcast) -> int:
    """What it is told to be, a page after the other."""
    users, done, pages = 0, "", 0
    while pages == 0 or done:
        asked = CountAudience(broadcast=broadcast, done=done)
        answer = await roles.decider.answer(msgspec.json.encode(asked))
        found = msgspec.json.decode(answer, type=Counted)
        users, done, pages = users + found.users, found.done, pages + 1
    return users


class Walk:
    """Two events for followers and subscribers, while the decider dies and people come and go."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.fate, self.changelog = Fate(), list[Entry]()
        self.store = MortalStore(self.changelog, self.fate)
        self.roles = Roles(
            catalogue=POSTS + SUBSCRIBED, decider_store=self.store, fan_out_threshold=500
        )
        self.users = [f"u{number:02}" for number in range(self.draw.randrange(1, 20))]
        self.always: set[tuple[str, str]] = set()
        self.ever: set[tuple[str, str]] = set()

    async def run(self) -> None:
        for followee, share in (("eve", 0.7), ("topic:news", 0.5)):
            for user in self.users:
                if self.draw.random() < share:
                    self.always.add((followee, user))
                    await self.roles.follow(user, followee)
        self.ever = set(self.always)
        await self.roles.route()
        await self.roles.decide(FOLLOWING)
        await self.roles.say(EVENTS, published("e1"), published("e2"))
        await self.roles.route()
        idle = 0
        while idle < 3:
            if self.draw.random() < 0.1:
                self.fate.crashes = [self.fate.steps + self.draw.randrange(1, 5)]
            try:
                idle = 0 if await self._step() else idle + 1
            except Crash:
                self.store = MortalStore(self.changelog, self.fate)
                await self.roles.restart_decider(self.store)
                idle = 0
        self._check()

    async def _step(self) -> bool:
        roll = self.draw.random()
        if roll < 0.3:
            edge = self.draw.choice(["eve", "topic:news"]), self.draw.choice(self.users)
            is_new = self.draw.random() < 0.5
            if is_new:
                self.ever.add(edge)
            else:
                self.always.discard(edge)
            await self.roles.follow(edge[1], edge[0], following=is_new)
            await self.roles.route()
            await self.roles.decide(FOLLOWING)
            return True
        if roll < 0.6:
            return await self.roles.on_timer() or await self.roles.decide(most=1)
        await self.roles.decide(POSTS_TOPIC, most=1)
        return True  # a fan-out may be left

    def _check(self) -> None:
        said = {
            (each.type, each.user, each.delivery_id) for each in self.roles.read(TOLD, Delivery)
        }
        times = Counter((kind, user) for kind, user, _ in said)
        assert self.roles.read(POSTS_TOPIC, Broadcast)
        for kind, followee in (("post", "eve"), ("told", "topic:news")):
            for user in self.users:
                found = times[kind, user]
                assert found == 2 or (followee, user) not in self.always
                assert found <= 2
                assert not found or (followee, user) in self.ever
