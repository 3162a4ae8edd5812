"""Whom we were told to forget, until no topic holds anything older of them."""

from hashlib import sha256

from pipeline.topics import SENT_KEPT_MS
from tables.table import Table, key_of
from tables.turn import Turn

ERASED: Table[int] = Table(b"z", int)
"""When (epoch ms, of Kafka's) a user was erased, by a hash of tenant and user."""


class Forgotten:
    """What of a slice is older than its user's erasure, and must change nothing any more."""

    def __init__(self, turn: Turn) -> None:
        self._erased = turn.view(ERASED)
        self.is_empty = self._erased.is_empty()
        """Whether there is nobody, as mostly: then nothing need be looked up."""

    def covers(self, tenant: str, user: str, at: int) -> bool:
        """Whether what Kafka took at `at` (epoch ms) is of a user who was erased since."""
        return at <= (self._erased.get(_place(tenant, user)) or 0)

    def note(self, tenant: str, user: str, at: int) -> None:
        """Erased at `at`; those of so long ago that nothing older can come are forgotten too."""
        for key in list(self._erased.keys(b"")):
            if (self._erased.get(key) or 0) + SENT_KEPT_MS < at:
                self._erased.put(key, None)
        place = _place(tenant, user)
        self._erased.put(place, max(at, self._erased.get(place) or 0))
        self.is_empty = False


def _place(tenant: str, user: str) -> bytes:
    return sha256(key_of(tenant, user)).digest()[:16]
