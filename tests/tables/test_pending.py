"""What the decider keeps for later, as it is stored."""

from datetime import UTC, datetime
from typing import Any

import pytest

from policy.limits.rate_limit import Tally
from policy.user.ledger import Held
from schemas.event import Event
from schemas.request import Broadcast, Origin, Request
from schemas.vocabulary import Channel
from tables.pending import (
    CANCEL_KEYS,
    CANCELLED,
    CANCELLING,
    FAN_OUT_TURN,
    FAN_OUTS,
    HELD,
    QUOTAS,
    Cancelling,
    FanOut,
)
from tables.storage.table import Table
from tests.tables.stored import known, read, written

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
EVENT = Event(id="e", type="order.shipped", actor="shop", occurred_at=NOON, data={"n": 7})
PLAIN_EVENT = {
    "id": "e", "type": "order.shipped", "actor": "shop", "occurred_at": NOON, "data": {"n": 7}
}  # fmt: skip
ORIGIN, PLAIN_ORIGIN = Origin("events", 3, 258, "0123456789abcdef"), [
    "events", 3, 258, "0123456789abcdef",
]  # fmt: skip
REQUEST = Request(type="shipped", user="ann", event=EVENT, origin=ORIGIN, accepted_at=5)
PLAIN_REQUEST = {
    "type": "shipped", "user": "ann", "event": PLAIN_EVENT, "origin": PLAIN_ORIGIN,
    "accepted_at": 5,
}  # fmt: skip
BROADCAST = Broadcast(
    type="posted", event=EVENT, origin=ORIGIN, accepted_at=5, followee="bob", bulk=True
)
PLAIN_BROADCAST = {
    "type": "posted", "event": PLAIN_EVENT, "origin": PLAIN_ORIGIN, "accepted_at": 5,
    "followee": "bob", "bulk": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("table", "prefix", "plain", "value"),
    [
        (
            HELD,
            b"h",
            [PLAIN_REQUEST, 2, ["push", "email"], ["a", "b"], ["inapp"]],
            Held(REQUEST, 2, (Channel.PUSH, Channel.EMAIL), ("a", "b"), (Channel.INAPP,)),
        ),
        (CANCEL_KEYS, b"k", "f" * 32, "f" * 32),
        (CANCELLED, b"x", 1_772_366_400_000, 1_772_366_400_000),
        (QUOTAS, b"q", [60, 7, [1, 0, 2]], Tally(60, 7, (1, 0, 2))),
        (
            FAN_OUTS,
            b"o",
            [PLAIN_BROADCAST, b"\x00\x01t\x00\x03ann", "broadcasts.high", 258, True],
            FanOut(BROADCAST, b"\x00\x01t\x00\x03ann", "broadcasts.high", 258, is_set_aside=True),
        ),
        (CANCELLING, b"c", [1000, b"row"], Cancelling(1000, b"row")),
        (FAN_OUT_TURN, b"u", "acme", "acme"),
    ],
    ids=["held", "cancel keys", "cancelled", "quotas", "fan-outs", "cancelling", "turn"],
)
def test_each_is_stored_as_the_last_release_stores_it(
    table: Table[object], prefix: bytes, plain: object, value: object
) -> None:
    assert known(written(table, value), plain) == {prefix + b"key": plain}
    assert read(table, prefix, plain) == value


@pytest.mark.parametrize(
    ("table", "prefix", "plain", "value"),
    [
        (HELD, b"h", [PLAIN_REQUEST, 2, ["push"]], Held(REQUEST, 2, (Channel.PUSH,), (), ())),
        # A fan-out that does not say where its broadcast stood, and was not given up.
        (
            FAN_OUTS,
            b"o",
            [PLAIN_BROADCAST, b"done"],
            FanOut(BROADCAST, b"done", "", 0, is_set_aside=False),
        ),
        # Nothing was looked at yet.
        (CANCELLING, b"c", [1000], Cancelling(1000, b"")),
    ],
    ids=["held", "fan-outs", "cancelling"],
)
def test_rows_of_before_are_read_with_what_held_then(
    table: Table[Any], prefix: bytes, plain: object, value: object
) -> None:
    assert read(table, prefix, plain) == value
    # And written anew, they say so.
    (row,) = written(table, value).values()
    assert read(table, prefix, row) == value
