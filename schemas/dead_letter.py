"""`dead-letters` (key: the source record's): records nobody could use, kept to be looked at."""

from msgspec import Struct

from schemas.vocabulary import Reason


class DeadLetter(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record with the reason it was set aside, and where it came from.

    `value` and `key` are the source bytes (base64 in JSON). A value over 256 KiB is cut and
    `truncated` is set: a replay then reads the source offset again. `accepted_at` (epoch ms) is
    when Kafka took the record: a user who was erased since is not brought back by a replay. The
    topic may be a company's own, which is read by a `source` of the catalogue: a replay maps it
    again.
    """

    id: str
    reason: Reason
    detail: str
    role: str
    topic: str
    partition: int
    offset: int
    at: int  # epoch ms
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    truncated: bool = False
    accepted_at: int = 0
    source: str = ""
