"""The reference of the HTTP API: a page of its OpenAPI document."""

import inspect
import json
from collections.abc import Iterator
from typing import Any

from tests.documentation.markdown import code, generated, table
from tests.web.caller import memory, settings
from tests.web.desk import desk_of
from web.api.app import routes_of
from web.api.openapi.document import document

_SCHEMAS = "#/components/schemas/"
_ALWAYS = ("400", "401", "403", "405", "408", "413", "415", "429", "500", "503")
"""Answers of every route, which docs/api.md explains."""


def described() -> dict[str, Any]:
    """The document, as `/v1/openapi.json` answers it."""
    routes = routes_of(desk_of(memory(), settings(), 0))
    return document(routes, "", "http://127.0.0.1:8090")


def page() -> str:
    """Every route by its tag, and what they take and answer."""
    found = described()
    about = """
Every route of `tocsin web`, from its OpenAPI document, which a running one has at
`/v1/openapi.json`. What holds for all of them, such as errors and limits, is in
[HTTP API](../api.md).
"""
    parts = [generated("HTTP routes", about)]
    for tag in found["tags"]:
        parts.append(f"## {tag['name']}\n\n{tag['description']}\n\n")
        parts += [
            _route(method, path, operation)
            for path, methods in found["paths"].items()
            for method, operation in methods.items()
            if tag["name"] in operation["tags"]
        ]
    parts.append("## Schemas\n\n")
    schemas = found["components"]["schemas"]
    parts += [_schema(name, schema) for name, schema in sorted(schemas.items())]
    return "".join(parts)


def _route(method: str, path: str, operation: dict[str, Any]) -> str:
    said = inspect.cleandoc(operation["description"])
    text = f"### {operation['summary']}\n\n`{method.upper()} {path}`\n\n{said}\n\n"
    rows = [
        (
            code(each["name"]),
            each["in"],
            "yes" if each["required"] else "no",
            kind_of(each["schema"]),
        )
        for each in operation["parameters"]
    ]
    if rows:
        text += table(("parameter", "in", "required", "type"), rows) + "\n"
    if "requestBody" in operation:
        (content,) = operation["requestBody"]["content"].values()
        text += f"Body: {kind_of(content['schema'])}.\n\n"
        if "example" in content:
            example = json.dumps(content["example"], indent=2, ensure_ascii=False)
            text += f"```json\n{example}\n```\n\n"
    answers = ", ".join(_answers(operation["responses"]))
    return f"{text}Answers: {answers}.\n\n"


def _answers(responses: dict[str, Any]) -> Iterator[str]:
    for status, response in responses.items():
        if status not in _ALWAYS:
            contents = response.get("content", {}).values()
            kinds = [kind_of(content["schema"]) for content in contents]
            yield f"{status} {' '.join(kinds)}".strip()


def _schema(name: str, schema: dict[str, Any]) -> str:
    text = f"### {name}\n\n"
    if said := schema.get("description"):
        text += f"{inspect.cleandoc(said)}\n\n"
    if words := schema.get("enum"):
        return text + f"One of {', '.join(map(code, words))}.\n\n"
    required = schema.get("required", ())
    rows = [
        (code(field), kind_of(kind), "yes" if field in required else _default(kind))
        for field, kind in schema.get("properties", {}).items()
    ]
    return text + (table(("field", "type", "required, or default"), rows) + "\n" if rows else "")


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    return "no" if default in (None, "", [], {}) else code(json.dumps(default, ensure_ascii=False))


def kind_of(schema: dict[str, Any]) -> str:
    """A schema in a few words, with a link where it has a name."""
    if reference := schema.get("$ref"):
        name = reference.removeprefix(_SCHEMAS)
        return f"[{name}](#{name.lower()})"
    if choices := schema.get("anyOf"):
        return " or ".join(map(kind_of, choices))
    if words := schema.get("enum"):
        return " or ".join(map(code, words))
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind_of({**schema, "type": each}) for each in kind)
    if kind == "array":
        items = schema.get("items")
        return f"list of {kind_of(items)}" if items else "list"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"object of {kind_of(values)}" if isinstance(values, dict) and values else "object"
    bounds = ", ".join(_bounds(schema))
    return f"{schema.get('format', kind)}{f' ({bounds})' * bool(bounds)}"


def _bounds(schema: dict[str, Any]) -> Iterator[str]:
    for name, words in (
        ("minLength", "at least {} characters"),
        ("maxLength", "at most {} characters"),
        ("minimum", "at least {}"),
        ("maximum", "at most {}"),
        ("pattern", "`{}`"),
    ):
        if name in schema:
            yield words.format(schema[name])
