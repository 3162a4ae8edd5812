"""A source: which records it has, and what each of them says in the terms of a public topic."""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from policy.rendering.failure import failure_of
from policy.source.decoding import JSON_DECODER, Decoder, Undecodable
from policy.source.entry import SourceEntry
from policy.source.envelopes import Opened, as_text, holds_json
from policy.source.expression import Expression, Values, is_absent
from policy.source.kinds import KINDS, Texts, moment_of, texts_of
from policy.source.record import Mapped, Outcome, Refused, Skipped, SourceRecord
from policy.time.timestamps import moment
from schemas.bounds import OutOfBounds, bounded
from schemas.encoding import UNDECODABLE
from schemas.vocabulary import Reason

LONGEST_ID = 200
LARGEST_VALUE = 8 << 20
"""Bytes of a record that is looked at; what it says may have a megabyte, as any public record."""
LARGEST_SAID = 1 << 20
Maker = Callable[[Values], Any]
"""Makes a field, with what is within it; ABSENT where it is to be left out."""
_encode = msgspec.json.Encoder().encode
_WHEN = Skipped("when")
NAMED: Mapping[str, Callable[[SourceRecord, object, object, Opened], Any]] = {
    "value": lambda record, decoded, key, opened: decoded,
    "headers": lambda record, decoded, key, opened: record.texts,
    "topic": lambda record, decoded, key, opened: record.topic,
    "partition": lambda record, decoded, key, opened: record.partition,
    "offset": lambda record, decoded, key, opened: record.offset,
    "timestamp": lambda record, decoded, key, opened: record.timestamp,
    "deleted": lambda record, decoded, key, opened: opened.deleted,
    "key": lambda record, decoded, key, opened: key,
}
"""What expressions may speak of beside the record's own fields."""


class Source(Struct, frozen=True, kw_only=True, dict=True):
    """One source of the catalogue, compiled.

    `wire` is the format of the bytes, and `unwrap` opens what stands around the fields in it.
    `made` are the fields that its mapping sets; `speaks_of` are the names that anything in it asks
    for. `only_topics` matches the names of the topics that it reads.
    """

    name: str
    entry: SourceEntry
    wire: str
    unwrap: Callable[[object, SourceRecord], Opened]
    only_topics: re.Pattern[str] | None
    when: Expression | None
    made: Mapping[str, Maker]
    speaks_of: frozenset[str]
    is_cloud_event: bool
    begins_now: bool
    skips_snapshots: bool

    @property
    def into(self) -> str:
        """The public topic that its records lead into."""
        return self.entry.into

    def reads(self, topic: str) -> bool:
        """Whether it reads a topic of this name; never one that Kafka keeps for itself."""
        pattern = self.only_topics
        return bool(pattern and pattern.fullmatch(topic)) and not topic.startswith("__")

    async def outcome(
        self,
        record: SourceRecord,
        decoder: Decoder = JSON_DECODER,
        key_decoder: Decoder | None = None,
    ) -> Outcome:
        """What comes of a record, which depends on nothing but the record and the source.

        The decoder is that of the source's `wire` format, and `key_decoder` that of its keys. What
        comes by HTTP, and what examples give, is JSON whatever these are. Raises
        RegistryUnavailable where it can't be said now.
        """
        value = record.value
        if value is not None and len(value) > LARGEST_VALUE:
            detail = f"{len(value)} bytes, {LARGEST_VALUE} are allowed"
            return Refused(Reason.TOO_LARGE, detail)
        try:
            if value is None:
                decoded: object = None
            elif self.is_cloud_event and not holds_json(record):
                decoded = as_text(value)
            else:
                decoded = await decoder.decode(value, record.topic)
            opened = self.unwrap(decoded, record)
            key = await _key_of(record, key_decoder) if "key" in self.speaks_of else None
        except Undecodable as error:
            return Refused(Reason.UNDECODABLE, str(error))
        return self._mapped(record, decoded, key, opened)

    def _mapped(
        self, record: SourceRecord, decoded: object, key: object, opened: Opened
    ) -> Outcome:
        if opened.deleted and self.entry.deletes == "skip":
            return Skipped("a delete")
        if opened.snapshot and self.skips_snapshots:
            return Skipped("a row of a snapshot")
        values = opened.fields
        if self._named:
            values = values.copy()
            for name, find in self._named:
                values[name] = find(record, decoded, key, opened)
        doing = "when"
        try:
            if self.when is not None and not self.when(values):
                return _WHEN
            said = self._defaults(record, opened.fields)
            absent = []
            for name, doing, make, text in self._making:
                found = make(values)
                if is_absent(found):
                    absent.append(doing)
                else:
                    said[name] = found if text is None else text(found)
        # What compiles can only fail on the values of the very record, whatever it raises.
        except Exception as error:
            return Refused(Reason.INVALID, f"{doing}: {failure_of(error)}")
        return self._typed(said, absent)

    @cached_property
    def _named(self) -> tuple[tuple[str, Callable[..., Any]], ...]:
        return tuple((name, find) for name, find in NAMED.items() if name in self.speaks_of)

    @cached_property
    def _making(self) -> tuple[tuple[str, str, Maker, Texts | None], ...]:
        texts = texts_of(KINDS[self.into])
        return tuple(
            (name, f"set.{name}", make, texts.get(name)) for name, make in self.made.items()
        )

    def _defaults(self, record: SourceRecord, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that the mapping does not set, as far as the record says them by itself."""
        said: dict[str, Any] = {}
        if self.is_cloud_event and self.into == "events":
            found = _of_cloud_event(fields)
            said = {name: each for name, each in found.items() if name not in self.made}
        if self._moment is not None and self._moment not in said:
            said[self._moment] = moment(record.timestamp)
        if self._is_known_by_place:
            said["id"] = self._id(record)
        return said

    @cached_property
    def _moment(self) -> str | None:
        at = moment_of(self.into)
        return None if at in self.made else at

    @cached_property
    def _is_known_by_place(self) -> bool:
        return self.into == "events" and not self.is_cloud_event and "id" not in self.made

    def _id(self, record: SourceRecord) -> str:
        """The same for the same record, whoever reads it and however often."""
        if record.topic:
            place = f"{self.name}/{record.topic}/{record.partition}/{record.offset}"
            return _fitting(place)
        return _fitting(f"{self.name}/{_digest(record.value or b'')}")

    def _typed(self, said: dict[str, Any], absent: list[str]) -> Outcome:
        try:
            value = bounded(msgspec.convert(said, KINDS[self.into]))
            # An event's fields have bounds that leave it below that.
            size = 0 if self.into == "events" else len(_encode(value))
        except (*UNDECODABLE, OutOfBounds, TypeError, ValueError) as error:
            lacking = f" ({', '.join(absent)} gave nothing)" if absent else ""
            return Refused(Reason.INVALID, f"{error}{lacking}")
        if size > LARGEST_SAID:
            return Refused(Reason.TOO_LARGE, f"{size} bytes, {LARGEST_SAID} are allowed")
        return Mapped(value, self.into)


def _of_cloud_event(fields: Mapping[str, Any]) -> dict[str, Any]:
    data = fields.get("data")
    said = {
        "id": _fitting(f"{fields.get('source')}#{fields.get('id')}"),
        "type": fields.get("type"),
        "actor": fields.get("subject") or fields.get("source"),
        "data": data if isinstance(data, dict) else {} if data is None else {"value": data},
    }
    if type(said["actor"]) is int:
        said["actor"] = str(said["actor"])
    if fields.get("time"):
        said["occurred_at"] = fields["time"]
    return said


async def _key_of(record: SourceRecord, decoder: Decoder | None) -> object:
    if decoder is None or record.key is None:
        return _key(record.key)
    return await decoder.decode(record.key, record.topic)


def _key(key: bytes | None) -> Any:
    """The key: an object where it is one in JSON, without the schema that Connect puts beside it;
    its text else."""
    if key is None:
        return None
    if key.startswith(b"{"):
        try:
            found = msgspec.json.decode(key)
        except UNDECODABLE:
            return as_text(key)
        return found["payload"] if found.keys() == {"schema", "payload"} else found
    return as_text(key)


def _fitting(text: str) -> str:
    return text if len(text) <= LONGEST_ID else _digest(text.encode())


def _digest(text: bytes) -> str:
    return blake2b(text, digest_size=16).hexdigest()
