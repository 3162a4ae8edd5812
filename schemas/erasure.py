"""`erasures` (key: user): whom to forget."""

from msgspec import Struct

from schemas.event import Name


class Erasure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is kept of a user goes, and what Kafka took of them before this changes nothing.

    What comes later counts again: the user came back.
    """

    user: Name
    tenant: Name = "default"
