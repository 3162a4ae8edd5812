"""What the decider reads, in which order, and how much of it at once."""

import msgspec

from pipeline.processing.read_first import Before
from pipeline.processing.slices import RECORDS, Slice
from pipeline.processing.weighted_semaphore import WEIGHTS
from schemas.erasure import Erasure, Withdrawal
from schemas.feed import Post
from schemas.feedback import Feedback, Suppression
from schemas.follow import Follow
from schemas.kinds import is_kind
from schemas.misplaced import Misplaced
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
    BLOCKS,
    CONTACTS,
    DEVICES,
    ERASURES,
    FEEDBACK,
    FOLLOWING,
    HINTS,
    OUTBOX,
    PLACED,
    PREFERENCES,
    PRESENCE,
    PROFILE_CHANGES,
    REQUESTS,
    SUPPRESSIONS,
    WITHDRAWALS,
    Topic,
)
from schemas.vocabulary import Priority

KINDS: dict[Topic, type[msgspec.Struct]] = {
    ERASURES: Erasure,
    PLACED["decider"]: Misplaced,
    CONTACTS: Contacts,
    DEVICES: DeviceChange,
    PREFERENCES: Preferences,
    PROFILE_CHANGES: ProfileChange,
    BLOCKS: Block,
    PRESENCE: Presence,
    FOLLOWING: Follow,
    FEEDBACK: Feedback,
    SUPPRESSIONS: Suppression,
    WITHDRAWALS: Withdrawal,
    REQUESTS[Priority.CRITICAL]: Request,
    **{REQUESTS[priority]: Request for priority in Priority},
    OUTBOX: Post,
    HINTS: Hint,
}
"""Erasures before all, as they drop what is there, and who came back since must stay."""
SHARES = {REQUESTS[priority].name: weight for priority, weight in WEIGHTS.items()}
CONSENT = tuple(topic.name for topic in (PREFERENCES, PROFILE_CHANGES, BLOCKS, SUPPRESSIONS))
"""What users want, and where nothing may go."""
_PLACED = PLACED["decider"].name
WANTED = (_PLACED, *CONSENT)
"""What is read before any request that Kafka took later. Moved records are among it, as what
another partitioner's producer writes of consent comes with them."""
ADDRESSES = (CONTACTS.name, DEVICES.name)
"""Where users can be reached: "no address" is final once these are read up to the event."""
AUDIENCE = (*ADDRESSES, FOLLOWING.name)
"""By what an audience is found, beside what users want."""
KNOWN = {
    **dict.fromkeys((_PLACED, *CONSENT), 2 * WEIGHTS[Priority.HIGH]),
    **dict.fromkeys((*ADDRESSES, PRESENCE.name, FOLLOWING.name), WEIGHTS[Priority.HIGH]),
}
"""Profile updates have shares of their own, so that an import of one tenant takes no more from
the requests of others."""
ASIDE = {
    OUTBOX.name: WEIGHTS[Priority.NORMAL],
    HINTS.name: WEIGHTS[Priority.BULK],
}
"""What nobody waits for."""
AHEAD = (ERASURES.name, REQUESTS[Priority.CRITICAL].name)
"""What goes before all else, once what it waits for is read."""
READ_FIRST = {
    **dict.fromkeys((*WANTED, *ADDRESSES, PRESENCE.name), Before(must=(ERASURES.name,))),
    **{
        topic.name: Before(must=(ERASURES.name, *WANTED), should=(*ADDRESSES, PRESENCE.name))
        for topic in REQUESTS.values()
    },
}
"""An erasure drops all that there is of its user, so what is said of who came back comes after it,
also where another broker brings it sooner.

An audience is whoever follows, or has an attribute, when a broadcast is expanded, so that waits
for all of it. Here it can't, as requests behind it must not: it is put by meanwhile."""
_ASKED = frozenset(topic.name for topic in REQUESTS.values())
"""Topics of requests, with broadcasts among them."""
_SOON = {*ADDRESSES, PRESENCE.name, FOLLOWING.name}
PROMPT = tuple(topic.name for topic in KINDS if topic.name not in {*SHARES, *ASIDE, *_SOON})
GATHERED = tuple(topic for topic in SHARES if not topic.endswith(Priority.BULK))
"""Topics that may hold an event of a digest that is due. Not those of tenants over their share:
their backlog must not delay others, and what stands in it counts as late."""
BROADCAST_SLICE = 16
"""Broadcasts that begin together; each may stand for a thousand decisions."""
POSTS_SLICE = 100
"""Posts in one slice; each is compared with what else its actor posted."""
ERASURES_SLICE = 50
"""Erasures in one slice, each of up to 1,000 timers; and withdrawals, each of up to 100 posts."""
SLICE_RECORDS = {
    OUTBOX.name: POSTS_SLICE,
    ERASURES.name: ERASURES_SLICE,
    WITHDRAWALS.name: ERASURES_SLICE,
}


def work_of(slice_: Slice) -> float:
    """How much work a slice is, where a full one of requests, or of broadcasts, is 1."""
    records, topic = slice_.records, slice_.partition.topic
    if topic not in _ASKED:
        return len(records) / SLICE_RECORDS.get(topic, RECORDS)
    broadcasts = sum(is_kind("broadcast", record.value) for record in records)
    # However many broadcasts a slice has, they are decided for as many people as one.
    return (len(records) - broadcasts) / RECORDS + min(1.0, broadcasts / BROADCAST_SLICE)
