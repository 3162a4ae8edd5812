"""The in-app sink: notifications go into the inbox table of the user's own partition, and stay
there with what the user does with them.
"""

import asyncio
from functools import partial

import msgspec
from aiokafka import ConsumerRecord

from agents.inbox_answers import InboxAnswers, shown_counts, shown_item
from agents.state import Stateful, open_store
from pipeline.intake import Intake
from pipeline.partitions import Role
from pipeline.runtime import Runtime
from pipeline.slices import Slice
from pipeline.topics import DELIVER, DELIVERY_EVENTS, ERASURES, FEEDBACK, INBOX_CHANGES, LIVE, Topic
from policy.delivery_events import reached, reported
from policy.inbox import Counts, ItemState, changed
from policy.instants import epoch_ms, moment
from policy.ticket import ticket_of
from schemas.delivery import Delivery
from schemas.erasure import Erasure
from schemas.feedback import Feedback
from schemas.inbox_change import InboxChange
from schemas.inbox_question import Item
from schemas.live import Live
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tables.erased import ERASED, Forgotten
from tables.inbox import COUNTS, INBOX, NEW, InboxItem, inbox_key, key_of_item
from tables.table import key_of
from tables.turn import Turn

NAME = str(Channel.INAPP)
KINDS: dict[Topic, type[msgspec.Struct]] = {
    ERASURES: Erasure,
    INBOX_CHANGES: InboxChange,
    **{DELIVER[Channel.INAPP, priority]: Delivery for priority in Priority},
}
CHANGES_AT_ONCE = 100
"""Changes in one slice; each may be of a whole inbox."""
encode = msgspec.json.Encoder().encode


def inapp(runtime: Runtime) -> Role:
    """The role `inapp`."""
    return Role(
        name=NAME,
        topics=tuple(topic.name for topic in KINDS),
        open_handler=partial(InApp, runtime),
        answers=True,
        slice_records={INBOX_CHANGES.name: CHANGES_AT_ONCE},
    )


class InApp(Stateful):
    """The in-app channel's share of one partition."""

    def __init__(self, runtime: Runtime, number: int, closing: asyncio.Event) -> None:
        self._runtime = runtime
        super().__init__(open_store(runtime, NAME, number, INBOX, COUNTS, ERASED))
        self._intake = Intake(NAME, KINDS, runtime.clock, runtime.settings.bad_share)

    async def handle(self, slice_: Slice) -> None:
        """Store each notification; one that is there already is left as it is."""
        turn = Turn(slice_, self._store, self._runtime.outputs())
        forgotten = Forgotten(turn)
        read = list(self._intake.read(slice_, turn.outputs))
        self._load(turn, [value for _, value in read if isinstance(value, Delivery)])
        for record, value in read:
            if isinstance(value, Erasure):
                self._erase(turn, record, value)
                forgotten.note(value.tenant, value.user, record.timestamp)
            elif forgotten.is_empty or not forgotten.covers(*_about(value, record)):
                self._take(turn, record, value)
        await turn.finish()

    def _take(self, turn: Turn, record: ConsumerRecord, value: InboxChange | Delivery) -> None:
        if isinstance(value, InboxChange):
            self._change(turn, record, value)
        else:
            self._deliver(turn, record, value)

    def _erase(self, turn: Turn, record: ConsumerRecord, erasure: Erasure) -> None:
        person = key_of(erasure.tenant, erasure.user)
        for key in list(turn.view(INBOX).keys(person)):
            turn.view(INBOX).put(key, None)
        turn.view(COUNTS).put(person, None)
        self._go_live(turn, record, erasure.tenant, erasure.user, None)

    async def answer(self, question: bytes) -> bytes:
        """What is in an inbox; see schemas.inbox_question."""
        turn = Turn(None, self._store, self._runtime.outputs())
        return InboxAnswers(turn).answer(question, self._runtime.clock.now())

    def _load(self, turn: Turn, deliveries: list[Delivery]) -> None:
        """Read in one go what `_deliver` looks at: a read for each would let go of the
        interpreter twice a record, and wait to have it back while the consumer's thread is busy."""
        turn.view(INBOX).load([_place(each) for each in deliveries])
        turn.view(COUNTS).load({key_of(each.tenant, each.user) for each in deliveries})

    def _deliver(self, turn: Turn, record: ConsumerRecord, delivery: Delivery) -> None:
        now, inbox = self._runtime.clock.now(), turn.view(INBOX)
        if now >= delivery.expires_at:
            event = reached(delivery, Stage.SUPPRESSED, now, reason=Reason.EXPIRED)
        else:
            key = _place(delivery)
            item = inbox.get(key)
            if item is None:
                counts = turn.view(COUNTS).get(key_of(delivery.tenant, delivery.user)) or Counts()
                item = _item(delivery, now, counts.last + 1)
                self._put(turn, delivery.tenant, delivery.user, key, None, item)
            event = reached(delivery, Stage.SENT, item.stored_at, provider="inbox")
            shown = shown_item(key, item)
            self._go_live(turn, record, delivery.tenant, delivery.user, shown)
        turn.outputs.add(DELIVERY_EVENTS, record.partition, None, encode(event))

    def _change(self, turn: Turn, record: ConsumerRecord, change: InboxChange) -> None:
        inbox = turn.view(INBOX)
        if change.item is not None:
            keys = [key_of_item(change.tenant, change.user, change.item)]
        else:
            latest = key_of(change.tenant, change.user, f"{epoch_ms(change.at) + 1:013d}")
            found = inbox.keys(key_of(change.tenant, change.user))
            keys = [key for key in found if key < latest]
        for key in keys:
            item = inbox.get(key)
            if item is None:
                continue  # pruned, or another's
            after = changed(item.state, change)
            if after == item.state:
                continue
            new = msgspec.structs.replace(item, state=after)
            self._put(turn, change.tenant, change.user, key, item, new)
            self._tell(turn, record, item, after)
        self._go_live(turn, record, change.tenant, change.user, None)

    def _put(
        self,
        turn: Turn,
        tenant: str,
        user: str,
        key: bytes,
        before: InboxItem | None,
        after: InboxItem | None,
    ) -> None:
        """Write an item and what it changes in the counts; the oldest goes where it is full."""
        turn.view(INBOX).put(key, after)
        counts, person = turn.view(COUNTS), key_of(tenant, user)
        now = (counts.get(person) or Counts()).moved(_state(before), _state(after))
        counts.put(person, now)
        if after is not None and now.items > self._runtime.settings.inbox_size:
            oldest = next(turn.view(INBOX).keys(person))
            self._put(turn, tenant, user, oldest, turn.view(INBOX).get(oldest), None)

    def _tell(self, turn: Turn, record: ConsumerRecord, item: InboxItem, after: ItemState) -> None:
        """What is new: seen or read for the first time, for analysts and for what waits on it."""
        if item.ticket is None:
            return
        for stage, at, known in (
            (Stage.SEEN, after.seen_at, item.state.seen_at),
            (Stage.OPENED, after.read_at, item.state.read_at),
        ):
            if at > 0 and not known:
                event = reported(item.ticket, stage, at, provider="inbox", detail="")
                turn.outputs.add(DELIVERY_EVENTS, record.partition, None, encode(event))
                said = Feedback(
                    user=item.ticket.user,
                    tenant=item.ticket.tenant,
                    notification_id=item.notification_id,
                    stage="seen" if stage is Stage.SEEN else "opened",
                    at=moment(at),
                )
                turn.outputs.add(FEEDBACK, record.partition, record.key, encode(said))

    def _go_live(
        self, turn: Turn, record: ConsumerRecord, tenant: str, user: str, item: Item | None
    ) -> None:
        counts = shown_counts(turn.view(COUNTS).get(key_of(tenant, user)) or Counts())
        position = f"{record.topic}:{record.offset + 1}"
        live = Live(tenant=tenant, user=user, counts=counts, position=position, item=item)
        turn.outputs.add(LIVE, record.partition, record.key, encode(live))


def _about(value: InboxChange | Delivery, record: ConsumerRecord) -> tuple[str, str, int]:
    at = value.accepted_at if isinstance(value, Delivery) else record.timestamp
    return value.tenant, value.user, at


def _state(item: InboxItem | None) -> ItemState | None:
    return None if item is None else item.state


def _place(delivery: Delivery) -> bytes:
    return inbox_key(delivery.tenant, delivery.user, delivery.accepted_at, delivery.notification_id)


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
    )
