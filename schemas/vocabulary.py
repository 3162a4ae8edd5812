"""The closed vocabularies of Tocsin: channels, priorities, stages and reasons.

Every value is the string that stands in the JSON of a topic and in ClickHouse, so a value
may be added but never renamed.

What runs for every record keeps the members that it asks for in constants of its own: up to
Python 3.11, looking one up on its enum costs as much as two calls.
"""

from enum import StrEnum


class _Word(StrEnum):
    # Enum hashes by name and in Python; they are keys of dicts that every decision looks into.
    __hash__ = str.__hash__


class Channel(_Word):
    """A way to reach a person."""

    PUSH = "push"
    EMAIL = "email"
    SMS = "sms"
    INAPP = "inapp"
    CHAT = "chat"  # of Slack, Teams, Discord or Telegram
    WEBHOOK = "webhook"  # a program of the user's own


class Priority(_Word):
    """How urgent a notification is, most urgent first; one topic per channel and priority."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"
    BULK = "bulk"  # what a tenant sends beyond its share; no type may declare it


class Frequency(_Word):
    """How often a user wants to hear of a category: at once, or gathered."""

    INSTANTLY = "instantly"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


class Weekday(_Word):
    """A day of the week, in order, as it stands in preferences and in the catalogue."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class Stage(_Word):
    """What happened to a notification on one channel; each happening is a delivery event."""

    SUPPRESSED = "suppressed"  # decided not to send; the reason says why
    HELD = "held"  # waits; the reason says for what, the detail until when
    DIGESTED = "digested"  # went out within a digest; the detail names it
    QUEUED = "queued"  # decided to send and written to a deliver topic
    RETRYING = "retrying"  # the provider failed for now; the reason says how
    SENT = "sent"  # the provider accepted it
    DELIVERED = "delivered"
    SEEN = "seen"
    OPENED = "opened"
    CLICKED = "clicked"
    BOUNCED = "bounced"
    COMPLAINED = "complained"  # the person called it spam
    UNSUBSCRIBED = "unsubscribed"  # the person wants no more of its category on this channel
    FAILED = "failed"  # given up; the delivery is in dead-letters
    ASSIGNED = "assigned"  # is told or held out, to compare what both do; the variant says which
    GOAL = "goal"  # the user did what a type is to bring about


class Bar(_Word):
    """Why an address must not be used."""

    HARD_BOUNCE = "hard_bounce"  # nobody can be reached there
    COMPLAINT = "complaint"  # the person called a message spam
    UNREGISTERED = "unregistered"  # the provider says it is gone
    STOP = "stop"  # the person answered STOP


class Reason(_Word):
    """Why a notification was not sent, was retried, or why a record is a dead letter."""

    NONE = ""

    # suppressed by decide, in the order in which decide looks
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"  # the same id or idempotency key with another body
    CANCELLED = "cancelled"
    OWN_EVENT = "own_event"  # the user did it themselves
    BLOCKED = "blocked"  # the user has blocked whoever did it
    SUPPRESSED_ADDRESS = "suppressed_address"
    OPTED_OUT = "opted_out"
    MUTED = "muted"  # the user muted what this is about
    SNOOZED = "snoozed"  # the user muted it for a time
    NO_ADDRESS = "no_address"
    ONLINE = "online"  # the in-app message stands in for the push
    OFFLINE = "offline"  # the push stands in for the in-app message
    FALL_BACK = "fall_back"  # stands by; the channel before it goes out
    ENGAGED = "engaged"  # the user saw or opened it, so it escalates no further
    QUIET_HOURS = "quiet_hours"
    RATE_LIMITED = "rate_limited"
    TOO_MANY_HELD = "too_many_held"  # as many wait for this user as are kept
    INBOX_FULL = "inbox_full"  # older than all that a full inbox keeps
    HOLDOUT = "holdout"  # nobody of this share is told, to see what telling brings
    CONDITION = "condition"  # the type is for other events, by what they hold
    FAN_OUT_ON_READ = "fan_out_on_read"  # the post went to the outbox; feeds read it there

    # held, beside quiet hours and rate limits
    SCHEDULED = "scheduled"
    DIGEST = "digest"
    ESCALATION = "escalation"

    # a provider call that did not succeed
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"
    PROVIDER_ERROR = "provider_error"
    UNREADABLE_REPLY = "unreadable_reply"
    UNREGISTERED = "unregistered"
    INVALID_ADDRESS = "invalid_address"
    REJECTED = "rejected"
    UNAUTHORIZED = "unauthorized"
    CIRCUIT_OPEN = "circuit_open"  # not called: every provider that could take it is in trouble
    NO_PROVIDER = "no_provider"  # none is configured for such an address
    UNCERTAIN = "uncertain"  # it may have gone out, and the channel is not to risk a second one

    # a record that no agent can use
    UNDECODABLE = "undecodable"
    INVALID = "invalid"
    UNKNOWN_TYPE = "unknown_type"
    TOO_LARGE = "too_large"
    MISSING_KEY = "missing_key"
    KEY_MISMATCH = "key_mismatch"
    RENDER_FAILED = "render_failed"
    UNPROCESSABLE = "unprocessable"  # working on it raised an error that nobody foresaw


UNWRITTEN = frozenset[str]((Frequency.WEEKLY,))
"""Words that are new in this version: it reads them, and only the next release writes them. So
workers of the last release, which know none of them, can run beside this one's."""
BY_CATALOGUE = frozenset[str]((Stage.ASSIGNED, Stage.GOAL, Reason.HOLDOUT))
"""Words that are new in this version, and written only where the catalogue says what the last
release can't read. As the catalogue comes last in an upgrade, no worker of that release is left to
meet them; the next release has none of them here."""
