"""The reference of topics: an AsyncAPI 3 document, and a page of it."""

import inspect
import json
import tomllib
from typing import Any

import msgspec

from pipeline.admin.topic_settings import config_of
from schemas.kinds import STRUCTS
from schemas.topics import DAY_MS, TOPICS, Topic
from tests.documentation.markdown import code, generated, table
from tests.schemas.test_examples import FOLDER, KINDS, example_for, example_of

ROOT = FOLDER.parents[1]
JSON = "application/json"
LINES = "application/x-ndjson"
CHANGELOG = "-changelog"
RECORDS = """\
Each is JSON; fields that have their default may be left out, and unknown ones are ignored. Where a
topic has several kinds of records, all but the first bear the name above in the field `kind`."""
_SCHEMAS = "#/components/schemas/"


def document() -> dict[str, Any]:
    """All topics as channels, with what they hold, and which role reads and writes them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    _, kept = msgspec.json.schema_components(
        list(KINDS.values()), ref_template=f"{_SCHEMAS}{{name}}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tocsin",
            "version": project["version"],
            "description": f"{project['description']}. The topics of Kafka, as `tocsin setup` "
            "creates them with one replica.",
            "license": {"name": "Apache 2.0"},
        },
        "defaultContentType": JSON,
        "channels": {_id(topic.name): _channel(topic) for topic in TOPICS},
        "operations": {name: operation for topic in TOPICS for name, operation in _uses(topic)},
        "components": {
            "messages": {
                name: message for topic in TOPICS for name, message in _messages(topic).items()
            },
            "schemas": {name: as_draft_07(schema) for name, schema in kept.items()},
        },
    }


def as_json() -> str:
    """The document as text."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """A row for each topic, those of producers first."""
    public = [topic for topic in TOPICS if "producers" in topic.written_by]
    others = [topic for topic in TOPICS if topic not in public]
    about = """
Every topic of Kafka, as `tocsin setup` creates it, with `TOCSIN_PARTITIONS` partitions. The same,
with the fields of each record, is an [AsyncAPI 3 document](asyncapi.json). How to write to topics
is in [producers](../producers.md).
"""
    head = ("topic", "key", "written by", "read by", "record", "kept for")
    return (
        generated("Topics", about)
        + "## Topics that producers write\n\n"
        + table(head, map(_row, public))
        + "\n## Topics that Tocsin alone writes\n\n"
        + table(head, map(_row, others))
        + f"\n## Records\n\n{RECORDS}\n\n"
        + table(("record", "meaning"), _records())
    )


def as_draft_07(schema: Any) -> Any:
    """A schema in the words of AsyncAPI, which are those of JSON Schema's draft 7."""
    match schema:
        case dict():
            found = {name: as_draft_07(value) for name, value in schema.items()}
            if "prefixItems" in found:
                found["additionalItems"] = found.pop("items", True)
                found["items"] = found.pop("prefixItems")
            if isinstance(said := found.get("description"), str):
                found["description"] = inspect.cleandoc(said)
            return found
        case list() | tuple():
            return [as_draft_07(each) for each in schema]
    return schema


def _row(topic: Topic) -> tuple[str, ...]:
    kind, example = _kind(topic), example_for(topic.name)
    record = _linked(kind, example) if kind else "state, as bytes"
    for name in topic.kinds:
        record += f"; `{name}`: {_linked(STRUCTS[name], example_of(STRUCTS[name]))}"
    kept = "newest of each key" if topic.compacted else ""
    if topic.retention_ms:
        days = topic.retention_ms / DAY_MS
        kept = f"{kept}{', ' * bool(kept)}{days:g} days" if days >= 1 else "1 hour"
    lines = ", one a line" * topic.lines
    return code(topic.name), topic.key, topic.written_by, topic.read_by, record + lines, kept


def _linked(kind: type[msgspec.Struct], example: str) -> str:
    return f"[{kind.__name__}](../../schemas/examples/{example}.json)"


def _records() -> list[tuple[str, str]]:
    kinds = {kind.__name__: inspect.getdoc(kind) or "" for kind in KINDS.values()}
    return [(code(name), said.split("\n\n")[0]) for name, said in sorted(kinds.items())]


def _kind(topic: Topic) -> type[msgspec.Struct] | None:
    return None if topic.name.endswith(CHANGELOG) else KINDS[example_for(topic.name)]


def _channel(topic: Topic) -> dict[str, Any]:
    config = config_of(topic, replicas=1)
    return {
        "address": topic.name,
        "description": f"Written by {topic.written_by}; read by {topic.read_by}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _messages(topic)},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "topicConfiguration": {
                    "cleanup.policy": config["cleanup.policy"].split(","),
                    "retention.ms": int(config.get("retention.ms", -1)),
                    "max.message.bytes": int(config["max.message.bytes"]),
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _messages(topic: Topic) -> dict[str, dict[str, Any]]:
    """By id, what a topic holds: of its own kind, and of those that say theirs."""
    plain = _id(topic.name)
    return {plain: _message(topic)} | {
        f"{plain}_{name}": _message_of_kind(topic, name) for name in topic.kinds
    }


def _message_of_kind(topic: Topic, kind: str) -> dict[str, Any]:
    struct = STRUCTS[kind]
    example = json.loads((FOLDER / f"{example_of(struct)}.json").read_bytes())
    key = topic.key if topic.key in struct.__struct_fields__ else "partition"
    says = {"type": "object", "properties": {"kind": {"const": kind}}, "required": ["kind"]}
    return {
        "name": f"{topic.name}, {kind}",
        "contentType": JSON,
        "bindings": {
            "kafka": {"key": {"type": "string", "description": key}, "bindingVersion": "0.5.0"}
        },
        "title": struct.__name__,
        "summary": _summary(struct),
        "payload": {"allOf": [says, {"$ref": f"{_SCHEMAS}{_name(struct)}"}]},
        "examples": [{"payload": {"kind": kind, **example}}],
    }


def _summary(kind: type[msgspec.Struct]) -> str:
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def _message(topic: Topic) -> dict[str, Any]:
    kind = _kind(topic)
    message: dict[str, Any] = {
        "name": topic.name,
        "contentType": LINES if topic.lines else topic.content_type or JSON,
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": topic.key},
                "bindingVersion": "0.5.0",
            }
        },
    }
    if kind is None:
        return message | {
            "contentType": "application/octet-stream",
            "summary": "The state of a role, in a form of its own.",
            "payload": {"type": "string", "format": "binary"},
        }
    example = json.loads((FOLDER / f"{example_for(topic.name)}.json").read_bytes())
    return message | {
        "title": kind.__name__,
        "summary": _summary(kind),
        "payload": {"$ref": f"{_SCHEMAS}{_name(kind)}"},
        "examples": [{"payload": example}],
    }


def _name(kind: type[msgspec.Struct]) -> str:
    (schema,), _ = msgspec.json.schema_components([kind], ref_template="{name}")
    return str(schema["$ref"])


def _uses(topic: Topic) -> list[tuple[str, dict[str, Any]]]:
    channel = {"$ref": f"#/channels/{_id(topic.name)}"}
    found = []
    for verb, roles in (("send", topic.written_by), ("receive", topic.read_by)):
        for role in roles.split(", "):
            if role not in ("producers", "operators", "services"):
                operation = {"action": verb, "channel": channel, "summary": f"By {role}."}
                found.append((f"{_id(role)}_{verb}s_{_id(topic.name)}", operation))
    return found


def _id(name: str) -> str:
    """A name as keys of the document may be."""
    return "".join(each if each.isalnum() else "_" for each in name)
