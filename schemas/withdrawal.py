"""`withdrawals` (explicit partition): whose posts no feed is to show any more."""

from msgspec import Struct

from schemas.event import Name


class Withdrawal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `actor` posted up to `at` (epoch ms, of Kafka's) goes from every partition's outboxes.

    What comes later counts again. Repeating it changes nothing.
    """

    actor: Name
    at: int
    tenant: Name = "default"
