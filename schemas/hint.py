"""`hints` (key: tenant and user): the hour in which a user opens most."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.event import Name


class Hint(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """In which hour of the day (UTC, 0 to 23) a user opens most; it replaces the last one.

    `local_hour` is the hour that their own clock shows then. It stays right when clocks change, and
    counts where it is given.
    """

    user: Name
    best_hour: Annotated[int, Meta(ge=0, le=23)]
    tenant: Name = "default"
    local_hour: Annotated[int, Meta(ge=0, le=23)] | None = None
