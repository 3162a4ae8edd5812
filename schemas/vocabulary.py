"""The closed vocabularies of Tocsin: channels, priorities, stages and reasons.

Every value is the string in the JSON of a topic and in ClickHouse, so a value
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
    """How often a user wants messages of a category: at once, or combined."""

    INSTANTLY = "instantly"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


class Weekday(_Word):
    """A day of the week, in order, as in preferences and in the catalogue."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class Stage(_Word):
    """What happened to a notification on one channel; each happening is a delivery event."""

    SUPPRESSED = "suppressed"
    """Not sent; the reason says why."""
    HELD = "held"
    """Waits to be evaluated again; the reason says for what, the detail until when."""
    DIGESTED = "digested"
    """Sent within a digest; the detail names it."""
    QUEUED = "queued"
    """Handed to the channel, in a `deliver` topic."""
    RETRYING = "retrying"
    """The provider failed for now; the reason says how."""
    SENT = "sent"
    """The provider accepted it."""
    DELIVERED = "delivered"
    """The provider reports that it arrived."""
    SEEN = "seen"
    """The user saw it in the app."""
    OPENED = "opened"
    """The user opened it."""
    CLICKED = "clicked"
    """The user followed a link in it."""
    BOUNCED = "bounced"
    """The provider reports that it could not be delivered."""
    COMPLAINED = "complained"
    """The user called it spam."""
    UNSUBSCRIBED = "unsubscribed"
    """The user wants no more of its category on this channel."""
    FAILED = "failed"
    """Given up; the delivery is a dead letter."""
    ASSIGNED = "assigned"
    """The user is notified or held out, for comparison; the variant says which."""
    GOAL = "goal"
    """The user did what the type is meant to bring about."""


class SuppressionReason(_Word):
    """Why an address must not be used."""

    HARD_BOUNCE = "hard_bounce"  # nobody can be reached there
    COMPLAINT = "complaint"  # the person called a message spam
    UNREGISTERED = "unregistered"  # the provider says it is gone
    STOP = "stop"  # the person answered STOP


class Reason(_Word):
    """Why a notification was not sent, was retried, or why a record is a dead letter."""

    NONE = ""
    """No reason is needed."""

    # suppressed by decide, in the order in which decide looks
    EXPIRED = "expired"
    """Its time to live was over."""
    DUPLICATE = "duplicate"
    """The same id or idempotency key was decided before."""
    CONFLICT = "conflict"
    """The same id or idempotency key came with another body."""
    CANCELLED = "cancelled"
    """A cancellation, an event that ends it, or a newer notification of the same thing."""
    OWN_EVENT = "own_event"
    """The user caused the event."""
    BLOCKED = "blocked"
    """The user has blocked the actor."""
    SUPPRESSED_ADDRESS = "suppressed_address"
    """Every address bounced, or its owner complained or unsubscribed."""
    OPTED_OUT = "opted_out"
    """The user or the tenant has turned off the channel or the category."""
    MUTED = "muted"
    """The user muted what this is about."""
    SNOOZED = "snoozed"
    """The user muted it for a time."""
    NO_ADDRESS = "no_address"
    """No address of the user is stored for this channel."""
    ONLINE = "online"
    """The user has the app open, so the in-app message replaces the push."""
    OFFLINE = "offline"
    """The user does not have the app open, so the push replaces the in-app message."""
    FALL_BACK = "fall_back"
    """A fallback that was not needed, as another channel was used."""
    ENGAGED = "engaged"
    """The user saw or opened it, so it escalates no further."""
    QUIET_HOURS = "quiet_hours"
    """It is within the quiet hours of the user."""
    RATE_LIMITED = "rate_limited"
    """A limit of the type, the category, the actor or the tenant is exceeded."""
    DAILY_LIMIT = "daily_limit"
    """What the tenant may send or spend in a day is used up."""
    TOO_MANY_HELD = "too_many_held"
    """As many notifications are pending for this user as are kept."""
    INBOX_FULL = "inbox_full"
    """It is older than everything that a full inbox keeps."""
    HOLDOUT = "holdout"
    """The user is in a holdout, for comparison."""
    CONDITION = "condition"
    """The type's condition does not hold for this event."""
    FAN_OUT_ON_READ = "fan_out_on_read"
    """The actor has many followers: the post was written once, and feeds merge it in."""

    # held, beside quiet hours and rate limits
    SCHEDULED = "scheduled"
    """It is due later, as the event or the type says."""
    DIGEST = "digest"
    """It is combined with others."""
    ESCALATION = "escalation"
    """It is a later step."""

    # a provider call that did not succeed
    TIMEOUT = "timeout"
    """The provider did not answer in time."""
    UNREACHABLE = "unreachable"
    """The provider could not be reached."""
    THROTTLED = "throttled"
    """The provider takes no more for now."""
    PROVIDER_ERROR = "provider_error"
    """The provider reports an error of its own."""
    UNREADABLE_REPLY = "unreadable_reply"
    """The provider's reply could not be decoded."""
    UNREGISTERED = "unregistered"
    """The address does not exist any more."""
    INVALID_ADDRESS = "invalid_address"
    """The provider says that this is no address."""
    REJECTED = "rejected"
    """The provider refuses the message."""
    UNAUTHORIZED = "unauthorized"
    """The provider refuses our credentials."""
    CIRCUIT_OPEN = "circuit_open"
    """Not called: every provider that could take it is in trouble."""
    NO_PROVIDER = "no_provider"
    """No provider is configured for such an address."""
    UNCERTAIN = "uncertain"
    """It may have been sent, and the channel is set not to risk a second one."""

    # a record that no agent can use
    UNDECODABLE = "undecodable"
    """The record is not JSON of the expected form."""
    INVALID = "invalid"
    """A field can't be used; the detail names it."""
    UNKNOWN_TYPE = "unknown_type"
    """The catalogue has no notification type for the event."""
    TOO_LARGE = "too_large"
    """The record is too large."""
    MISSING_KEY = "missing_key"
    """The record lacks the field that is its key."""
    KEY_MISMATCH = "key_mismatch"
    """The record stands under another key than the one in its value."""
    RENDER_FAILED = "render_failed"
    """A template could not be rendered with the event's data."""
    UNPROCESSABLE = "unprocessable"
    """Working on the record raised an error that nobody foresaw."""


UNWRITTEN = frozenset[str]()
"""Words that are new in this version: it reads them, and only the next release writes them. So
workers of the last release, which know none of them, can run beside this one's."""
BY_CATALOGUE = frozenset[str]()
"""Words that are new in this version, and written only where the catalogue says what the last
release can't read. As the catalogue comes last in an upgrade, no worker of that release is left to
meet them; the next release has none of them here."""
