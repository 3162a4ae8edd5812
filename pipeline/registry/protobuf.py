"""Protobuf records, by the message of the registered schema that they say they are."""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from pipeline.registry.client import Schema
from pipeline.registry.descriptors import Types, types_of
from pipeline.registry.framing import message_path
from pipeline.registry.protobuf_limits import MOST_VALUES, Limits
from policy.source.decoding import Undecodable

Convert = Callable[[Any], Any]
Convertible = Callable[[Any, "_Budget"], Any]


async def protobuf_reader(schema: Schema) -> Callable[[bytes], object]:
    """What reads framed records of a schema into dicts by the fields' names in the .proto file.

    Every field is there: one that was not written has its default, or None where its type tells
    absent from empty (`optional`, messages, members of a `oneof`). Enums are their words, or the
    number where there is none; bytes are base64, 64-bit numbers integers. Of the well-known types
    Timestamp, Duration, FieldMask, wrappers and Struct are what JSON has for them, and an Any is
    a dict with `@type`.

    Raises Undecodable, as what it returns does.
    """
    types = await types_of(schema)
    plans = _Plans(types)
    known: dict[tuple[int, ...], Callable[[bytes], object]] = {}

    def decode(value: bytes) -> object:
        path, at = message_path(value)
        if (read := known.get(path)) is None:
            read = known[path] = plans.reader(types.message(path))
        return read(value[at:])

    return decode


class _Budget:
    """How many more values a record may stand for: defaults take no byte."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_VALUES

    def take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise Undecodable(f"it stands for more than {MOST_VALUES} values")


class _Plans:
    """How each message becomes plain, worked out once."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._plans: dict[str, Convertible] = {}
        self._parsers: dict[str, Convertible] = {}

    def reader(self, descriptor: Descriptor) -> Callable[[bytes], object]:
        """What reads a message of this type."""
        read = self._parsed(descriptor)
        return lambda data: read(data, _Budget())

    def _parsed(self, descriptor: Descriptor) -> Convertible:
        name = descriptor.full_name
        if (found := self._parsers.get(name)) is not None:
            return found
        kind, limits, plain = GetMessageClass(descriptor), Limits(descriptor), self._of(descriptor)

        def read(data: bytes, budget: _Budget) -> object:
            limits.check(data)
            try:
                message = kind.FromString(data)
            except (DecodeError, ValueError) as error:
                raise Undecodable(f"it is no {name} ({error})") from None
            return plain(message, budget)

        self._parsers[name] = read
        return read

    def _of(self, descriptor: Descriptor) -> Convertible:
        name = descriptor.full_name
        if (plan := self._plans.get(name)) is None:
            # Before its fields', which may be of the same type.
            self._plans[name] = lambda message, budget: self._plans[name](message, budget)
            plan = self._plans[name] = self._well_known(name) or self._message(descriptor)
        return plan

    def _message(self, descriptor: Descriptor) -> Convertible:
        fields = [(field.name, self._field(field)) for field in descriptor.fields]
        count = len(fields) + 1

        def plain(message: Message, budget: _Budget) -> dict[str, Any]:
            budget.take(count)
            return {name: convert(message, budget) for name, convert in fields}

        return plain

    def _field(self, field: FieldDescriptor) -> Convertible:
        name = field.name
        get = attrgetter(name)
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            key, value = (field.message_type.fields_by_name[each] for each in ("key", "value"))
            spelt, one = _key_of(key), self._one(value)

            def table(message: Message, budget: _Budget) -> Any:
                entries = get(message)
                budget.take(len(entries))
                # Looking a key up makes what is not there; items() of messages does not.
                return {spelt(each): one(entries[each], budget) for each in entries}

            return table
        one = self._one(field)
        if field.is_repeated:

            def each_of(message: Message, budget: _Budget) -> Any:
                values = get(message)
                budget.take(len(values))
                return [one(each, budget) for each in values]

            return each_of
        if field.has_presence and not field.has_default_value:
            return lambda message, budget: (
                one(get(message), budget) if message.HasField(name) else None
            )
        return lambda message, budget: one(get(message), budget)

    def _one(self, field: FieldDescriptor) -> Convertible:
        if field.message_type is not None:
            descriptor = field.message_type
            # Looked up only then, as a type may contain itself.
            return lambda value, budget: self._of(descriptor)(value, budget)
        if field.enum_type is not None:
            words = {each.number: each.name for each in field.enum_type.values}
            return lambda value, budget: words.get(value, value)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return lambda value, budget: base64.b64encode(value).decode()
        return lambda value, budget: value

    def _well_known(self, name: str) -> Convertible | None:
        if name == "google.protobuf.Any":
            return self._any
        if name in _WRAPPERS:
            is_bytes = name == "google.protobuf.BytesValue"
            return lambda message, budget: (
                base64.b64encode(message.value).decode() if is_bytes else message.value
            )
        if name in ("google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"):
            return _json_value
        plain = _TEXTS.get(name)
        return None if plain is None else lambda message, budget: plain(message)

    def _any(self, message: Any, budget: _Budget) -> dict[str, Any]:
        budget.take(2)
        name = message.type_url.rpartition("/")[2]
        descriptor = self._types.find(name)
        if descriptor is None:
            return {
                "@type": message.type_url,
                "value": base64.b64encode(message.value).decode(),
            }
        found = self._parsed(descriptor)(message.value, budget)
        if isinstance(found, dict) and name not in _VALUES:
            return {"@type": message.type_url, **found}
        return {"@type": message.type_url, "value": found}


def _key_of(field: FieldDescriptor) -> Callable[[Any], str]:
    if field.type == FieldDescriptor.TYPE_BOOL:
        return lambda key: "true" if key else "false"
    return str


def _json_value(message: Any, budget: _Budget) -> Any:
    """What a Struct, a Value or a ListValue stands for."""
    budget.take(1)
    kind = message.DESCRIPTOR.name
    if kind == "Struct":
        return {key: _json_value(message.fields[key], budget) for key in message.fields}
    if kind == "ListValue":
        return [_json_value(each, budget) for each in message.values]
    which = message.WhichOneof("kind")
    if which in ("struct_value", "list_value"):
        return _json_value(getattr(message, which), budget)
    return None if which in (None, "null_value") else getattr(message, which)


def _timestamp(message: Any) -> str:
    """RFC 3339, in UTC, with as many digits of a second as were written: none, 3, 6 or 9."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=message.seconds)
    except OverflowError:
        raise Undecodable(f"{message.seconds} s are no moment that a calendar has") from None
    if not 0 <= message.nanos < 1_000_000_000:
        raise Undecodable(f"a moment has {message.nanos} ns beyond its second")
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + _fraction(message.nanos) + "Z"


def _duration(message: Any) -> str:
    """Seconds, as in 1.5s."""
    if abs(message.nanos) >= 1_000_000_000:
        raise Undecodable(f"a duration has {message.nanos} ns beyond its second")
    sign = "-" if message.seconds < 0 or message.nanos < 0 else ""
    return f"{sign}{abs(message.seconds)}{_fraction(abs(message.nanos))}s"


def _fraction(nanos: int) -> str:
    digits = f"{nanos:09}"
    if nanos == 0:
        return ""
    for kept in (3, 6):
        if not int(digits[kept:]):
            return f".{digits[:kept]}"
    return f".{digits}"


def _field_mask(message: Any) -> str:
    return ",".join(message.paths)


_WRAPPERS = {
    f"google.protobuf.{kind}Value"
    for kind in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
}
_TEXTS: Mapping[str, Convert] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
    "google.protobuf.FieldMask": _field_mask,
}
_VALUES = {
    *_WRAPPERS,
    *_TEXTS,
    "google.protobuf.Struct",
    "google.protobuf.Value",
    "google.protobuf.Any",
}
"""What stands under `value` in an Any, having no fields of its own."""
