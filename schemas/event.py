"""What happened (`events`) and what must not go out (`cancellations`), both keyed by the actor.

A copy of a cancellation goes to each partition of users, in `cancelled`.
"""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from schemas.naming import Name as Name

Hex = Annotated[str, Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
"""An id of 128 bits. The length keeps out a line break, before which `$` matches as well."""
Moment = Annotated[datetime, Meta(tz=True)]
Timestamp = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""A moment as we write it in replies: RFC 3339 in UTC, to the millisecond, such as
2026-03-14T09:26:53.589Z."""


class Notify(Struct, frozen=True, kw_only=True):
    """Exactly this notification type, to exactly these users, whatever its audience is."""

    type: Name
    users: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=1000)]


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One domain event, JSON, on the topic `events`; its key is `actor`, whatever the record's is.

    `id` is the producer's own and makes the event count once: the same id again within the
    deduplication window notifies nobody twice, from whichever offset it is read.
    `idempotency_key` takes the place of `id` in that where a producer cannot keep ids stable.
    The same id or key with another type, actor, data, `deliver_at` or `cancel_key` is a conflict
    and notifies nobody.
    `occurred_at` is RFC 3339 with an offset. `data` is free-form: the catalogue says which of
    its fields hold recipients, and templates may use every field. Of a list of recipients
    each one's request has that user alone, unless the type's own texts speak of the list.
    `deliver_at` holds the notifications until then; `cancel_key` names them, so that a
    cancellation of that key stops whatever is still held. With `notify` the event sets off that
    type alone, and its own `type` is but a name. `trace` is a `traceparent` of W3C Trace Context,
    if the event is traced, and `tracestate` what goes with it.
    """

    id: Name
    type: Name
    actor: Name
    occurred_at: Moment
    data: dict[str, Any] = {}
    tenant: Name = "default"
    idempotency_key: Name | None = None
    deliver_at: Moment | None = None
    cancel_key: Name | None = None
    notify: Notify | None = None
    trace: str = ""
    tracestate: str = ""


class Cancellation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Stop every notification that is still held under `cancel_key`.

    It concerns events that occurred at or before `at`, whichever of the two is read first. The
    router writes one copy to each user partition. What has left already is not called back. An
    event that ends others (`until`) is written in the same way, under keys that the router derives;
    one that names users, only in their partitions.
    """

    cancel_key: Name
    actor: Name
    at: Moment
    tenant: Name = "default"
