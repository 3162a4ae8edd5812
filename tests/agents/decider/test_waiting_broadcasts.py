"""Broadcasts among requests: what they wait for, and that nobody waits behind them."""

import asyncio

import msgspec
import pytest

from agents.decider.agent import decider
from agents.decider.topics import BROADCAST_SLICE, work_of
from agents.decider.watermark import STALL_TIMEOUT_MS
from agents.replay.in_memory_pipeline import HeldClock
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.processing.read_first import GRACE
from pipeline.processing.slices import RECORDS, Slice
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.write_queue import Entry
from policy.catalogue.catalogue import parse
from policy.time.timestamps import moment
from schemas.dead_letter import DeadLetter
from schemas.delivery import Delivery
from schemas.erasure import Erasure
from schemas.event import Cancellation, Event
from schemas.feedback import Stop
from schemas.follow import Follow
from schemas.kinds import encode_in
from schemas.profile import Contacts, Subscription
from schemas.request import Broadcast, Origin, Request
from schemas.topics import (
    CONTACTS,
    DAY_MS,
    DEAD_LETTERS,
    DELIVER,
    ERASURES,
    FOLLOWING,
    REQUESTS,
    SUPPRESSIONS,
    Topic,
)
from schemas.vocabulary import Channel, Priority, Reason
from tables.pending import AWAITED
from tests.agents.lane import Waiting, runtime
from tests.agents.reader import Reader
from tests.simulation.roles import NOW, POSTS

TYPES = (
    POSTS
    + """
[types.alarm]
category = "social"
priority = "critical"
channels = ["inapp"]
followers = true
time_to_live = "20d"
templates.inapp.body = "{{ data.text }}"

[types.text]
category = "social"
priority = "normal"
channels = ["sms"]
users = "who"
time_to_live = "5m"
templates.sms.body = "hello"
"""
)
NORMAL, CRITICAL = REQUESTS[Priority.NORMAL], REQUESTS[Priority.CRITICAL]
HIGH, LOW = REQUESTS[Priority.HIGH], REQUESTS[Priority.LOW]


def event(number: int, at: int) -> Event:
    data = {"text": "hello", "who": "ann"}
    name = "post.published"
    return Event(id=f"e{number}", type=name, actor="eve", occurred_at=moment(at), data=data)


def broadcast(number: int, at: int, kind: str = "post") -> Broadcast:
    """To the followers of eve."""
    origin = Origin("events", 0, number)
    said = event(number, at)
    return Broadcast(type=kind, event=said, origin=origin, accepted_at=at, followee="eve")


def request(number: int, at: int, user: str, kind: str = "post") -> Request:
    origin = Origin("events", 0, number)
    return Request(type=kind, user=user, event=event(number, at), origin=origin, accepted_at=at)


class Town(Reader):
    """A reader of posts, and whom they reach."""

    def __init__(self) -> None:
        super().__init__(TYPES)

    def follow(self, user: str) -> None:
        """Kafka takes from the router that the user follows eve."""
        at = self.clock.at
        said = Follow(follower=user, followee="eve", at=moment(at), accepted_at=at)
        self.accept(FOLLOWING, said)

    def post(self, number: int, topic: Topic = NORMAL, kind: str = "post") -> None:
        """Kafka takes a broadcast."""
        self.accept(topic, broadcast(number, self.clock.at, kind), "eve")

    def told(self, priority: Priority = Priority.NORMAL) -> list[tuple[str, str]]:
        """Event and user of each delivery to an inbox, in order."""
        return [(each.event_id, each.user) for each in self.sent(Channel.INAPP, priority)]

    def sent(self, channel: Channel, priority: Priority) -> list[Delivery]:
        """The deliveries on a channel."""
        records = self.out.topics[DELIVER[channel, priority].name]
        return [msgspec.json.decode(each.value or b"", type=Delivery) for each in records]

    @property
    def awaited(self) -> int:
        """How many broadcasts have not begun."""
        return len(list(self.store.scan(AWAITED.prefix)))


async def test_a_request_goes_past_a_broadcast_whose_followers_are_unread() -> None:
    """The follow was taken before the post: who followed then is told of it."""
    town = Town()
    town.follow("ann")
    town.post(1)
    town.accept(NORMAL, request(2, town.clock.at, "bob"))
    await town.fetch(NORMAL)
    assert town.told() == [("e2", "bob")]
    await town.fetch(FOLLOWING)
    assert town.told() == [("e2", "bob"), ("e1", "ann")]
    assert town.awaited == 0


async def test_what_is_read_already_begins_with_its_slice() -> None:
    town = Town()
    town.follow("ann")
    await town.fetch(FOLLOWING)
    town.post(1)
    await town.fetch(NORMAL, 1)
    assert (town.told(), town.awaited) == ([("e1", "ann")], 0)


@pytest.mark.parametrize("crashes", [1, 2, 3])
async def test_a_crash_in_between_neither_loses_nor_repeats_it(crashes: int) -> None:
    town = Town()
    town.follow("ann")
    town.accept(CONTACTS, Contacts(user="ann"))
    for number in range(2):
        town.post(number)
    topics = NORMAL, FOLLOWING, CONTACTS
    for turn, topic in enumerate((*topics, *topics), 1):
        await town.fetch(topic)
        town.seconds += GRACE + 0.1
        await town.work()
        if turn == crashes:
            town.begin()
    assert town.told() == [("e0", "ann"), ("e1", "ann")]
    assert town.awaited == 0


async def test_of_those_that_wait_the_critical_ones_begin_first() -> None:
    town = Town()
    town.follow("ann")
    for number in range(2 * BROADCAST_SLICE):
        town.post(number)
    town.post(99, CRITICAL, "alarm")
    await town.fetch(NORMAL)
    await town.fetch(CRITICAL)
    assert town.awaited == 2 * BROADCAST_SLICE + 1
    await town.fetch(FOLLOWING)
    names = [row.event_id for row in town.ended("ann")]
    assert names == ["e99", *(f"e{number}" for number in range(2 * BROADCAST_SLICE))]


async def test_where_follows_are_not_read_any_more_it_begins_after_a_minute() -> None:
    town = Town()
    town.follow("ann")
    await town.fetch(FOLLOWING)
    town.follow("bob")
    town.post(1)
    await town.fetch(NORMAL)
    town.clock.at += STALL_TIMEOUT_MS - 1
    await town.work()
    assert town.told() == []
    town.clock.at += 2
    await town.work()
    assert town.told() == [("e1", "ann")]


async def test_of_an_erased_actor_nothing_is_told_that_waited() -> None:
    town = Town()
    town.follow("ann")
    town.post(1)
    await town.fetch(NORMAL)
    town.accept(ERASURES, Erasure(user="eve"))
    await town.fetch(ERASURES)
    await town.fetch(FOLLOWING)
    assert (town.told(), town.awaited) == ([], 0)


async def test_a_broadcast_of_no_type_is_set_aside_at_once_as_it_stood() -> None:
    town = Town()
    town.follow("ann")
    town.post(1, kind="forgotten")
    await town.fetch(NORMAL)
    assert town.awaited == 0
    (record,) = town.out.topics[DEAD_LETTERS.name]
    letter = msgspec.json.decode(record.value or b"", type=DeadLetter)
    assert (letter.topic, letter.reason) == (NORMAL.name, Reason.UNKNOWN_TYPE)
    stood = broadcast(1, town._log[NORMAL.name][0].timestamp - 1000, "forgotten")
    assert letter.value == encode_in(NORMAL.name, stood)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Stop(phone="+15005550009", at=moment(NOW)), Reason.SUPPRESSED_ADDRESS),
        (
            Subscription(user="ann", category="social", channel=Channel.SMS, at=moment(NOW)),
            Reason.OPTED_OUT,
        ),
    ],
)
async def test_what_came_back_before_a_request_counts_for_it_in_the_common_topic(
    said: Stop | Subscription, reason: Reason
) -> None:
    town = Town()
    town.accept(CONTACTS, Contacts(user="ann", phone="+15005550009"))
    await town.fetch(CONTACTS)
    town.accept(SUPPRESSIONS, said, "ann")
    town.accept(NORMAL, request(1, town.clock.at, "ann", "text"))
    await town.fetch(NORMAL)
    assert town.sent(Channel.SMS, Priority.NORMAL) == []
    await town.fetch(SUPPRESSIONS)
    assert town.sent(Channel.SMS, Priority.NORMAL) == []
    assert town.ends("ann") == [reason]


async def test_a_cancellation_among_what_came_back_is_read_before_a_request() -> None:
    town = Town()
    town.accept(CONTACTS, Contacts(user="ann", phone="+15005550009"))
    await town.fetch(CONTACTS)
    said = Cancellation(cancel_key="trip", actor="eve", at=moment(NOW + DAY_MS))
    town.accept(SUPPRESSIONS, said, "eve")
    asked = request(1, town.clock.at, "ann", "text")
    event_ = msgspec.structs.replace(asked.event, cancel_key="trip")
    town.accept(NORMAL, msgspec.structs.replace(asked, event=event_))
    await town.fetch(NORMAL)
    assert town.ends("ann") == []
    await town.fetch(SUPPRESSIONS)
    assert town.ends("ann") == [Reason.CANCELLED]


def slice_of(*values: Request | Broadcast) -> Slice:
    """A slice of these, in the order given."""
    log = MemoryLog(HeldClock(NOW))
    entries: list[Entry] = [(b"k", encode_in(LOW.name, value)) for value in values]
    asyncio.run(log.write(LOW.name, 0, entries))
    found = log.slice_from(LOW.name, 0)
    assert found is not None
    return found


def test_what_a_slice_takes_of_its_topics_share() -> None:
    """A full slice of requests is as much as one of broadcasts, and both together twice that."""
    some = [request(n, NOW, "bob") for n in range(RECORDS // 2)]
    few = [broadcast(n, NOW) for n in range(BROADCAST_SLICE // 2)]
    assert work_of(slice_of(*some)) == 0.5
    assert work_of(slice_of(*few)) == 0.5
    assert work_of(slice_of(*some, *few)) == 1.0
    assert work_of(slice_of(*few * 10)) == 1.0


def test_large_broadcasts_of_low_priority_take_no_more_turns_than_requests_of_it() -> None:
    """Of such few make a slice, as its bytes are limited."""
    found = Waiting(decider(FixedCatalogue(parse({})), runtime()))
    said = broadcast(1, NOW)
    large = msgspec.structs.replace(said.event, data={"text": "x" * (1 << 16)})
    value = encode_in(LOW.name, msgspec.structs.replace(said, event=large))
    found.add(LOW, 10 * BROADCAST_SLICE, value)
    found.add(HIGH, 12 * RECORDS)
    assert found.taken(10).count(HIGH.name) >= 8
