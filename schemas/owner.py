"""`owners` (key: ROLE/PARTITION): who can be asked what a role knows in a partition."""

from msgspec import Struct


class Owner(Struct, frozen=True, kw_only=True):
    """A worker that holds a partition of its role, restored; the newest record counts.

    It may have died since: the caller must expect no answer, or one that it is not there.
    """

    role: str
    partition: int
    url: str
