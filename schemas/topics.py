"""Every topic, declared in one place and created before any worker subscribes."""

from msgspec import Struct

from schemas.vocabulary import Channel, Priority

DAY_MS = 86_400_000
KEPT_MS = 7 * DAY_MS
"""How long most topics keep a record."""
SEGMENT_MS = DAY_MS
"""Kafka deletes whole segments, each when its newest record is too old: so a record stays for its
topic's retention and as long again as a segment takes to be closed."""
SENT_KEPT_MS = KEPT_MS + SEGMENT_MS + DAY_MS
"""How long a sink knows what it sent: longer than any topic holds the delivery."""
LARGEST_RECORD = 8 << 20
"""Kafka refuses more; a producer then gets the error itself."""


class Topic(Struct, frozen=True, kw_only=True):
    """One topic: what its key is, who writes it and who reads it.

    A `compacted` topic keeps the newest record of every key. Records older than `retention_ms` are
    deleted, in a compacted topic too unless it is 0. A record of a topic of `lines` holds one or
    more values, a line each. With a `content_type` records say it in the header `content-type`.
    `kinds` are names of further kinds of records in it, each of which says its own (schemas.kinds);
    those about nobody have another key, the partition.
    What that means as settings of Kafka: `pipeline.admin.topic_settings`.
    """

    name: str
    key: str
    written_by: str
    read_by: str
    compacted: bool = False
    retention_ms: int = KEPT_MS
    largest_record: int = LARGEST_RECORD
    lines: bool = False
    content_type: str = ""
    kinds: tuple[str, ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether records come from outside, by a producer or the API."""
        return bool({"producers", "web"} & set(self.written_by.split(", ")))


EVENTS = Topic(name="events", key="actor", written_by="producers", read_by="router")
FOLLOWS = Topic(name="follows", key="followee", written_by="producers", read_by="router")
FOLLOWING = Topic(name="following", key="follower", written_by="router", read_by="decider")
PREFERENCES = Topic(name="preferences", key="user", written_by="producers", read_by="decider")
PROFILE_CHANGES = Topic(
    name="profile-changes", key="user", written_by="producers, web", read_by="decider"
)
BLOCKS = Topic(name="blocks", key="user", written_by="producers, web", read_by="decider")
CONTACTS = Topic(name="contacts", key="user", written_by="producers", read_by="decider")
DEVICES = Topic(name="devices", key="user", written_by="producers, web", read_by="decider")
PRESENCE = Topic(name="presence", key="user", written_by="producers", read_by="decider")
CANCELLATIONS = Topic(name="cancellations", key="actor", written_by="producers", read_by="router")
FEEDBACK = Topic(name="feedback", key="user", written_by="producers, web", read_by="decider")
SUPPRESSIONS = Topic(
    name="suppressions",
    key="user",
    written_by="sinks, web, router",
    read_by="decider",
    kinds=("receipt", "stop", "subscription", "cancellation"),
)
"""What must not go out, and what arrived: all of it is read before a request that came later."""
HINTS = Topic(
    name="hints",
    key="tenant and user",  # as compaction keeps one record a key
    written_by="tocsin hints, decider",
    read_by="decider",
    compacted=True,
    retention_ms=0,
)
REQUESTS = {
    priority: Topic(
        name=f"requests.{priority}",
        key="user",
        written_by="router",
        read_by="decider",
        kinds=("broadcast", "cancellation") if priority is Priority.BULK else ("broadcast",),
    )
    for priority in Priority
}
"""By the priority of the notification's type, or bulk for a tenant over its share; of such a tenant
also what it cancels."""
OUTBOX = Topic(name="outbox", key="partition", written_by="router", read_by="decider")
WITHDRAWALS = Topic(
    name="withdrawals", key="partition", written_by="decider", read_by="router, decider"
)
MISPLACED = Topic(
    name="misplaced",
    key="none: the source's partition",
    written_by="router, decider",
    read_by="intake",
)
"""Records of public topics in another partition than their key's."""
PLACED = {
    role: Topic(name=f"placed.{role}", key="key of the source", written_by="intake", read_by=role)
    for role in ("router", "decider")
}
"""By the role that reads them, the same records in the partitions of their keys."""
DEAD_LETTERS = Topic(
    name="dead-letters",
    key="source key",
    written_by="every role",
    read_by="operators",
    retention_ms=30 * DAY_MS,
)
DELIVERY_EVENTS = Topic(
    name="delivery-events",
    key="none: the source's partition",
    written_by="every role",
    read_by="analytics, intake",
    lines=True,
)
OUTCOMES = Topic(
    name="outcomes",
    key="user",
    written_by="intake",
    read_by="services",
    content_type="application/cloudevents+json; charset=UTF-8",
)
"""What became of notifications, for a company's other services; written where that is set."""
AUDIT = Topic(
    name="audit",
    key="none: any partition",
    written_by="API",
    read_by="analytics",
)
INBOX_CHANGES = Topic(name="inbox-changes", key="user", written_by="web", read_by="inapp")
ERASURES = Topic(
    name="erasures",
    key="user",
    written_by="web",
    read_by="decider, push, email, sms, chat, webhook, inapp, retry, analytics",
    # Longer than any topic keeps what an erased user once caused; dead letters do so the longest.
    retention_ms=DEAD_LETTERS.retention_ms + SEGMENT_MS + DAY_MS,
)
LIVE = Topic(
    name="live",
    key="none: the user's partition",
    written_by="inapp",
    read_by="web",
    retention_ms=3_600_000,
    lines=True,
)
OWNERS = Topic(
    name="owners",
    key="role/partition",
    written_by="intake, router, decider, sinks, inapp",
    read_by="web",
    compacted=True,
    retention_ms=0,
)

RETRY = Topic(name="retry", key="user", written_by="sinks", read_by="retry")
DELIVER = {
    (channel, priority): Topic(
        name=f"deliver.{channel}.{priority}", key="user", written_by="decider", read_by=channel
    )
    for channel in Channel
    for priority in Priority
}


PREFIX = "tocsin-"
"""Of consumer groups and transactional ids."""


def group_of(role: str) -> str:
    """The consumer group of a role."""
    return PREFIX + role


def changelog(role: str) -> Topic:
    """The changelog of a role's partition stores; a sink's forgets what was sent long ago."""
    return Topic(
        name=f"{role}-changelog",
        key="store key",
        written_by=role,
        read_by=role,
        compacted=True,
        retention_ms=SENT_KEPT_MS if role in SINKS else 0,
    )


SINKS = (Channel.PUSH, Channel.EMAIL, Channel.SMS, Channel.CHAT, Channel.WEBHOOK)
"""Channels with a provider, and so with a sent-ledger."""
STATEFUL = ("router", "decider", *SINKS, Channel.INAPP, "retry")
"""Roles with partition stores."""
ROLES = ("intake", *map(str, STATEFUL), "analytics")
"""All roles by name, in the order in which an event meets them."""
TOPICS: tuple[Topic, ...] = (
    EVENTS,
    FOLLOWS,
    FOLLOWING,
    PREFERENCES,
    PROFILE_CHANGES,
    BLOCKS,
    CONTACTS,
    DEVICES,
    PRESENCE,
    CANCELLATIONS,
    FEEDBACK,
    SUPPRESSIONS,
    HINTS,
    *REQUESTS.values(),
    OUTBOX,
    WITHDRAWALS,
    MISPLACED,
    *PLACED.values(),
    DEAD_LETTERS,
    DELIVERY_EVENTS,
    OUTCOMES,
    AUDIT,
    INBOX_CHANGES,
    ERASURES,
    LIVE,
    OWNERS,
    RETRY,
    *DELIVER.values(),
    *(changelog(role) for role in STATEFUL),
)
"""All of them."""
FORMER = dict.fromkeys(
    (
        *("cancelled", "cancelled.bulk", "receipts", "stops", "subscriptions"),
        *(f"broadcasts.{priority}" for priority in Priority),
    ),
    "decider",
)
"""By name of each topic that 0.5.0 still read, and no version since, the role that read it. Where
an installation is older than 0.6.0, they may still be there."""
_NAMES = frozenset(topic.name for topic in TOPICS) | FORMER.keys()
RESERVED = frozenset(
    name.removesuffix(other)
    for name in _NAMES
    for other in _NAMES
    if name != other and name.endswith(other)
)
"""What no prefix may end with, as the names after it would be those of other topics."""
INTO: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        EVENTS,
        CONTACTS,
        DEVICES,
        PREFERENCES,
        FOLLOWS,
        PRESENCE,
        FEEDBACK,
        CANCELLATIONS,
    )
}
"""The public topics into which a source of the catalogue may lead, by name."""


def is_ours(name: str, prefix: str = "") -> bool:
    """Whether a topic of this name in Kafka, where ours have a prefix, is one of them, or was."""
    return name.startswith(prefix) and name.removeprefix(prefix) in _NAMES


GATHERED = frozenset({DELIVERY_EVENTS.name})
"""Topics for whose records nobody waits, all of them by the line: those of many slices are written
together."""
LINES = frozenset(topic.name for topic in TOPICS if topic.lines)
"""Topics whose records hold values by the line."""
HEADERS = {
    topic.name: [("content-type", topic.content_type.encode())]
    for topic in TOPICS
    if topic.content_type
}
"""By topic, the headers that its records have."""
READ_IF_SET = {"intake": (DELIVERY_EVENTS,)}
"""Topics that a role's group reads only where its settings ask for it."""
WRITTEN_IF_SET = {"intake": (OUTCOMES,)}
"""Topics that a role writes, and that need be there, only where its settings ask for it."""


def needed_topics(*, outcomes: bool) -> tuple[Topic, ...]:
    """All that an installation needs, where others are told what became of notifications or not."""
    unset = () if outcomes else tuple(each for topics in WRITTEN_IF_SET.values() for each in topics)
    return tuple(topic for topic in TOPICS if topic not in unset)


INPUTS = {
    role: tuple(
        topic
        for topic in TOPICS
        if role in topic.read_by.split(", ")
        and topic != changelog(role)
        and topic not in READ_IF_SET.get(role, ())
    )
    for role in ROLES
}
"""The topics that each role's group reads, whatever the settings are."""
