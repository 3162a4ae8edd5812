"""Two people who hear of everything, and whoever reports what they answer.

All in memory but for HTTP: the real web process' routes write what the real decider then reads.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from agents.replay.in_memory_pipeline import HeldClock, Rehearsal
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.producing.memory_log import MemoryLog
from policy.catalogue.catalogue import parse
from policy.tracking.ticket import Purpose, issue_ticket
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.event import Event
from schemas.profile import Contacts, Device, Preferences
from schemas.topics import (
    CONTACTS,
    DELIVER,
    DELIVERY_EVENTS,
    EVENTS,
    PREFERENCES,
    Topic,
)
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tables.storage.memory_store import MemoryStore
from tests.policy.samples import NOON, TYPE
from tests.web.caller import tickets
from tests.web.desk import Asked
from tests.web.signing import SCHEMES, SETTINGS
from web.app import serving
from web.links.routes import Links
from web.webhooks import Webhooks
from web.workers.report_writer import BackChannel

KEY = SETTINGS.signing_key.get_secret_value().encode()

EMAIL, SMS, PUSH, INAPP = Channel.EMAIL, Channel.SMS, Channel.PUSH, Channel.INAPP

EVERYWHERE = {PUSH, EMAIL, SMS, INAPP}

MINUTE = 60_000

OTHER = TYPE.replace("thing", "other")

BILL = TYPE.replace("thing", "bill").replace('"bills"', '"things"\ntransactional = true')

TALK = """
event = "talk.happened"

[types.talk]
category = "talks"
priority = "normal"
channels = ["chat"]
users = "who"
time_to_live = 86400

[types.talk.templates.chat]
body = "{{ data.text }}"
"""

PHONES = {"ann": "+4915112345", "bob": "+4915154321"}


@dataclass
class Town:
    """Two people who hear of everything everywhere, and whoever reports what they answer."""

    clock: HeldClock
    log: MemoryLog
    workers: Rehearsal
    session: aiohttp.ClientSession
    url: str
    count: int = 0

    async def write(self, topic: Topic, key: str, value: msgspec.Struct) -> None:
        await self.log.write(topic.name, 0, [(key.encode(), encode(value))])

    async def happens(
        self, user: str, what: str = "thing", tenant: str = "default"
    ) -> dict[Channel, Delivery]:
        """Something happens that concerns the user; what they get of it, by channel."""
        self.count += 1
        self.clock.at += MINUTE
        before = len(self.deliveries())
        at = datetime.fromtimestamp(self.clock.at / 1000, UTC)
        data = {"who": user, "text": f"number {self.count}"}
        said = Event(
            id=f"e{self.count}",
            type=f"{what}.happened",
            actor="x",
            occurred_at=at,
            data=data,
            tenant=tenant,
        )
        await self.write(EVENTS, "x", said)
        await self.workers.settle()
        return {d.channel: d for d in self.deliveries()[before:]}

    def deliveries(self) -> list[Delivery]:
        channels = (*EVERYWHERE, Channel.CHAT)
        topics = [DELIVER[channel, Priority.NORMAL].name for channel in channels]
        found = [
            msgspec.json.decode(record.value, type=Delivery)
            for topic in topics
            for record in self.log.topics[topic]
        ]
        return sorted(found, key=lambda each: each.accepted_at)

    def why(self) -> list[tuple[Channel, Reason, str]]:
        """What of the last happening was not sent, and why."""
        decode = msgspec.json.Decoder(DeliveryEvent).decode_lines
        records = self.log.topics[DELIVERY_EVENTS.name]
        told = [event for record in records for event in decode(record.value)]
        return [
            (each.channel, each.reason, each.detail)
            for each in told
            if each.event_id == f"e{self.count}" and each.stage is Stage.SUPPRESSED
            if isinstance(each.channel, Channel)
        ]

    def left(self) -> list[tuple[str, str, str, str]]:
        """Of what is reported of no message, by whom, which category, where and by what."""
        decode = msgspec.json.Decoder(DeliveryEvent).decode_lines
        records = self.log.topics[DELIVERY_EVENTS.name]
        told = {event.id: event for record in records for event in decode(record.value)}
        return [
            (each.user, each.category, str(each.channel), each.detail)
            for each in told.values()
            if each.stage is Stage.UNSUBSCRIBED and not each.notification_id
        ]

    async def clicks(self, mail: Delivery, **form: str) -> None:
        """Somebody posts to the unsubscribe link of a mail."""
        self.clock.at += MINUTE
        path = f"/unsubscribe/{issue_ticket(mail, Purpose.UNSUBSCRIBE, KEY)}"
        async with self.session.post(f"{self.url}{path}", data=form) as answer:
            assert answer.status == 200

    async def reports(self, provider: str, values: Any, ticket: str = "") -> None:
        """A provider reports."""
        self.clock.at += MINUTE
        incoming = SCHEMES[provider].sign(values, self.clock.at, ticket)
        path = incoming.url.removeprefix(SETTINGS.public_url)
        async with self.session.post(
            f"{self.url}{path}", data=incoming.body, headers=incoming.headers
        ) as answer:
            assert answer.status == 200


class Nearby(Asked):
    """Asks the decider in memory."""

    def __init__(self, workers: Rehearsal) -> None:
        super().__init__()
        self._workers = workers

    async def ask_in(
        self,
        role: str,
        partition: int,
        question: msgspec.Struct,
        kind: Any,
        after: Mapping[str, int] | None = None,
    ) -> Any:
        """What it answers."""
        assert (role, partition, after) == ("decider", 0, None)
        answer = await self._workers.answer(msgspec.json.encode(question))
        return msgspec.json.decode(answer, type=kind)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    clock = HeldClock(NOON)
    log = MemoryLog(clock)
    catalogue = parse(
        {"thing.toml": TYPE, "other.toml": OTHER, "bill.toml": BILL, "talk.toml": TALK}
    )
    catalogues = FixedCatalogue(catalogue)
    workers = Rehearsal(catalogues, SETTINGS, log, clock, MemoryStore({}), MemoryStore({}))
    settings = SETTINGS.model_copy(update={"partitions": 1})
    found = tickets(settings, Nearby(workers))
    back = BackChannel(log, settings, found, catalogues)
    reporters = [scheme.reporter(SETTINGS) for scheme in SCHEMES.values()]
    app = web.Application()
    app.add_routes(Webhooks(reporters, back, SETTINGS.public_url, clock).routes())
    app.add_routes(Links(back, found, catalogues, KEY, clock).routes())
    async with serving(app, "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
        town = Town(clock, log, workers, session, url)
        for user, phone in PHONES.items():
            email, device = f"{user}@example.com", Device(token=f"phone-of-{user}")
            contacts = Contacts(user=user, email=email, phone=phone, devices=(device,))
            await town.write(CONTACTS, user, contacts)
            wants = Preferences(user=user, channels=dict.fromkeys(Channel, True))
            await town.write(PREFERENCES, user, wants)
        yield town


LONG = "жар-птица " * 20
"""200 characters, as many as an id may have, and 340 bytes."""

ANN = PHONES["ann"]
