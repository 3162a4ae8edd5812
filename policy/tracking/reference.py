"""References: what a message bears that has no room for a ticket, and where its ticket is kept.

A sink keeps the ticket of such a message in its sent-ledger. A reference is not signed: it counts
only in a report that its provider has signed.
"""

import re

from msgspec import Struct

from schemas.delivery import Delivery

LONGEST_REFERENCE = 80
"""Characters, whatever the ids of users and events are."""
DAY_MS = 86_400_000
_FORM = re.compile(r"([0-9a-f]{32})\.[0-9a-f]{32}\.([0-9]{1,6})\.([0-9]{1,7})", re.ASCII)


class Reference(Struct, frozen=True):
    """A delivery, by the partition that sent it and the day (since 1970) on which it expires."""

    delivery_id: str
    partition: int
    day: int


def reference_of(delivery: Delivery, partition: int) -> str:
    """The reference of a delivery that is sent from this partition."""
    return f"{delivery.delivery_id}.{delivery.notification_id}.{partition}.{day_of(delivery)}"


def read_reference(text: str) -> Reference | None:
    """What a reference says; None for what is none, as other programs on the same account write."""
    found = _FORM.fullmatch(text)
    return Reference(found[1], int(found[2]), int(found[3])) if found else None


def day_of(delivery: Delivery) -> int:
    """The day (since 1970) on which a delivery expires."""
    return max(0, delivery.expires_at) // DAY_MS
