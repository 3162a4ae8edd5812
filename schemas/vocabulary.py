"""The closed vocabularies of Tocsin: channels, priorities, stages and reasons.

Every value is the string that stands in the JSON of a topic and in ClickHouse, so a value
may be added but never renamed.
"""

from enum import StrEnum


class Channel(StrEnum):
    """A way to reach a person."""

    PUSH = "push"
    EMAIL = "email"
    SMS = "sms"
    INAPP = "inapp"


class Priority(StrEnum):
    """How urgent a notification is, most urgent first; one topic per channel and priority."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Stage(StrEnum):
    """What happened to a notification on one channel; each happening is a delivery event."""

    SUPPRESSED = "suppressed"  # decided not to send; the reason says why
    QUEUED = "queued"  # decided to send and written to a deliver topic
    RETRYING = "retrying"  # the provider failed for now; the reason says how
    SENT = "sent"  # the provider accepted it
    DELIVERED = "delivered"
    SEEN = "seen"
    OPENED = "opened"
    CLICKED = "clicked"
    BOUNCED = "bounced"
    FAILED = "failed"  # given up; the delivery is in dead-letters


class Reason(StrEnum):
    """Why a notification was not sent, was retried, or why a record is a dead letter."""

    NONE = ""

    # suppressed by decide, in the order in which decide looks
    EXPIRED = "expired"
    DUPLICATE = "duplicate"
    SUPPRESSED_ADDRESS = "suppressed_address"
    OPTED_OUT = "opted_out"
    NO_ADDRESS = "no_address"
    ONLINE = "online"  # the in-app message stands in for the push
    OFFLINE = "offline"  # the push stands in for the in-app message
    QUIET_HOURS = "quiet_hours"
    RATE_LIMITED = "rate_limited"
    FAN_OUT_ON_READ = "fan_out_on_read"  # the post went to the outbox; feeds read it there

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

    # a record that no agent can use
    UNDECODABLE = "undecodable"
    INVALID = "invalid"
    UNKNOWN_TYPE = "unknown_type"
    TOO_LARGE = "too_large"
    MISSING_KEY = "missing_key"
    KEY_MISMATCH = "key_mismatch"
    RENDER_FAILED = "render_failed"
