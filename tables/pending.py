"""What the decider keeps for later, beside the ledgers that say when."""

from msgspec import Struct

from policy.limits.daily_limit import Spending
from policy.limits.rate_limit import Tally
from policy.user.ledger import Held
from schemas.request import Broadcast
from tables.storage.table import Table

HELD = Table(b"h", Held)
"""Requests that wait, under tenant, user and row."""

CANCEL_KEYS: Table[str] = Table(b"k", str)
"""Which rows were held under a cancel key: notification ids under (tenant, key, user, row)."""

CANCELLED: Table[int] = Table(b"x", int)
"""When a key was last cancelled (epoch ms), under (tenant, key): the event may come later."""

QUOTAS = Table(b"q", Tally)
"""What each tenant used of this partition's share of its limit."""

SPENT = Table(b"s", Spending)
"""What each tenant sent and spent of this partition's share of its limit, by day."""


class FanOut(Struct, frozen=True, array_like=True):
    """A broadcast that is being worked through: everyone up to and with `done` was decided.

    It stood in `topic` at `offset`; rows of before do not say. `is_set_aside` once it is a dead
    letter, because a user could not be notified.
    """

    broadcast: Broadcast
    done: bytes
    topic: str = ""
    offset: int = 0
    is_set_aside: bool = False


class Cancelling(Struct, frozen=True, array_like=True):
    """A key that was cancelled at `at` (epoch ms); what is held under it was looked at up to and
    with `done`."""

    at: int
    done: bytes = b""


CANCELLING = Table(b"c", Cancelling)
"""Cancellations with more held requests in this partition than are dropped in one go, under
(tenant, key). What is left of them is never sent: CANCELLED is asked before."""


FAN_OUTS = Table(b"o", FanOut)
"""Broadcasts with more people in this partition than are decided in one go, by tenant and, within
it, by priority."""

AWAITED = Table(b"B", FanOut)
"""Broadcasts whose audience is not read yet, by priority and by when Kafka took them."""

FAN_OUT_TURN: Table[str] = Table(b"u", str)
"""Which tenant had the last turn of those who have such broadcasts; one row."""
