"""`events`: what happened, as a producer says it."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Moment = Annotated[datetime, Meta(tz=True)]


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One domain event, JSON, on the topic `events` under the key `actor`.

    `id` is the producer's own and makes the event count once: the same id again within the
    deduplication window notifies nobody twice, from whichever offset it is read.
    `idempotency_key` takes the place of `id` in that where a producer cannot keep ids stable.
    `occurred_at` is RFC 3339 with an offset. `data` is free-form: the catalogue says which of
    its fields hold recipients, and templates may use every field.
    """

    id: Name
    type: Name
    actor: Name
    occurred_at: Moment
    data: dict[str, Any] = {}
    tenant: Name = "default"
    idempotency_key: Name | None = None
