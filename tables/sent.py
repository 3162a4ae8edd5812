"""The sent-ledger: what a sink's provider accepted, so that a replay does not send it again."""

from collections.abc import Sequence

from msgspec import Struct

from policy.tracking.reference import day_of
from policy.tracking.ticket import Ticket
from schemas.delivery import Delivery
from schemas.topics import DAY_MS, SENT_KEPT_MS
from tables.storage.store import Store
from tables.storage.table import Table, day_key


class SentMark(Struct, frozen=True, array_like=True):
    """A provider took a delivery at `at` (epoch ms), on this attempt, under this reference.

    Or it may have taken it, and the delivery of the record `held` must not be sent again: then
    `reference` says what is known. Another record of it is an operator's replay, and is sent.
    The `ticket` is kept for messages that bear a reference only, see `policy.tracking.reference`.
    """

    at: int
    provider: str
    reference: str
    attempt: int
    segments: int = 0
    cost: float = 0.0
    held: str = ""
    ticket: Ticket | None = None


SENT = Table(b"s", SentMark)
"""By the day on which its time is up, and delivery id: a day can be forgotten at once.

Not by the day on which Kafka took the event: what waited for weeks would be forgotten when sent.
"""


class SentLedger:
    """The sent-ledger of one partition."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._forgotten = 0

    def find(self, deliveries: Sequence[Delivery]) -> dict[str, SentMark]:
        """The marks, by delivery id, of those that were sent."""
        values = self._store.get_many([SENT.prefix + place_of(each) for each in deliveries])
        return {
            delivery.delivery_id: SENT.decode(value)
            for delivery, value in zip(deliveries, values, strict=True)
            if value is not None
        }

    def read(self, delivery_id: str, day: int) -> SentMark | None:
        """The mark of a delivery that expires on this day (since 1970), if it was sent."""
        (value,) = self._store.get_many([SENT.prefix + _place(delivery_id, day)])
        return None if value is None else SENT.decode(value)

    async def mark(self, delivery: Delivery, mark: SentMark) -> None:
        """Note that it was sent; on return the changelog has it, and any replay will know."""
        await self._store.write({SENT.prefix + place_of(delivery): SENT.encode(mark)})

    def forget(self, now: int) -> None:
        """Drop the days whose deliveries no topic holds any more, as the changelog does itself."""
        oldest = (now - SENT_KEPT_MS) // DAY_MS
        if oldest > self._forgotten:
            self._store.drop_before(SENT.prefix, SENT.prefix + day_key(oldest))
            self._forgotten = oldest


def place_of(delivery: Delivery) -> bytes:
    """The key of its mark."""
    return _place(delivery.delivery_id, day_of(delivery))


def _place(delivery_id: str, day: int) -> bytes:
    return day_key(day) + bytes.fromhex(delivery_id)
