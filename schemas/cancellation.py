"""`cancellations` (key: actor), and among suppressions (explicit partition): what to hold back."""

from msgspec import Struct

from schemas.event import Moment, Name


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
