"""Router, decider and inbox in memory, that take records one by one and raise what they raise.

No record is taken once more or set aside for an error that nobody foresaw: here it is a failure.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from agents.decider.agent import Decider
from agents.decider.topics import KINDS as DECIDER_KINDS
from agents.inapp.agent import KINDS as INBOX_KINDS
from agents.inapp.agent import InApp
from agents.replay.in_memory_pipeline import HeldClock
from agents.router.agent import KINDS as ROUTER_KINDS
from agents.router.agent import Router
from pipeline.catalogue_folder import FixedCatalogue, read_catalogue
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import ALL_READ
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue
from policy.time.timestamps import moment
from schemas.delivery import Delivery
from schemas.encoding import UNDECODABLE, encode
from schemas.follow import Follow
from schemas.profile import Contacts, Device
from schemas.topics import CONTACTS, DELIVER, FOLLOWS, Topic
from schemas.vocabulary import Channel
from sinks.email.mailgun import groups_of as mailgun_groups
from sinks.email.sendgrid_mail import groups_of as sendgrid_groups
from sinks.email.sendgrid_mail import substitutions_of
from sinks.push import apns_payload, fcm_message, webpush
from sinks.webhook import standard
from tables.storage.memory_store import MemoryStore
from tests.fuzz.records import PEOPLE

NOW = 1_780_000_000_000
HOUR, DAY = 3_600_000, 86_400_000
CATALOGUE = Path(__file__).parents[2] / "catalogue"
KINDS: dict[Topic, type[Struct]] = {
    topic: kind
    for topic, kind in (ROUTER_KINDS | DECIDER_KINDS | INBOX_KINDS).items()
    if topic.is_public
}
"""What comes from outside, by topic."""
PUBLIC = tuple(sorted(KINDS, key=lambda topic: topic.name))
_encode = msgspec.json.Encoder().encode


@cache
def our_catalogue() -> Catalogue:
    """The catalogue that ships with the code."""
    return read_catalogue(CATALOGUE)


class House:
    """Workers that begin with nothing, at a time that stands still."""

    def __init__(self) -> None:
        self.clock = HeldClock(NOW)
        self.log = MemoryLog(self.clock)
        self.built = 0
        """Deliveries that providers would have been sent."""
        settings = Settings(partitions=1, bad_share=1.0, fan_out_threshold=2)
        runtime = Runtime(settings, self.log, self.clock)
        catalogue = FixedCatalogue(our_catalogue())
        self.stores = MemoryStore(), MemoryStore(), MemoryStore()
        self._decider = Decider(catalogue, runtime, 0, self.stores[1])
        self._workers = (
            (Router(catalogue, runtime, self.stores[0]), self.stores[0], tuple(ROUTER_KINDS)),
            (self._decider, self.stores[1], tuple(DECIDER_KINDS)),
            (InApp(runtime, self.stores[2], 0), self.stores[2], tuple(INBOX_KINDS)),
        )

    async def move_in(self) -> None:
        """Three people who can be reached by everything and follow each other."""
        for name in PEOPLE:
            contacts = Contacts(
                user=name, devices=(Device(token=name),), email="a@b.c", phone="+15005550009",
                webhooks=("https://example.com/x",),
            )  # fmt: skip
            await self.take(CONTACTS, name.encode(), encode(contacts))
            for other in PEOPLE:
                said = Follow(follower=other, followee=name, at=moment(NOW - DAY))
                await self.take(FOLLOWS, name.encode(), encode(said))

    async def take(self, topic: Topic, key: bytes | None, value: bytes | None) -> None:
        """Write a record and have everybody work until nothing is left."""
        await self.log.write(topic.name, 0, [(key, value)])
        await self.work()

    async def work(self) -> None:
        """Work until nothing is left that is due by now."""
        while await self._work_once():
            pass

    async def pass_time(self, steps: Iterable[int] = (HOUR, DAY, 40 * DAY)) -> None:
        """Let what waits come up: after an hour, a day, and more than a month."""
        for step in steps:
            self.clock.at = NOW + step
            await self.work()
            rounds = 0
            while await self._decider.on_timer(lambda _: ALL_READ) == 0 and rounds < 200:
                rounds += 1
            await self.work()

    def send(self) -> None:
        """Build what providers would be sent of every delivery; and the state can be read again."""
        for (channel, _), topic in DELIVER.items():
            for record in self.log.take(topic.name) if channel is not Channel.INAPP else ():
                self.built += 1
                build(channel, msgspec.json.decode(record.value, type=Delivery))

    async def _work_once(self) -> bool:
        worked = False
        for handler, store, topics in self._workers:
            for topic in topics:
                while slice_ := self.log.slice_from(topic.name, store.frontier(topic.name), 1):
                    await handler.handle(slice_)
                    worked = True
        return worked


def build(channel: Channel, delivery: Delivery) -> None:
    """What a channel's providers are sent, as far as it needs no keys."""
    match channel:
        case Channel.PUSH:
            _encode(fcm_message.body_of(delivery, NOW))
            _encode(apns_payload.payload_of(delivery))
            apns_payload.headers_of(delivery, "topic")
            _encode(webpush.payload_of(delivery))
        case Channel.EMAIL:
            mailgun_groups([delivery])
            sendgrid_groups([delivery])
            _encode(substitutions_of(delivery))
        case Channel.WEBHOOK:
            _encode(standard.payload_of(delivery))
        case _:
            _encode(delivery)


def key_for(topic: Topic, value: bytes) -> bytes:
    """The key that a well-meaning producer would give a record; "none" where there is none."""
    try:
        said = msgspec.json.decode(value)
    except UNDECODABLE:
        return b"none"
    name = said.get(topic.key) if isinstance(said, dict) else None
    return name.encode() if isinstance(name, str) else b"none"
