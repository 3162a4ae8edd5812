"""What every contestant works on: users, and requests to decide whether to tell them.

Record `i` is the same however many there are, so contestants can be compared on a prefix.
Quiet hours and presence are left out: they look at the clock, and contestants run in turn.
"""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec

from policy.catalogue.catalogue import parse
from policy.user.profile import Profile
from schemas.event import Event
from schemas.request import Origin, Request
from schemas.vocabulary import Channel
from tables.storage.table import key_of

USERS = 50_000
PARTITIONS = 4
TENANT = "default"
LOOKBACK = 200
"""How many records later a duplicate follows at most."""
STEP = timedelta(milliseconds=20)
"""Event time between records: the typical user stays under 10 an hour, the hot ones do not."""
AGE = timedelta(hours=4)
HOT_USERS = 20
HOT_SHARE = 0.02
DUPLICATES = 0.02

CATALOGUE = parse(
    {
        "order_shipped.toml": """
event = "order.shipped"

[types.order_shipped]
category = "orders"
priority = "high"
channels = ["push"]
users = "customer_id"
time_to_live = 86400

[types.order_shipped.templates.push]
title = "Your order is on its way"
body = "{{ data.carrier }} has picked up order {{ data.order_id }}."
data = ["order_id", "tracking_number"]
"""
    }
)
TYPE = CATALOGUE.types["order_shipped"]

Keyed = tuple[bytes, bytes]
"""Key and value of a Kafka record."""


def user_name(number: int) -> str:
    """A user's name, which is the key of everything about them."""
    return f"user-{number:06}"


def state_key(user: str) -> bytes:
    """Under which a user's state is kept."""
    return key_of(TENANT, user)


def profile(number: int) -> Profile:
    """Most have a phone that takes pushes; 4 % opted out of the channel, 4 % of the category."""
    random = Random(number)
    token = f"{random.getrandbits(128):032x}:APA91b{random.getrandbits(536):0134x}"
    kind = number % 50
    return Profile(
        devices=() if kind == 0 else (token,),
        email=f"{user_name(number)}@example.org",
        phone=f"+1555{number:07}",
        zone="Europe/Berlin",
        channels={Channel.PUSH: False} if kind in (1, 2) else {},
        categories={"orders": {Channel.PUSH: False}} if kind in (3, 4) else {},
    )


def requests(count: int, now: datetime) -> Iterator[tuple[str, bytes]]:
    """User and JSON of each request, in order."""
    encode = msgspec.json.Encoder().encode
    random = Random(2026)
    start = now.astimezone(UTC).replace(microsecond=0) - AGE
    recent: deque[Request] = deque(maxlen=LOOKBACK)
    for number in range(count):
        request = _request(number, start + number * STEP, random)
        if recent and random.random() < DUPLICATES:
            first = random.choice(recent)
            request = msgspec.structs.replace(first, origin=request.origin)
        recent.append(request)
        yield request.user, encode(request)


def record_number(event_id: str) -> int:
    """Which record an event id was first seen in."""
    return int(event_id.removeprefix("shipment-"))


def _request(number: int, at: datetime, random: Random) -> Request:
    hot = random.random() < HOT_SHARE
    user = user_name(random.randrange(HOT_USERS if hot else USERS))
    event = Event(
        id=f"shipment-{number:08}",
        type=TYPE.event,
        actor=f"warehouse-{number % 97:02}",
        occurred_at=at,
        data={
            "customer_id": user,
            "order_id": f"A-{random.randrange(10**8):08}",
            "carrier": random.choice(("DHL", "UPS", "Hermes", "FedEx")),
            "tracking_number": f"{random.getrandbits(64):020}",
        },
    )
    return Request(
        type=TYPE.name,
        user=user,
        event=event,
        origin=Origin("events", number % PARTITIONS, number // PARTITIONS),
        accepted_at=int(at.timestamp() * 1000) + 5,
    )
