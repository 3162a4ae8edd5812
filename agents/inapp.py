"""The in-app sink: notifications go into the inbox table of the user's own partition."""

import asyncio
from functools import partial

import msgspec

from agents.state import Stateful, open_store
from pipeline.intake import Intake
from pipeline.partitions import Role
from pipeline.runtime import Runtime
from pipeline.slices import Slice
from pipeline.topics import DELIVER, DELIVERY_EVENTS
from policy.delivery_events import reached
from schemas.delivery import Delivery
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tables.inbox import INBOX, InboxItem, inbox_key
from tables.turn import Turn

NAME = str(Channel.INAPP)
TOPICS = [DELIVER[Channel.INAPP, priority] for priority in Priority]
encode = msgspec.json.Encoder().encode


def inapp(runtime: Runtime) -> Role:
    """The role `inapp`."""
    return Role(
        name=NAME,
        topics=tuple(topic.name for topic in TOPICS),
        open_handler=partial(InApp, runtime),
    )


class InApp(Stateful):
    """The in-app channel's share of one partition."""

    def __init__(self, runtime: Runtime, number: int, closing: asyncio.Event) -> None:
        self._runtime = runtime
        super().__init__(open_store(runtime, NAME, number, INBOX))
        kinds = dict.fromkeys(TOPICS, Delivery)
        self._intake = Intake(NAME, kinds, runtime.clock, runtime.settings.bad_share)

    async def handle(self, slice_: Slice) -> None:
        """Store each notification; one that is there already is left as it is."""
        turn = Turn(slice_, self._store, self._runtime.outputs())
        inbox = turn.view(INBOX)
        for record, delivery in self._intake.read(slice_, turn.outputs):
            now = self._runtime.clock.now()
            if now >= delivery.expires_at:
                event = reached(delivery, Stage.SUPPRESSED, now, reason=Reason.EXPIRED)
            else:
                key = _place(delivery)
                item = inbox.get(key) or _item(delivery, now)
                inbox.put(key, item)
                event = reached(delivery, Stage.SENT, item.stored_at, provider="inbox")
            turn.outputs.add(DELIVERY_EVENTS, record.partition, None, encode(event))
        await turn.finish()


def _place(delivery: Delivery) -> bytes:
    return inbox_key(delivery.tenant, delivery.user, delivery.accepted_at, delivery.notification_id)


def _item(delivery: Delivery, now: int) -> InboxItem:
    return InboxItem(
        delivery.notification_id, delivery.type, delivery.content, delivery.occurred_at, now
    )
