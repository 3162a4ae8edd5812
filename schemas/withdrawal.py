"""`withdrawals` (explicit partition): what all partitions are to forget of a user."""

from msgspec import Struct

from schemas.event import Name


class Withdrawal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `actor` posted up to `at` (epoch ms, of Kafka's) goes from every partition's outboxes.

    So does whom they followed and who followed them, as far as that was said until then. What
    comes later counts again. Repeating it changes nothing.
    """

    actor: Name
    at: int
    tenant: Name = "default"
