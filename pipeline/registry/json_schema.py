"""JSON records, held to their registered schema."""

from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs
import msgspec

from pipeline.registry.client import MOST_SAID, Schema
from pipeline.registry.framing import HEAD
from pipeline.registry.json_unfolding import is_bounded
from policy.source.decoding import Undecodable, read_json

REGEX = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000, size_limit=1 << 20)
"""Steps and bytes for a `pattern`, some of which take time without end for some text."""


def json_reader(schema: Schema) -> Callable[[bytes], object]:
    """What reads framed records that are JSON, and refuses those that contradict their schema.

    References are to registered schemas alone: nothing is fetched for a `$ref`. A schema that
    contains itself, or unfolds without measure, is one that could keep a worker busy for hours
    with a small record. It is not held against records.

    Raises Undecodable, as what it returns does.
    """
    root = _json(schema.text, "its JSON schema")
    named = {name: _json(text, f"its {name[:MOST_SAID]!r}") for name, text in schema.references}
    is_valid = _validator(root, named) if is_bounded(root, named) else None

    def decode(value: bytes) -> object:
        found: object = read_json(value[HEAD:])
        if is_valid is not None:
            try:
                is_valid(found)
            except jsonschema_rs.ValidationError as error:
                where = "".join(f"/{step}" for step in error.instance_path)
                raise Undecodable(
                    f"it contradicts its schema at {where[:MOST_SAID] or 'its root'} "
                    f"(`{error.kind.name}`)"
                ) from None
            except ValueError as error:
                # Numbers that the validator can't hold.
                raise Undecodable(f"it can't be held against its schema ({error})") from None
        return found

    return decode


def _json(text: str, what: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise Undecodable(f"{what} is no JSON ({error})") from None


def _validator(root: Any, named: Mapping[str, Any]) -> Callable[[object], None]:
    def retrieve(uri: str) -> Any:
        for name, found in named.items():
            # A name may be all of the URI, or what is added to that of who refers to it.
            if uri.split("#")[0] == name or uri.endswith(f"/{name}"):
                return found
        raise ValueError("it is not among the schema's references")

    try:
        made = jsonschema_rs.validator_for(root, retriever=retrieve, pattern_options=REGEX)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        said = str(error).splitlines()[0][:MOST_SAID]
        raise Undecodable(f"its JSON schema can't be used ({said})") from None
    return made.validate
