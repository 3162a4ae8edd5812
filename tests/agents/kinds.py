"""What the values of each topic are."""

from msgspec import Raw, Struct

from schemas.audit import Audit
from schemas.block import Block
from schemas.cancellation import Cancellation
from schemas.dead_letter import DeadLetter
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.erasure import Erasure
from schemas.event import Event
from schemas.feedback import Feedback
from schemas.follow import Follow
from schemas.hint import Hint
from schemas.inbox_change import InboxChange
from schemas.live import Live
from schemas.misplaced import Misplaced
from schemas.outcome import Outcome
from schemas.post import Post
from schemas.profile import Contacts, DeviceChange, Preferences, Presence
from schemas.profile_change import ProfileChange
from schemas.receipt import Receipt
from schemas.request import Broadcast, Request
from schemas.subscription import Subscription
from schemas.suppression import Stop, Suppression
from schemas.topics import (
    AUDIT,
    BLOCKS,
    BROADCASTS,
    CANCELLATIONS,
    CANCELLED,
    CANCELLED_BULK,
    CONTACTS,
    DEAD_LETTERS,
    DELIVER,
    DELIVERY_EVENTS,
    DEVICES,
    ERASURES,
    EVENTS,
    FEEDBACK,
    FOLLOWING,
    FOLLOWS,
    HINTS,
    INBOX_CHANGES,
    LIVE,
    MISPLACED,
    OUTBOX,
    OUTCOMES,
    PLACED,
    PREFERENCES,
    PRESENCE,
    PROFILE_CHANGES,
    RECEIPTS,
    REQUESTS,
    RETRY,
    STOPS,
    SUBSCRIPTIONS,
    SUPPRESSIONS,
    WITHDRAWALS,
)
from schemas.withdrawal import Withdrawal

KINDS: dict[str, type[Struct]] = {
    AUDIT.name: Audit,
    EVENTS.name: Event,
    FOLLOWS.name: Follow,
    FOLLOWING.name: Follow,
    PREFERENCES.name: Preferences,
    PROFILE_CHANGES.name: ProfileChange,
    BLOCKS.name: Block,
    CONTACTS.name: Contacts,
    DEVICES.name: DeviceChange,
    PRESENCE.name: Presence,
    CANCELLATIONS.name: Cancellation,
    CANCELLED.name: Cancellation,
    CANCELLED_BULK.name: Cancellation,
    ERASURES.name: Erasure,
    FEEDBACK.name: Feedback,
    RECEIPTS.name: Receipt,
    HINTS.name: Hint,
    INBOX_CHANGES.name: InboxChange,
    LIVE.name: Live[Raw],
    MISPLACED.name: Misplaced,
    OUTBOX.name: Post,
    **{topic.name: Misplaced for topic in PLACED.values()},
    STOPS.name: Stop,
    SUBSCRIPTIONS.name: Subscription,
    SUPPRESSIONS.name: Suppression,
    WITHDRAWALS.name: Withdrawal,
    DEAD_LETTERS.name: DeadLetter,
    DELIVERY_EVENTS.name: DeliveryEvent,
    OUTCOMES.name: Outcome,
    **{topic.name: Request for topic in REQUESTS.values()},
    **{topic.name: Broadcast for topic in BROADCASTS.values()},
    **{topic.name: Delivery for topic in (RETRY, *DELIVER.values())},
}
"""What each topic's values are."""
