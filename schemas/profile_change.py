"""`profile-changes` (key: user): some of what a user wants, beside which all else stays."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.event import Name
from schemas.profile import QuietHours
from schemas.vocabulary import Channel, Frequency

Zone = Annotated[str, Meta(min_length=1, max_length=200)]


class ProfileChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is said here replaces what was said before; what is absent stays as it is.

    `categories` changes the channels that it names in the categories that it names, and
    `frequency` those categories. `quiet_hours` replaces all of them; an empty list ends them.
    `zone` (IANA) is the user's time zone. The record that Kafka accepted last counts, as with the
    topics `preferences` and `contacts`, which replace all. A producer that knows only a part of
    what a user wants writes this, and not all of it again: what was added in between would be lost.
    """

    user: Name
    categories: Annotated[dict[Name, dict[Channel, bool]], Meta(max_length=1000)] = {}
    frequency: Annotated[dict[Name, Frequency], Meta(max_length=1000)] = {}
    quiet_hours: Annotated[tuple[QuietHours, ...], Meta(max_length=50)] | None = None
    zone: Zone | None = None
    tenant: Name = "default"
    by: Literal["", "api", "page"] = ""
