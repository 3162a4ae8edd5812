"""A page to play with: press a button, and watch an event become a push, an e-mail and a bell."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web
from msgspec import Struct

from analytics.clickhouse import ClickHouse
from analytics.timeline import day_of
from demo.show.visitor import Failures, Taken
from embedded.local_stack import LocalStack
from embedded.simulators.accept_log import Accepted
from pipeline.admin.lag import Lag
from pipeline.kafka.topic_following import following
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import Producer, start_producer
from schemas.encoding import encode
from schemas.event import Event
from schemas.profile import Contacts, Device
from schemas.topics import CONTACTS, DEAD_LETTERS, EVENTS
from schemas.vocabulary import Channel
from web.gateway.token import Subscriber, make_token, subscriber_secret

PAGE = Path(__file__).with_name("playground.html")
READ_SECONDS = 60.0
"""For which nothing moves until the page opens all the same."""
USER, TENANT = "you", "default"
EMAIL, DEVICE = "you@example.com", "your-phone"
SHOWN = 20
"""Lines of what happened."""
EVENTS_OF: dict[str, tuple[str, str, dict[str, Any]]] = {
    "order": (
        "Your order is shipped",
        "order.shipped",
        {"customer_id": USER, "order_id": "77", "carrier": "DHL", "tracking_number": "1Z5"},
    ),
    "message": (
        "Bo writes to you",
        "chat.message",
        {
            "recipient_id": USER,
            "conversation_id": "bo-and-you",
            "sender_name": "Bo",
            "text": "See you at eight?",
        },
    ),
    "comment": (
        "Bo comments on your post",
        "comment.added",
        {
            "author_id": USER,
            "commenter_name": "Bo",
            "post_title": "Cats",
            "post_id": "1",
            "text": "Nice!",
        },
    ),
}
"""What can happen, by the button: its label, the event's type and its data."""


def event_of(kind: str, data: dict[str, Any]) -> Event:
    """The event of a button that is pressed now."""
    return Event(
        id=f"{kind}-{time.time_ns()}",
        type=kind,
        actor="shop",
        occurred_at=datetime.now(UTC),
        data=data,
    )


class Shop:
    """The page's server."""

    def __init__(self, house: LocalStack, producer: Producer, clickhouse: ClickHouse) -> None:
        self._house = house
        self._settings = house.settings
        self._producer = producer
        self._clickhouse = clickhouse
        self._taken = Taken(house.accept_log, (EMAIL, DEVICE))
        self._looking = asyncio.Lock()
        self.failures = Failures()
        pages = jinja2.Environment(autoescape=True)
        self._page = pages.from_string(PAGE.read_text())

    def app(self) -> web.Application:
        """Its routes."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self.show),
                web.post("/events/{name}", self.happen),
                web.get("/seen", self.seen),
            ]
        )
        return app

    async def meet(self) -> None:
        """Make the visitor known, and wait until the decider has read it.

        It reads contacts and events from topics of their own: an event that comes before is
        decided without an address.
        """
        you = Contacts(user=USER, email=EMAIL, devices=(Device(token=DEVICE),))
        await self._write(CONTACTS.name, USER, you)
        async with Lag(self._settings.kafka, self._settings.partitions) as lag:
            await lag.settle(READ_SECONDS, _unseen, ("decider",))

    async def show(self, _: web.Request) -> web.Response:
        """The page, with a token of the visitor's."""
        key = self._settings.signing_key.get_secret_value().encode()
        secret = subscriber_secret(key, TENANT)
        token = make_token(secret, Subscriber(TENANT, USER), int(time.time()))
        text = self._page.render(
            server=self._settings.public_url,
            token=token,
            user=USER,
            events={name: label for name, (label, *_) in EVENTS_OF.items()},
        )
        return web.Response(text=text, content_type="text/html")

    async def happen(self, request: web.Request) -> web.Response:
        """Write the event of a button to Kafka."""
        found = EVENTS_OF.get(request.match_info["name"])
        if found is None:
            return web.Response(status=404)
        label, kind, data = found
        event = event_of(kind, data)
        self.failures.wrote(event.id, label)
        await self._write(EVENTS.name, event.actor, event)
        return web.Response(text=event.id)

    async def seen(self, _: web.Request) -> web.Response:
        """What providers took, what analysts know of the visitor and what failed, newest first."""
        told = await day_of(self._clickhouse, TENANT, USER, datetime.now(UTC).date())
        async with self._looking:
            await asyncio.to_thread(self._taken.read_on)
        found = {
            "taken": [
                (line.channel, line.title, line.provider, self._mail(line))
                for line in reversed(self._taken.messages)
            ],
            "told": [
                (each.stage, f"{each.type} {each.channel or ''}", f"{each.reason} {each.detail}")
                for each in reversed(told)
            ][:SHOWN],
            "failed": [*reversed(self.failures.sentences)],
        }
        return web.Response(body=encode(found), content_type="application/json")

    def _mail(self, line: Accepted) -> str:
        if line.channel is not Channel.EMAIL:
            return ""
        return f"http://127.0.0.1:{self._house.simulators.port}/_mails/{line.delivery_id}"

    async def _write(self, topic: str, key: str, value: Struct) -> None:
        here = partition_of(key, self._settings.partitions)
        await self._producer.write(topic, here, [(key.encode(), encode(value))])


async def _unseen(_: dict[str, int]) -> None:
    """Nobody looks at what is left."""


@asynccontextmanager
async def open_shop(house: LocalStack, port: int = 0) -> AsyncIterator[str]:
    """Serve the page inside the block; its URL. The house must run the web process."""
    producer, clickhouse = await start_producer(house.kafka.address), ClickHouse(house.settings)
    shop = Shop(house, producer, clickhouse)
    runner = web.AppRunner(shop.app(), access_log=None)
    try:
        await shop.meet()
        take = shop.failures.take
        async with following(house.settings, DEAD_LETTERS, take, from_start=False):
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        await asyncio.gather(producer.stop(), clickhouse.close())
