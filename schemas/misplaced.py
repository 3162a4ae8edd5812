"""`misplaced` and `placed.*`: records of public topics on their way to their key's partition."""

from typing import Annotated

from msgspec import Meta, Raw, Struct


class Misplaced(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record as it stood in a partition that isn't its key's.

    `topic`, `partition`, `offset` and `accepted_at` (epoch ms, when Kafka took it) are those of
    the record that the producer wrote, wherever this one is moved. `key` (base64 in JSON) and
    `headers` are left out where they are larger than a dead letter could keep.

    What a `source` of the catalogue has read in a company's own topic goes `into` a public one, and
    the value is what it says there. Its place is that in the company's topic, which was made, or
    first read, at `since` (epoch ms): made anew, it begins to count its offsets from 0.

    It is `direct` where the role that read it placed it itself, and not intake. No version does so
    yet; while one that does takes over, such a record overtakes those that intake still has.
    """

    topic: str
    partition: Annotated[int, Meta(ge=0)]
    offset: Annotated[int, Meta(ge=0)]
    accepted_at: int
    value: Raw
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    source: str = ""
    into: str = ""
    since: int = 0
    direct: bool = False
