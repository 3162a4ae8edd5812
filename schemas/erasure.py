"""Whom to forget: `erasures` (key: user), and `withdrawals`, one to each partition."""

from msgspec import Struct

from schemas.event import Name


class Erasure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is kept of a user goes, and what Kafka took of them before this changes nothing.

    What comes later counts again: the user came back.
    """

    user: Name
    tenant: Name = "default"


class Withdrawal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `actor` posted up to `at` (epoch ms, of Kafka's) goes from every partition's outboxes.

    So does whom they followed and who followed them, as far as that was said until then. What
    comes later counts again. Repeating it changes nothing.
    """

    actor: Name
    at: int
    tenant: Name = "default"
