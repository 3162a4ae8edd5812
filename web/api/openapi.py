"""The OpenAPI 3.1 document of the routes, made from the very structs that they decode into."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec

from web.api.problem import MEDIA_TYPE, ProblemBody
from web.api.route import Route

JSON = "application/json"
_PARAMETER = re.compile(r"\{(\w+)\}")
_ALWAYS = (400, 401, 403, 429, 500, 503)


def document(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """The document."""
    routes = list(routes)
    kinds = _kinds(routes)
    schemas, components = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}"
    )
    schema_of = dict(zip(map(repr, kinds), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tocsin", "version": version},
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _kinds(routes: list[Route]) -> list[Any]:
    found: dict[str, Any] = {repr(ProblemBody): ProblemBody}
    for route in routes:
        for kind in (route.body, route.query, *route.replies.values()):
            if kind is not None:
                found[repr(kind)] = kind
    return list(found.values())


def _operation(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "description": f"Needs the scope `{route.scope}`.",
        "operationId": _name(route),
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route, schema_of),
    }
    if route.body is not None:
        content = {JSON: {"schema": schema_of[repr(route.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _name(route: Route) -> str:
    words = re.findall(r"\w+", route.path.removeprefix("/v1"))
    return "_".join([route.method.lower(), *words])


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name in _PARAMETER.findall(route.path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    (_,), components = msgspec.json.schema_components([route.query])
    schema = components[route.query.__name__]
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": field}
        for name, field in schema["properties"].items()
    ]


def _responses(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    replies = {status: (kind, JSON) for status, kind in route.replies.items()}
    body = (413, 415) if route.body is not None else ()
    for status in (*_ALWAYS, *body):
        replies.setdefault(status, (ProblemBody, MEDIA_TYPE))
    return {
        str(status): {
            "description": HTTPStatus(status).phrase,
            **({"content": {media: {"schema": schema_of[repr(kind)]}}} if kind else {}),
        }
        for status, (kind, given) in sorted(replies.items())
        for media in [MEDIA_TYPE if kind is ProblemBody else given]
    }
