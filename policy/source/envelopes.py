"""What stands around the fields of a record: nothing, Debezium's envelope, or a CloudEvent's."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from policy.source.decoding import Undecodable, read_json
from policy.source.record import SourceRecord

JSON_TYPES = ("application/json", "text/json")
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
_KAFKA, _HTTP = "ce_", "ce-"
_DELETES = frozenset({"d", "t"})
"""Of Debezium's operations: a row was deleted, or all rows of the table."""
_BESIDE_SCHEMA = {"schema", "payload"}
"""The fields of a record of Connect's JSON converter that has its schema beside it."""
_REQUIRED = ("id", "source", "type")


class Opened(NamedTuple):
    """The fields of a record, and what its envelope says of it."""

    fields: dict[str, Any]
    deleted: bool = False
    snapshot: bool = False


def plain(value: object, record: SourceRecord) -> Opened:
    """A record without an envelope, whose fields are those of its object."""
    if value is None:
        return Opened({}, deleted=True)
    fields = value if isinstance(value, dict) else {}
    return Opened(fields, deleted=str(fields.get("__deleted")).lower() == "true")


def debezium(value: object, record: SourceRecord) -> Opened:
    """A change of a row as Debezium tells it, with or without its schema beside it.

    A record that Debezium's own transformation has flattened has the row's fields and no envelope.
    Raises Undecodable for what is neither.
    """
    if isinstance(value, dict) and len(value) == 2 and value.keys() == _BESIDE_SCHEMA:
        value = value["payload"]
    if value is None:
        return Opened({}, deleted=True)
    if not isinstance(value, dict):
        raise Undecodable("is no change of a row: it is no object")
    operation = value.get("op")
    if operation is None:
        if any(name.startswith("__") for name in value):
            return plain(value, record)
        raise Undecodable("is no change of a row: it has no field op, and none of a flattened one")
    deleted = isinstance(operation, str) and operation in _DELETES
    return Opened(value, deleted=deleted, snapshot=operation == "r")


def cloud_event(value: object, record: SourceRecord) -> Opened:
    """A CloudEvent's attributes with its `data`, whichever way it was sent; raises Undecodable."""
    if value is None and not _is_binary(record.texts):
        return Opened({}, deleted=True)
    if is_structured(record):
        return Opened(_structured(value))
    headers = record.texts
    prefix = _prefix_of(headers)
    if prefix is None:
        if isinstance(value, dict) and "specversion" in value:
            return Opened(_structured(value))  # many clients leave out the content type
        raise Undecodable("is no CloudEvent: it has no attributes, in headers or beside its data")
    fields: dict[str, Any] = {
        name.lower()[len(prefix) :]: unquote(content) if prefix == _HTTP else content
        for name, content in headers.items()
        if name.lower().startswith(prefix)
    }
    _check(fields)
    if content_type := _content_type(headers):
        fields["datacontenttype"] = content_type
    return Opened(fields | {"data": value})


def is_structured(record: SourceRecord) -> bool:
    """Whether the whole event stands in the value, as the record's content type says."""
    return _media_type(_content_type(record.texts)) == STRUCTURED


def holds_json(record: SourceRecord) -> bool:
    """Whether the value of a CloudEvent is JSON: the whole event, or its data."""
    headers = record.texts
    media = _media_type(_content_type(headers))
    is_json = not media or media in JSON_TYPES or media.endswith("+json")
    return is_json or not _is_binary(headers)


def as_text(value: bytes) -> str:
    """Data that is no JSON: its text, or in base64 where it is none."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def _structured(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Undecodable("is no CloudEvent: it is no object")
    _check(value)
    if "data_base64" not in value:
        return value
    fields = {name: each for name, each in value.items() if name != "data_base64"}
    try:
        data = base64.b64decode(str(value["data_base64"]), validate=True)
    except binascii.Error as error:
        raise Undecodable(f"has data_base64 that is none: {error}") from None
    media = _media_type(str(value.get("datacontenttype") or "application/json"))
    is_json = media in JSON_TYPES or media.endswith("+json")
    return fields | {"data": read_json(data) if is_json else as_text(data)}


def _check(fields: Mapping[str, Any]) -> None:
    version = fields.get("specversion")
    if version not in ("1.0", "0.3"):
        raise Undecodable(f"is no CloudEvent of version 1.0: its specversion is {version!r}")
    for name in _REQUIRED:
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise Undecodable(f"is no CloudEvent: it has no {name}")


def _is_binary(headers: Mapping[str, str]) -> bool:
    return _prefix_of(headers) is not None


def _prefix_of(headers: Mapping[str, str]) -> str | None:
    names = {name.lower() for name in headers}
    return next((each for each in (_KAFKA, _HTTP) if f"{each}specversion" in names), None)


def _content_type(headers: Mapping[str, str]) -> str:
    return next((each for name, each in headers.items() if name.lower() == "content-type"), "")


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
