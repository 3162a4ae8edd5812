"""How long messages took, from Kafka's acceptance of their event to the provider's receipt.

Kafka's acceptance is the time at which the broker appended the event. The receipt is when the stub
had the whole call; of an in-app message, when the broker appended what gateways read of it, which
its worker writes once it is stored.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

import msgspec
from aiokafka import TopicPartition
from msgspec import Struct

from demo.verify.findings import percentile
from pipeline.kafka.clients import reader
from schemas.delivery_event import DeliveryEvent
from schemas.inbox import Live, Message
from schemas.topics import DELIVERY_EVENTS, LIVE
from schemas.vocabulary import Channel, Stage

LATER = (Stage.HELD, Stage.DIGESTED)
"""What is not sent at once by its rules, so that its time says nothing of Tocsin's speed."""

DIGEST = "in "
"""What stands before a digest's notification id where an event says in which it went out."""

_decoder = msgspec.json.Decoder(DeliveryEvent)
_live_decoder = msgspec.json.Decoder(Live[Message])

Shown = dict[tuple[str, str], int]
"""By user and notification, when gateways could first read of it (epoch ms)."""


class Sent(Struct, frozen=True):
    """A message that was sent: when Kafka took its event, and its inbox had it (epoch ms)."""

    delivery_id: str
    notification_id: str
    priority: str
    channel: str
    accepted_at: int
    stored_at: int = 0

    def received_at(self, received: Mapping[str, float]) -> float | None:
        """When its provider or its inbox had it (epoch ms); None where no provider noted it."""
        return self.stored_at or received.get(self.delivery_id)


ReadOn = Callable[[], Awaitable[list[Sent]]]


class Latency(Struct, frozen=True):
    """Of so many messages; `missing` were sent, as Tocsin says, and no provider noted them."""

    count: int
    p50_ms: float
    p99_ms: float
    missing: int = 0


def read_receipts(log: bytes) -> dict[str, float]:
    """By delivery, when a provider first had it (epoch ms), of the lines that are whole."""
    received: dict[str, float] = {}
    for line in log.split(b"\n")[:-1]:
        at, _, delivery = line.partition(b" ")
        received.setdefault(delivery.decode(), float(at) * 1000)
    return received


def sent_of(events: Iterable[DeliveryEvent], shown: Mapping[tuple[str, str], int]) -> list[Sent]:
    """What was sent at once, each delivery once; `shown` says since when inboxes have theirs."""
    sent: dict[str, Sent] = {}
    later: set[str] = set()
    for event in events:
        if event.stage in LATER:
            later |= {event.notification_id, event.detail.removeprefix(DIGEST)}
        elif event.stage is Stage.SENT and event.channel is not None:
            is_inapp = event.channel is Channel.INAPP
            stored_at = shown.get((event.user, event.notification_id), 0) if is_inapp else 0
            found = Sent(
                event.delivery_id,
                event.notification_id,
                str(event.priority),
                str(event.channel),
                event.accepted_at,
                stored_at,
            )
            sent.setdefault(event.delivery_id, found)
    return [each for each in sent.values() if each.notification_id not in later]


def latencies(
    sent: Iterable[Sent], received: Mapping[str, float], since: int, until: int
) -> dict[str, dict[str, Latency]]:
    """By priority and channel, of events that Kafka took from a moment on and before another."""
    took: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    missing: Counter[tuple[str, str]] = Counter()
    for each in sent:
        if since <= each.accepted_at < until:
            place, at = (each.priority, each.channel), each.received_at(received)
            if at is None:
                missing[place] += 1
            else:
                took[place].append(at - each.accepted_at)
    found: defaultdict[str, dict[str, Latency]] = defaultdict(dict)
    for priority, channel in sorted(took.keys() | missing.keys()):
        place = (priority, channel)
        found[priority][channel] = latency_of(took[place], missing[place])
    return dict(found)


def took_of(
    sent: Iterable[Sent], received: Mapping[str, float], since: int, until: int
) -> dict[str, list[float]]:
    """The milliseconds of all channels by priority, of the same events as `latencies`."""
    took: defaultdict[str, list[float]] = defaultdict(list)
    for each in sent:
        at = each.received_at(received)
        if at is not None and since <= each.accepted_at < until:
            took[each.priority].append(at - each.accepted_at)
    return dict(took)


def latency_of(took: list[float], missing: int = 0) -> Latency:
    """The figures of these milliseconds; nothing but zeros where there are none."""
    if not took:
        return Latency(0, 0.0, 0.0, missing)
    p50, p99 = (round(percentile(took, share), 1) for share in (50, 99))
    return Latency(len(took), p50, p99, missing)


@asynccontextmanager
async def reading_sent(kafka: str, partitions: int) -> AsyncIterator[ReadOn]:
    """A function that returns what was sent since it was last called; raises Unavailable."""
    topics = (DELIVERY_EVENTS.name, LIVE.name)
    tps = [TopicPartition(topic, number) for topic in topics for number in range(partitions)]
    shown: Shown = {}
    async with reader(kafka) as consumer:
        consumer.assign(tps)
        await consumer.seek_to_end(*tps)
        for tp in tps:
            await consumer.position(tp)  # seeking is done only then

        async def read_on() -> list[Sent]:
            events: list[DeliveryEvent] = []
            ends = await consumer.end_offsets(tps)
            while any([await consumer.position(tp) < ends[tp] for tp in tps]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        if record.topic == LIVE.name:
                            note_shown(shown, record.value or b"", record.timestamp)
                        else:
                            events += map(_decoder.decode, lines_of(record.value or b""))
            return sent_of(events, shown)

        yield read_on


def note_shown(shown: Shown, value: bytes, appended_at: int) -> None:
    """Note what gateways are told by one record, and when Kafka took that."""
    for line in lines_of(value):
        live = _live_decoder.decode(line)
        if (item := live.message.item) is not None:
            shown.setdefault((live.user, item.notification_id), appended_at)


def lines_of(value: bytes) -> list[bytes]:
    """The values of one record."""
    return [line for line in value.split(b"\n") if line]
