"""The in-app sink: notifications go into the inbox table of the user's own partition, and stay
there with what the user does with them.
"""

import asyncio

import msgspec

from agents.inapp.inbox_queries import InboxAnswers
from agents.inapp.inbox_updates import Inboxes
from agents.state import Stateful, open_store
from pipeline.process.runtime import Runtime
from pipeline.processing.lanes import ReadTo
from pipeline.processing.role import Role
from pipeline.processing.slices import Slice, in_stretches
from pipeline.processing.weighted_semaphore import WEIGHTS
from schemas.delivery import Delivery
from schemas.erasure import Erasure
from schemas.inbox import InboxChange
from schemas.topics import DELIVER, ERASURES, INBOX_CHANGES, Topic
from schemas.vocabulary import Channel, Priority
from tables.erasure_filter import ERASED, ErasureFilter
from tables.inbox import COUNTS, INBOX, REPLACING, SNOOZED
from tables.storage.store import Store
from tables.storage.transaction import Transaction
from tables.timers import TIMERS, Timers
from tables.users import user_key

NAME = str(Channel.INAPP)
KINDS: dict[Topic, type[msgspec.Struct]] = {
    ERASURES: Erasure,
    DELIVER[Channel.INAPP, Priority.CRITICAL]: Delivery,
    INBOX_CHANGES: InboxChange,
    **{DELIVER[Channel.INAPP, priority]: Delivery for priority in Priority},
}
"""In this order: critical deliveries wait for no change that a user makes."""
SHARES = {
    INBOX_CHANGES.name: WEIGHTS[Priority.HIGH],
    **{DELIVER[Channel.INAPP, priority].name: weight for priority, weight in WEIGHTS.items()},
}
"""Somebody looks at what they changed, so changes have as much as what is of high priority."""
CHANGES_AT_ONCE = 5
"""Changes, or erasures, in one slice, for which a critical delivery may wait: each may be of a
whole inbox, which takes some 20 to 90 ms where that holds 1,000 items."""
TABLES = (INBOX, COUNTS, REPLACING, ERASED, SNOOZED, TIMERS)


def inapp(runtime: Runtime) -> Role:
    """The role `inapp`."""

    def open_handler(number: int, closing: asyncio.Event) -> InApp:
        return InApp(runtime, open_store(runtime, NAME, number, *TABLES), number)

    return Role(
        name=NAME,
        topics=tuple(topic.name for topic in KINDS),
        open_handler=open_handler,
        answers=True,
        slice_records=dict.fromkeys((INBOX_CHANGES.name, ERASURES.name), CHANGES_AT_ONCE),
        weights=SHARES,
    )


class InApp(Stateful):
    """The in-app channel's share of one partition."""

    def __init__(self, runtime: Runtime, store: Store, number: int) -> None:
        super().__init__(store, runtime, NAME, KINDS)
        self._number = number
        self._timers = Timers(store)

    async def handle(self, slice_: Slice) -> None:
        """Store each notification; one that is there already is left as it is."""
        transaction = Transaction(slice_, self._store, self._runtime.outputs())
        forgotten = ErasureFilter(transaction)
        read = [
            (record, value, user_key(value.tenant, value.user))
            for record, value in self._intake.read(slice_, transaction.outputs)
        ]
        inboxes = self._inboxes(transaction)
        inboxes.load([(value, whose) for _, value, whose in read if isinstance(value, Delivery)])
        async for stretch in in_stretches(read):
            for record, value, whose in stretch:
                if isinstance(value, Erasure):
                    inboxes.erase(record, value, whose)
                    forgotten.note(value.tenant, value.user, record.timestamp)
                    continue
                at = value.accepted_at if isinstance(value, Delivery) else record.timestamp
                if not forgotten.is_empty and forgotten.covers(value.tenant, value.user, at):
                    continue
                if isinstance(value, Delivery):
                    inboxes.deliver(record, value, whose)
                else:
                    inboxes.change(record, value, whose)
        await transaction.commit()

    async def on_timer(self, read_to: ReadTo) -> float | None:
        """Tell of what was put off until now."""
        transaction, now = (
            Transaction(None, self._store, self._runtime.outputs()),
            self._runtime.clock.now(),
        )
        due = self._timers.next_due(now)
        if due is None or due > now:
            return None if due is None else (due - now) / 1000
        self._inboxes(transaction).bring_back(self._number)
        await transaction.commit()
        return 0

    def _inboxes(self, transaction: Transaction) -> Inboxes:
        size, now = self._runtime.settings.inbox_size, self._runtime.clock.now()
        return Inboxes(transaction, self._timers, size, now)

    async def answer(self, question: bytes) -> bytes:
        """What is in an inbox; see schemas.inbox."""
        transaction = Transaction(None, self._store, self._runtime.outputs())
        return InboxAnswers(transaction).answer(question, self._runtime.clock.now())
