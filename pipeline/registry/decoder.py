"""What turns a source's framed records into plain values."""

import asyncio
import time
from collections.abc import Callable, Coroutine

from pipeline.registry.avro import avro_reader
from pipeline.registry.client import Kind, Registry, Schema
from pipeline.registry.framing import schema_id
from pipeline.registry.json_schema import json_reader
from pipeline.registry.protobuf import protobuf_reader
from policy.source.decoding import RegistryUnavailable, Undecodable
from policy.source.entry import ReadAsEntry

KINDS: dict[str, Kind] = {"avro": "AVRO", "protobuf": "PROTOBUF", "json-schema": "JSON"}
"""By the names that formats have in the catalogue."""
LONG = 0.01
"""Seconds; a common record takes a thousandth of that."""
MOST_COMPILED = 8 << 20
"""Characters of the schemas that are kept ready for a source, which take many times that; of more,
those that came last."""

Read = Callable[[bytes], object]


class RegistryDecoder:
    """Of the records of one source, their values or their keys.

    A schema to read as belongs to the topic's values, or keys, unless a subject is named.
    """

    def __init__(
        self,
        registry: Registry,
        kind: str,
        *,
        read_as: ReadAsEntry | None = None,
        is_key: bool = False,
    ) -> None:
        self._registry = registry
        self._format = kind
        self._read_as = read_as
        self._part = "key" if is_key else "value"
        self._ready: dict[tuple[int, str], Read] = {}
        self._sizes: dict[tuple[int, str], int] = {}

    async def decode(self, value: bytes, topic: str) -> object:
        """What the record says: dicts, lists, text, integers, floats, booleans and None.

        Nothing is awaited where the schema is known, but for a turn of the loop after a record that
        took long. Raises Undecodable for a record that will never be read, and RegistryUnavailable
        where that isn't known: then nothing was kept, and the same call may be made again.
        """
        number = schema_id(value)
        about = (number, topic if self._read_as is not None else "")
        read = self._ready.get(about)
        if read is None:
            read = await self._made_ready(about, topic)
        begin = time.perf_counter()
        try:
            return read(value)
        except RecursionError:
            raise Undecodable("it is too many levels deep") from None
        finally:
            if time.perf_counter() - begin > LONG:
                # Many such records, one after the other, must not keep a lease from being renewed.
                await asyncio.sleep(0)

    async def _made_ready(self, about: tuple[int, str], topic: str) -> Read:
        number, _ = about
        schema = await self._registry.by_id(number)
        wanted = KINDS[self._format]
        if schema.kind != wanted:
            raise Undecodable(f"schema {number} is of type {schema.kind}, the source's is {wanted}")
        if self._read_as is None:
            making = _MAKERS[self._format](schema)
        else:
            making = _avro(schema, await self._reader(self._read_as, topic))
        try:
            read = await making
        except Undecodable as error:
            # A schema never changes: what can't be used now never will be.
            read = _refusing(f"schema {number}: {error}")
        self._ready[about], self._sizes[about] = read, schema.size
        while sum(self._sizes.values()) > MOST_COMPILED and len(self._sizes) > 1:
            oldest = next(iter(self._sizes))
            del self._ready[oldest], self._sizes[oldest]
        return read

    async def _reader(self, read_as: ReadAsEntry, topic: str) -> Schema:
        subject = read_as.subject or f"{topic}-{self._part}"
        try:
            found = await self._registry.by_version(subject, read_as.version)
            if found.kind != "AVRO":
                raise Undecodable(f"version {read_as.version} of {subject} is of {found.kind}")
        except Undecodable as error:
            # Whoever named it is mistaken, or early; no record is to blame.
            raise RegistryUnavailable(f"There is nothing to read records as: {error}") from None
        return found


def _refusing(why: str) -> Read:
    def refuse(value: bytes) -> object:
        raise Undecodable(why)

    return refuse


async def _avro(schema: Schema, reader: Schema | None = None) -> Read:
    # A large one takes a while, in which the loop has others to serve.
    return await asyncio.to_thread(avro_reader, schema, reader)


async def _json(schema: Schema) -> Read:
    return await asyncio.to_thread(json_reader, schema)


_MAKERS: dict[str, Callable[[Schema], Coroutine[None, None, Read]]] = {
    "avro": _avro,
    "protobuf": protobuf_reader,
    "json-schema": _json,
}
