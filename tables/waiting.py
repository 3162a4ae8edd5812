"""Deliveries that a provider did not take, until they are tried again."""

from itertools import islice
from typing import NamedTuple

import msgspec

from schemas.delivery import Delivery
from tables.storage.step import MOST_ROWS, Step
from tables.storage.store import Store
from tables.storage.table import Table, key_of
from tables.storage.transaction import Transaction
from tables.timers import TIMERS, Horizon, Timer, Timers
from tables.users import user_key

WAITING: Table[bytes] = Table(b"w", bytes)
"""Records as they were written, under tenant, user and delivery id; by the time at which each is
due they stand in TIMERS. As written, so that what only another version knows goes on with them."""
AT_ONCE = 100
"""Deliveries that are taken out in one transaction."""
_decode = msgspec.json.Decoder(Delivery).decode


class Due(NamedTuple):
    """A delivery that is due, and its record."""

    delivery: Delivery
    record: bytes


class Waiting:
    """The deliveries that wait in one partition, each id once.

    `count` says how many, with what the transaction under way adds and takes; `begin` finds it out.
    """

    def __init__(self, store: Store) -> None:
        self._timers = Timers(store)
        self.count = 0

    async def begin(self) -> None:
        """Count what is stored, before anything is added."""
        self.count = await self._timers.count()

    def add(self, transaction: Transaction, delivery: Delivery, record: bytes) -> None:
        """Keep it until it is due, as the record says it.

        Where its id waits already, what has more attempts behind it stays, and of equal ones the
        first: a record that was written twice must not be tried twice as often from then on.
        """
        waiting, timers = transaction.view(WAITING), transaction.view(TIMERS)
        key = _key(delivery)
        stored = waiting.get(key)
        if stored is not None:
            before = _decode(stored)
            if before.attempt >= delivery.attempt:
                return
            self._timers.drop(timers, before.due_at, _timer(before))
            self.count -= 1
        self.count += 1
        waiting.put(key, record)
        self._timers.add(timers, delivery.due_at, _timer(delivery))

    def take_due(self, transaction: Transaction, now: int) -> list[Due]:
        """Take out the first of those that are due at `now` (epoch ms); nothing if none is."""
        waiting, timers = transaction.view(WAITING), transaction.view(TIMERS)
        step, found = Step(AT_ONCE), list[Due]()
        for place, timer in self._timers.due(Horizon(now, 0), AT_ONCE):
            if step.is_over:
                break
            timers.put(place, None)
            key = key_of(timer.tenant, timer.user, timer.name.partition(".")[0])
            record = waiting.get(key)
            if record is not None:
                step.count(1, len(record))
                waiting.put(key, None)
                self.count -= 1
                found.append(Due(_decode(record), record))
        return found

    def next_due(self, now: int) -> int | None:
        """When the first is due (epoch ms), as timers say it; None when nothing waits."""
        return self._timers.next_due(now)

    def drop(self, transaction: Transaction, tenant: str, user: str, at: int, step: Step) -> None:
        """Drop what Kafka took of a user until `at` (epoch ms), as much as the step allows."""
        waiting = transaction.view(WAITING)
        for key in list(islice(waiting.keys(user_key(tenant, user)), MOST_ROWS)):
            record = waiting.get(key)
            if step.is_over or record is None:
                return
            step.count(1, len(record))
            delivery = _decode(record)
            if delivery.accepted_at <= at:
                waiting.put(key, None)
                self.count -= 1
                self._timers.drop(transaction.view(TIMERS), delivery.due_at, _timer(delivery))


def _key(delivery: Delivery) -> bytes:
    return key_of(delivery.tenant, delivery.user, delivery.delivery_id)


def _timer(delivery: Delivery) -> Timer:
    return Timer(delivery.tenant, delivery.user, f"{delivery.delivery_id}.{delivery.attempt}")
