"""Records of a topic of which it isn't known yet how they are written."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import orjson

from pipeline.registry.client import Registry
from pipeline.registry.decoder import KINDS, RegistryDecoder
from pipeline.registry.framing import HEAD, MAGIC, schema_id
from policy.source.decoding import Undecodable
from policy.source.record import SourceRecord

_FORMATS: dict[str, str] = {kind: name for name, kind in KINDS.items()}


def is_framed(record: SourceRecord) -> bool:
    """Whether it seems to name a schema: no JSON begins with the byte that such records do."""
    return record.value is not None and len(record.value) >= HEAD and record.value[0] == MAGIC


async def in_json(
    registry: Registry, records: Sequence[SourceRecord]
) -> tuple[str, list[SourceRecord]]:
    """The format that most of these have, and those that can be read by it, as JSON.

    Raises Undecodable where no schema of theirs is registered, and RegistryUnavailable.
    """
    kinds = Counter[str]()
    for record in records:
        try:
            kinds[(await registry.by_id(schema_id(record.value or b""))).kind] += 1
        except Undecodable:
            continue
    if not kinds:
        raise Undecodable("no schema that the records name is registered")
    found = _FORMATS[kinds.most_common(1)[0][0]]
    decoder, read = RegistryDecoder(registry, found), []
    for record in records:
        try:
            value = await decoder.decode(record.value or b"", record.topic)
            read.append(msgspec.structs.replace(record, value=orjson.dumps(value)))
        except (Undecodable, orjson.JSONEncodeError):
            continue
    return found, read
