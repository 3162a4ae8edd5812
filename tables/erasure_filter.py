"""Erased users, until no topic holds anything older of them."""

from collections.abc import Iterable
from hashlib import sha256
from itertools import islice

from aiokafka import ConsumerRecord
from msgspec import Struct

from schemas.erasure import Erasure
from schemas.topics import ERASURES
from tables.storage.store import Store
from tables.storage.table import Table, View, is_known_to_be_empty, key_of
from tables.storage.transaction import Transaction

ERASED: Table[int] = Table(b"z", int)
"""When (epoch ms, of Kafka's) a user was erased, by a hash of tenant and user."""
REMEMBERED_MS = ERASURES.retention_ms
"""How long an erasure is remembered: longer than any topic holds what is older."""
_SWEPT = 4
"""Rows looked at for their age whenever one is noted, next to its own place, which is random: so
there are at most a third more than are needed, and each costs the same however many there are."""


class Erasing(Struct, frozen=True, array_like=True):
    """Edges that are still to go: those accepted until `at` (epoch ms), of them behind `done`."""

    at: int
    done: bytes = b""


ERASING = Table(b"r", Erasing)
"""By tenant, user and the direction in which edges are looked at, see agents.edges."""


class ErasureFilter:
    """What of a slice is older than its user's erasure, and must change nothing any more."""

    def __init__(self, transaction: Transaction) -> None:
        self._erased = transaction.view(ERASED)
        self.is_empty = self._erased.is_empty()
        """Whether there is nobody, as mostly: then nothing need be looked up."""

    def covers(self, tenant: str, user: str, at: int) -> bool:
        """Whether what Kafka took at `at` (epoch ms) is of a user who was erased since."""
        return at <= self.erased_at(tenant, user)

    def erased_at(self, tenant: str, user: str) -> int:
        """When a user was erased (epoch ms), 0 where they were not."""
        return 0 if self.is_empty else self._erased.get(_place(tenant, user)) or 0

    def note(self, tenant: str, user: str, at: int) -> None:
        """Erased at `at`; some of so long ago that nothing older can come are forgotten too."""
        place = _place(tenant, user)
        for key in list(islice(self._erased.keys(b"", place), _SWEPT)):
            if (self._erased.get(key) or 0) + REMEMBERED_MS < at:
                self._erased.put(key, None)
        self._erased.put(place, max(at, self._erased.get(place) or 0))
        self.is_empty = False


def note_erasures(
    transaction: Transaction, records: Iterable[tuple[ConsumerRecord, Erasure]]
) -> None:
    """Remember whom these records say to forget, as of when Kafka took them."""
    forgotten = ErasureFilter(transaction)
    for record, erasure in records:
        forgotten.note(erasure.tenant, erasure.user, record.timestamp)


def erased_at(store: Store, tenant: str, user: str) -> int:
    """The same at this very moment, where lanes work side by side and one of them is told."""
    if is_known_to_be_empty(ERASED, store):
        return 0
    erased = View(ERASED, store)
    return 0 if erased.is_empty() else erased.get(_place(tenant, user)) or 0


def is_forgotten(store: Store, tenant: str, user: str, at: int) -> bool:
    """Whether what Kafka took at `at` (epoch ms) is of a user who was erased since."""
    return at <= erased_at(store, tenant, user)


def _place(tenant: str, user: str) -> bytes:
    return sha256(key_of(tenant, user)).digest()[:16]
