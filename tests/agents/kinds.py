"""What the values of each topic are."""

from msgspec import Raw, Struct

from schemas.audit import Audit
from schemas.dead_letter import DeadLetter
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.erasure import Erasure, Withdrawal
from schemas.event import Cancellation, Event
from schemas.feed import Post
from schemas.feedback import Feedback, Suppression
from schemas.follow import Follow
from schemas.inbox import InboxChange, Live
from schemas.misplaced import Misplaced
from schemas.outcome import Outcome
from schemas.profile import (
    Block,
    Contacts,
    DeviceChange,
    Hint,
    Preferences,
    Presence,
    ProfileChange,
)
from schemas.request import Request
from schemas.topics import (
    AUDIT,
    BLOCKS,
    CANCELLATIONS,
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
    REQUESTS,
    RETRY,
    SUPPRESSIONS,
    WITHDRAWALS,
)

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
    ERASURES.name: Erasure,
    FEEDBACK.name: Feedback,
    HINTS.name: Hint,
    INBOX_CHANGES.name: InboxChange,
    LIVE.name: Live[Raw],
    MISPLACED.name: Misplaced,
    OUTBOX.name: Post,
    **{topic.name: Misplaced for topic in PLACED.values()},
    SUPPRESSIONS.name: Suppression,
    WITHDRAWALS.name: Withdrawal,
    DEAD_LETTERS.name: DeadLetter,
    DELIVERY_EVENTS.name: DeliveryEvent,
    OUTCOMES.name: Outcome,
    **{topic.name: Request for topic in REQUESTS.values()},
    **{topic.name: Delivery for topic in (RETRY, *DELIVER.values())},
}
"""What each topic's values are."""
