"""Quix Streams: a stateful dataframe with its RocksDB state and changelog.

Its state belongs to one topic, so profiles arrive on the input topic, ahead of all requests. It
has no event loop that could be exchanged: a thread calls librdkafka, which is written in C.
"""

from pathlib import Path
from typing import Any

from quixstreams import Application
from quixstreams.models import Serializer

from bench.contestants.equipment import equip, report
from bench.contestants.work import decode_request, work
from bench.decide.topics import QUIX


class Written(Serializer):
    """Takes the bytes out of a pair of (is a delivery, bytes)."""

    def __call__(self, value: Any, ctx: Any) -> bytes:
        """The bytes."""
        return value[1]  # type: ignore[no-any-return]


def decide(value: bytes, state: Any) -> list[tuple[bool, bytes]]:
    """One record: a profile to keep, or a request to decide."""
    if value[:1] != b"{":
        state.set_bytes("profile", value)
        return []
    request = decode_request(value)
    outcome = work(request, state.get_bytes("profile"), state.get_bytes("ledger"))
    if outcome.ledger is not None:
        state.set_bytes("ledger", outcome.ledger)
    return [(True, delivery) for delivery in outcome.deliveries] + [
        (False, event) for event in outcome.events
    ]


def run(kafka: str, folder: Path) -> None:
    """Run until killed."""
    app = Application(
        broker_address=kafka,
        consumer_group="bench-quix",
        auto_offset_reset="earliest",
        state_dir=folder,
        loglevel="WARNING",
    )
    requests = app.topic(QUIX.requests, value_deserializer="bytes")
    deliver = app.topic(QUIX.deliver, value_serializer=Written())
    delivery_events = app.topic(QUIX.delivery_events, value_serializer=Written())
    decisions = app.dataframe(requests).apply(decide, stateful=True, expand=True)
    decisions.to_topic(lambda pair, *_: deliver if pair[0] else delivery_events)
    equip()
    report()
    app.run()
