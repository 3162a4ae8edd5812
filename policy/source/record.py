"""A record of a source as its producer wrote it, and what may come of it."""

from msgspec import Struct

from schemas.topics import INTO
from schemas.vocabulary import Reason


class SourceRecord(Struct, frozen=True, kw_only=True):
    """The record's place, and its bytes.

    `timestamp` is epoch ms, as the record has it, or when it was received where it has none. A
    record that came by HTTP stands in no topic.
    """

    value: bytes | None
    timestamp: int
    topic: str = ""
    partition: int = 0
    offset: int = 0
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def texts(self) -> dict[str, str]:
        """The headers as text, the last one where a name is there twice."""
        return {name: value.decode(errors="replace") for name, value in self.headers}


class Mapped(Struct, frozen=True):
    """What the record says, as a record of the public topic that its source leads into."""

    value: Struct
    into: str

    @property
    def key(self) -> str:
        """By which that topic places it."""
        return str(getattr(self.value, INTO[self.into].key))


class Skipped(Struct, frozen=True):
    """Nothing is to come of the record, and that is as the source says."""

    why: str


class Refused(Struct, frozen=True):
    """Nothing can come of the record; it is a dead letter."""

    reason: Reason
    detail: str


Outcome = Mapped | Skipped | Refused
