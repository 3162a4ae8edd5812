"""The OpenAPI 3.1 document of the routes, made from the very structs that they decode into."""

import inspect
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from schemas.naming import Name
from web.api.idempotency import HEADER, PATTERN
from web.api.openapi.schema import tidied, without_null
from web.api.openapi.texts import ABOUT, HEADERS, KEY, LIMITS, TAGS
from web.api.problem import MEDIA_TYPE, ProblemBody
from web.api.route import Route

JSON = "application/json"
_SCHEMAS = "#/components/schemas/"
_PARAMETER = re.compile(r"\{(\w+)\}")
_ALWAYS = (400, 401, 403, 405, 429, 500, 503)
_WITH_BODY = (408, 413, 415)
_UNLIMITED = (401, 405)
"""Refused before it is known whose limit it counts towards."""

_MORE_HEADERS = {
    401: ("WWW-Authenticate",),
    405: ("Allow",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}


def document(routes: Iterable[Route], version: str, server: str) -> dict[str, Any]:
    """The document; `server` is where clients reach us."""
    routes = list(routes)
    kinds = _kinds(routes)
    schemas, kept = msgspec.json.schema_components(kinds, ref_template=f"{_SCHEMAS}{{name}}")
    schema_of = dict(zip(map(repr, kinds), tidied(schemas), strict=True))
    components = tidied(kept)
    queries = {repr(route.query): route.query for route in routes if route.query is not None}
    fields = {name: components.pop(_name(schema_of[name])) for name in queries}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = _operation(route, schema_of, fields)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    used = {route.tag for route in routes}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tocsin",
            "version": version,
            "description": ABOUT,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server, "description": "This server"}],
        "tags": [{"name": tag, "description": said} for tag, said in TAGS.items() if tag in used],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": _problems(schema_of[repr(ProblemBody)]),
            "headers": HEADERS,
            "securitySchemes": {"key": KEY},
        },
    }


def _kinds(routes: list[Route]) -> list[Any]:
    found: dict[str, Any] = {repr(ProblemBody): ProblemBody}
    for route in routes:
        for kind in (route.body, route.query, *route.replies.values()):
            if kind is not None:
                found[repr(kind)] = kind
    return list(found.values())


def _name(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).removeprefix(_SCHEMAS)


def _operation(
    route: Route, schema_of: dict[str, Any], fields: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    query = fields[repr(route.query)] if route.query is not None else {}
    said = (inspect.getdoc(route.handler), query.get("description"))
    operation: dict[str, Any] = {
        "tags": [route.tag],
        "summary": route.summary,
        "description": "\n\n".join([*filter(None, said), f"Needs the scope `{route.scope}`."]),
        "operationId": route.name,
        "parameters": [
            *_path_parameters(route),
            *_query_parameters(query),
            *([_KEY_PARAMETER] if route.keyed else ()),
        ],
        "responses": _responses(route, schema_of),
    }
    if route.sender is not None:
        operation["security"] = [{"key": []}, {}]
    if route.body is not None:
        content: dict[str, Any] = {"schema": schema_of[repr(route.body)]}
        if route.example is not None:
            content["example"] = route.example
        operation["requestBody"] = {"required": True, "content": {JSON: content}}
    return operation


_KEY_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "The same as the body's `idempotency_key`, with or without quotes around it: "
    "the request sent again under the same key notifies nobody twice. In a request of many, each "
    "that has no key of its own has this one with its place.",
    "schema": {"type": "string", "pattern": PATTERN},
    "example": "order-77-shipped",
}


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    schema = msgspec.json.schema(Name)
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name in _PARAMETER.findall(route.path)
    ]


def _query_parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": without_null(field)}
        for name, field in schema.get("properties", {}).items()
    ]


def _responses(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, kind in route.replies.items():
        if kind is not ProblemBody:
            content = {"content": {JSON: {"schema": schema_of[repr(kind)]}}} if kind else {}
            headers = {name: _header(name) for name in LIMITS}
            found[str(status)] = {
                "description": HTTPStatus(status).phrase,
                "headers": headers,
                **content,
            }
    refused = [status for status, kind in route.replies.items() if kind is ProblemBody]
    for status in (*_ALWAYS, *(_WITH_BODY if route.body is not None else ()), *refused):
        found[str(status)] = {"$ref": f"#/components/responses/{_problem_name(status)}"}
    return dict(sorted(found.items()))


def _problem_name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")


def _problems(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        _problem_name(status): {
            "description": HTTPStatus(status).phrase,
            "headers": {name: _header(name) for name in _headers_of(status)},
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in (*_ALWAYS, *_WITH_BODY, 404, 409, 422)
    }


def _headers_of(status: int) -> tuple[str, ...]:
    limits = () if status in _UNLIMITED else LIMITS
    return (*limits, *_MORE_HEADERS.get(status, ()))


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}
