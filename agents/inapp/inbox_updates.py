"""What one slice does to the inboxes of a partition, and what it emits."""

from collections.abc import Iterable
from itertools import islice

import msgspec
from aiokafka import ConsumerRecord

from agents.inapp.inbox_queries import shown_item
from agents.inapp.snoozes import Snoozing
from policy.decision.replacing import OVERTAKEN
from policy.delivery_events import reached, reported
from policy.inbox import EMPTY_COUNTS, Counts, ItemState, changed
from policy.time.timestamps import epoch_ms, moment
from policy.tracking.ticket import ticket_of
from schemas.delivery import Delivery
from schemas.encoding import encode
from schemas.erasure import Erasure
from schemas.feedback import Feedback
from schemas.inbox import InboxChange, Item, Live, Message
from schemas.topics import DELIVERY_EVENTS, FEEDBACK, INBOX_CHANGES, LIVE
from schemas.vocabulary import Reason, Stage
from tables.inbox import (
    COUNTS,
    INBOX,
    NEW,
    REPLACING,
    InboxItem,
    inbox_key,
    item_id,
    key_of_item,
    name_of,
)
from tables.storage.table import key_of
from tables.storage.transaction import Transaction
from tables.timers import Timers

MOST_PRUNED = 10
"""Items that go when one comes: more than come, so that inboxes shrink once their size is set
lower, and few enough for one write, whoever's they are."""


class Inboxes:
    """The inboxes as one transaction sees them, at `now`; each holds `size` items, the newest.

    `whose` is always the key of tenant and user.
    """

    def __init__(self, transaction: Transaction, timers: Timers, size: int, now: int) -> None:
        self._snoozing = Snoozing(transaction, timers, now)
        self._inbox = transaction.view(INBOX)
        self._counts = transaction.view(COUNTS)
        self._replacing = transaction.view(REPLACING)
        self._outputs = transaction.outputs
        self._size = size
        self._now = now

    def load(self, deliveries: list[tuple[Delivery, bytes]]) -> None:
        """Read in one go what `deliver` looks at: a read for each would let go of the
        interpreter twice a record, and wait to have it back while the consumer's thread is busy."""
        self._counts.load({whose for _, whose in deliveries})
        self._inbox.load(
            [
                _place(delivery, whose)
                for delivery, whose in deliveries
                if self._count(whose).may_hold(delivery.accepted_at)
            ]
        )

    def deliver(self, record: ConsumerRecord, delivery: Delivery, whose: bytes) -> None:
        """Store a notification, unless it is there or comes too late, and emit that."""
        counts, key = self._count(whose), _place(delivery, whose)
        item = self._inbox.get(key) if counts.may_hold(delivery.accepted_at) else None
        # Asked before expiry: a repeat after the time to live must not deny what is there.
        refusal = Reason.NONE if item is not None else self._refusal(delivery, whose, key)
        if refusal:
            why = OVERTAKEN if refusal is Reason.CANCELLED else ""
            event = reached(delivery, Stage.SUPPRESSED, self._now, reason=refusal, detail=why)
        else:
            if item is None:
                counts, item = self._stored(delivery, whose, key)
            event = reached(delivery, Stage.SENT, item.stored_at, provider="inbox")
            name = item_id(delivery.accepted_at, name_of(delivery))
            self._go_live(record, delivery, counts, shown_item(name, item))
        self._outputs.add(DELIVERY_EVENTS, record.partition, None, encode(event))

    def change(self, record: ConsumerRecord, change: InboxChange, whose: bytes) -> None:
        """Do to one item, or to all until then, what the user did."""
        for key in self._meant(change, whose):
            item = self._inbox.get(key)
            if item is None:
                continue  # pruned, or another's
            after = changed(item.state, change)
            if after == item.state:
                continue
            self._inbox.put(key, msgspec.structs.replace(item, state=after))
            self._counts.put(whose, self._count(whose).moved(item.state, after))
            if after.snoozed_until != item.state.snoozed_until:
                self._snoozing.moved(whose, key, after)
            self._tell(record, item, after)
        self._go_live(record, change, self._count(whose), None)

    def erase(self, record: ConsumerRecord, erasure: Erasure, whose: bytes) -> None:
        """Nothing of it stays but what was accepted since."""
        after = whose + key_of(f"{record.timestamp + 1:013d}")
        keys = list(self._inbox.keys(whose))
        going = [key for key in keys if key < after]
        self._snoozing.forget_before(whose, after)
        counts = self._count(whose)
        self._inbox.load(going)
        for key in going:
            counts = self._without(key, whose, counts)
        if len(going) == len(keys):
            counts = EMPTY_COUNTS
        self._counts.put(whose, None if counts == EMPTY_COUNTS else counts)
        self._go_live(record, erasure, counts, None)

    def bring_back(self, partition: int) -> None:
        """Tell of what is put off no longer, as much as one transaction takes."""
        back = self._snoozing.back()
        for tenant, user in back:
            # What is in sight depends on the clock alone: it is there at any position.
            counts = self._snoozing.shown(key_of(tenant, user), self._count(key_of(tenant, user)))
            message = Message("counts", counts.last, counts, f"{INBOX_CHANGES.name}:0")
            live = Live(user=user, tenant=tenant, id=counts.last, is_item=False, message=message)
            self._outputs.add(LIVE, partition, None, encode(live))

    def _refusal(self, delivery: Delivery, whose: bytes, key: bytes) -> Reason:
        """Why a new item is not stored; NONE where it is."""
        if self._now >= delivery.expires_at:
            return Reason.EXPIRED
        before = self._place_of_last(delivery, whose)
        if before is not None and before > key:
            return Reason.CANCELLED  # a later one of the same thing came first
        counts = self._count(whose)
        # An item newer than all others, as nearly all are, has a place in any inbox.
        if counts.items < self._size or not counts.may_hold(delivery.accepted_at):
            return Reason.NONE
        return Reason.INBOX_FULL if key < next(self._inbox.keys(whose)) else Reason.NONE

    def _stored(self, delivery: Delivery, whose: bytes, key: bytes) -> tuple[Counts, InboxItem]:
        """A new item at `key`, counted; the one whose place it takes goes, or older ones where
        there are too many."""
        before = self._place_of_last(delivery, whose)
        if before is not None:
            self._inbox.load([before])
            self._counts.put(whose, self._without(before, whose, self._count(whose)))
        if delivery.replaces:
            name = item_id(delivery.accepted_at, name_of(delivery))
            self._replacing.put(whose + key_of(delivery.replaces), name)
        counts = self._room_for_one(whose, self._count(whose)).came(delivery.accepted_at)
        item = _item(delivery, self._now, counts.last)
        self._inbox.put(key, item)
        self._counts.put(whose, counts)
        return counts, item

    def _room_for_one(self, whose: bytes, counts: Counts) -> Counts:
        surplus = min(counts.items + 1 - self._size, MOST_PRUNED)
        if surplus <= 0:
            return counts
        going = list(islice(self._inbox.keys(whose), surplus))
        self._inbox.load(going)
        for oldest in going:
            counts = self._without(oldest, whose, counts)
        return counts

    def _place_of_last(self, delivery: Delivery, whose: bytes) -> bytes | None:
        """Where the item is, if there is one, that the delivery takes the place of."""
        if not delivery.replaces:
            return None
        name = self._replacing.get(whose + key_of(delivery.replaces))
        return None if name is None else key_of_item(delivery.tenant, delivery.user, name)

    def _without(self, key: bytes, whose: bytes, counts: Counts) -> Counts:
        """Take an item away; the counts without it."""
        gone = self._inbox.get(key)
        self._inbox.put(key, None)
        if gone is not None and gone.replaces:
            self._replacing.put(whose + key_of(gone.replaces), None)
        if gone is not None and gone.state.snoozed_until:
            counts = msgspec.structs.replace(counts, snoozed=self._snoozing.forget(whose, key))
        return counts.moved(gone.state if gone else NEW, None)

    def _meant(self, change: InboxChange, whose: bytes) -> Iterable[bytes]:
        if change.item is not None:
            return [key_of_item(change.tenant, change.user, change.item)]
        latest = whose + key_of(f"{epoch_ms(change.at) + 1:013d}")
        return [key for key in self._inbox.keys(whose) if key < latest]

    def _count(self, whose: bytes) -> Counts:
        return self._counts.get(whose) or EMPTY_COUNTS

    def _tell(self, record: ConsumerRecord, item: InboxItem, after: ItemState) -> None:
        """What is new: seen or read for the first time, for analysts and for what waits on it."""
        if item.ticket is None:
            return
        for stage, at, known in (
            (Stage.SEEN, after.seen_at, item.state.seen_at > 0),
            (Stage.OPENED, after.opened_at, item.state.was_opened),
        ):
            if at > 0 and not known:
                event = reported(item.ticket, stage, at, provider="inbox", detail="")
                self._outputs.add(DELIVERY_EVENTS, record.partition, None, encode(event))
                said = Feedback(
                    user=item.ticket.user,
                    tenant=item.ticket.tenant,
                    notification_id=item.notification_id,
                    stage="seen" if stage is Stage.SEEN else "opened",
                    at=moment(at),
                    accepted_at=item.ticket.accepted_at,
                )
                self._outputs.add(FEEDBACK, record.partition, record.key, encode(said))

    def _go_live(
        self,
        record: ConsumerRecord,
        about: Delivery | InboxChange | Erasure,
        counts: Counts,
        item: Item | None,
    ) -> None:
        shown = self._snoozing.shown(key_of(about.tenant, about.user), counts)
        position = f"{record.topic}:{record.offset + 1}"
        if item is None:
            message = Message("counts", counts.last, shown, position)
        else:
            message = Message("item", item.number, shown, position, item)
        live = Live(
            user=about.user,
            tenant=about.tenant,
            id=message.id,
            is_item=item is not None,
            message=message,
        )
        self._outputs.add(LIVE, record.partition, None, encode(live))


def _place(delivery: Delivery, whose: bytes) -> bytes:
    return inbox_key(whose, delivery.accepted_at, name_of(delivery))


def _item(delivery: Delivery, now: int, number: int) -> InboxItem:
    return InboxItem(
        delivery.notification_id,
        delivery.type,
        delivery.content,
        delivery.occurred_at,
        now,
        NEW,
        ticket_of(delivery),
        number,
        delivery.replaces,
    )
