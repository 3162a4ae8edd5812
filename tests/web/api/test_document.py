"""The OpenAPI document without a house: what it says of every route, and how it says it."""

from collections.abc import AsyncIterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from aiohttp import web
from msgspec import Meta, Struct, field
from openapi_spec_validator import validate

from schemas.naming import NAME_PATTERN
from tests.web.caller import Caller, calling, memory, settings
from tests.web.desk import desk_of
from web.api.app import DOCUMENT, api, routes_of
from web.api.call import Call
from web.api.idempotency import PATTERN
from web.api.keys import Keys, Scope
from web.api.openapi.document import document
from web.api.openapi.texts import TAGS
from web.api.problem import ProblemBody
from web.api.route import Reply, Route

NOW = 1_753_000_000_000
ROUTES = {
    # Method, path: name, tag, scope, statuses but for those of all, body, query.
    "POST /v1/events": "send_event Sending send 202:Taken 409 422 EventBody ?position keyed",
    "POST /v1/events/bulk": "send_events Sending send 202:AllTaken 409 422 "
    "EventsBody ?position keyed",
    "POST /v1/notifications": "notify Sending send 202:Notified 409 422 "
    "NotificationBody ?position keyed",
    "POST /v1/notifications/bulk": "notify_many Sending send 202:AllNotified 409 422 "
    "NotificationsBody ?position keyed",
    "POST /v1/cancellations": "cancel Sending send 202:Taken CancellationBody",
    "POST /v1/sources/{source}": "send_record Sending send 202:Sourced 404 422 SourceBody",
    "POST /v1/audiences": "count_audience Sending send 200:[Audience] EventBody",
    "GET /v1/users/{user}": "get_user Users users 200:Known ?position ?after",
    "DELETE /v1/users/{user}": "erase_user Users erase 202:Position",
    "PUT /v1/users/{user}/contacts": "put_contacts Users users 202:Position ContactsBody",
    "POST /v1/users/{user}/devices": "add_device Users users 202:Position Device",
    "DELETE /v1/users/{user}/devices": "remove_device Users users 202:Position Device",
    "PUT /v1/users/{user}/preferences": "put_preferences Users users 202:Position PreferencesBody",
    "PATCH /v1/users/{user}/preferences": "change_preferences Users users 202:Position "
    "ProfileChangeBody",
    "PUT /v1/users/{user}/follows/{followee}": "follow Users users 202:Position",
    "DELETE /v1/users/{user}/follows/{followee}": "unfollow Users users 202:Position",
    "PUT /v1/users/{user}/topics/{topic}": "subscribe Users users 202:Position",
    "DELETE /v1/users/{user}/topics/{topic}": "unsubscribe Users users 202:Position",
    "PUT /v1/users/{user}/blocks/{actor}": "block Users users 202:Position",
    "DELETE /v1/users/{user}/blocks/{actor}": "unblock Users users 202:Position",
    "GET /v1/users/{user}/export": "export_user Users read 200:Export",
    "GET /v1/users/{user}/inbox": "get_inbox Inbox users 200:Page ?which ?before ?limit ?position",
    "GET /v1/users/{user}/inbox/counts": "get_inbox_counts Inbox users 200:InboxCounts ?position",
    "POST /v1/users/{user}/token": "create_inbox_token Inbox users 200:Token",
    "POST /v1/users/{user}/inbox/changes": "change_inbox Inbox users 202:Position ChangeBody",
    "GET /v1/users/{user}/feed": "get_feed Inbox users 200:Feed ?before ?limit ?position",
    "POST /v1/explain": "explain History read 200:[Explained] ExplainBody ?position",
    "GET /v1/notifications": "find_notifications History read 200:[Whereabouts] ?by ?what ?days",
    "GET /v1/notifications/{id}": "get_timeline History read 200:[Happening] 404",
    "GET /v1/users/{user}/day": "get_day History read 200:[Happening] ?date",
    "GET /v1/dead-letters": "list_dead_letters Operations operate 200:[Letter] ?reason ?topic",
    "POST /v1/dead-letters/{id}/replay": "replay_dead_letter Operations operate 200:Replayed 404",
    "POST /v1/dead-letters/replay": "replay_dead_letters Operations operate 200:Replayed "
    "ReplayBody",
    "GET /v1/operations": "get_operations Operations operate 200:OperationsBody",
    "GET /v1/experiments/{type}": "get_experiment_results Statistics read 200:[Results] "
    "?metric ?from ?to",
    **{
        f"GET /v1/figures/{name}": f"get_{name}_figures Statistics {scope} 200:Figures "
        "?from ?to ?type ?channel ?priority"
        for name, scope in (
            *((n, "read") for n in ("funnel", "told", "volume", "why_not", "latency")),
            *((n, "read") for n in ("providers", "types", "texts")),
            ("tenants", "operate"),
            *((n, "read") for n in ("deliverability", "opt_outs", "opt_outs_by_means")),
            *((n, "read") for n in ("deliverability_by_carrier", "outcomes_by_attribute")),
            *((n, "read") for n in ("sends_per_user", "time_to_open", "week_over_week")),
            *((n, "read") for n in ("slo_budget", "digests", "costs")),
            *((n, "read") for n in ("holdout_lift", "retention")),
            ("tenant_costs", "operate"),
        )
    },
}


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    app = web.Application()
    desk = desk_of(memory(), settings(public_url="https://n.example.com/"), NOW)
    app.add_routes(api(desk, Keys(tmp_path / "keys.toml")))
    async with calling(app) as made:
        yield made


async def test_the_document_needs_no_key_and_is_valid(caller: Caller) -> None:
    answer = await caller.get(DOCUMENT)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    found = msgspec.json.decode(answer.body)
    validate(found)
    assert found["servers"] == [{"url": "https://n.example.com", "description": "This server"}]
    assert (found["openapi"], found["info"]["version"]) == ("3.1.0", version("tocsin"))
    wishes = found["components"]["schemas"]["Frequency"]["enum"]
    assert wishes == ["daily", "hourly", "instantly", "weekly"]
    assert [tag["name"] for tag in found["tags"]] == list(TAGS)
    assert (await caller.get("/v1/users/ada")).status == 401


PHONE = {"token": "ada-phone", "platform": "fcm"}
EVENT = {
    "id": "order-77-shipped",
    "type": "order.shipped",
    "actor": "shop",
    "occurred_at": "2026-03-14T09:26:53.589Z",
    "data": {"customer_id": "ada", "order_id": "77", "carrier": "DHL", "tracking_number": "1Z5"},
}
COMMENT = {
    "type": "comment_added",
    "users": ["ada"],
    "data": {"commenter_name": "Bo", "post_title": "Cats", "post_id": "1", "text": "Nice"},
}
MESSAGE = {"users": ["ada"], "title": "Hi", "body": "Hello", "channels": ["inapp", "push"]}
EXAMPLES = {
    "send_event": EVENT,
    "send_events": {"events": [EVENT]},
    "notify": MESSAGE,
    "notify_many": {"notifications": [COMMENT]},
    "cancel": {"cancel_key": "order-77"},
    "send_record": {
        "op": "u",
        "before": {"status": "paid"},
        "after": {"id": 7, "status": "shipped"},
    },
    "count_audience": {
        "id": "news-2026-03",
        "type": "news.published",
        "actor": "shop",
        "data": {"segment": "customers", "title": "New in March", "text": "Have a look."},
    },
    "put_contacts": {"email": "ada@example.com", "devices": [PHONE], "zone": "Europe/Berlin"},
    "add_device": PHONE,
    "remove_device": PHONE,
    "put_preferences": {"categories": {"comments": {"push": False}}},
    "change_preferences": {"categories": {"comments": {"push": False}}},
    "change_inbox": {"kind": "read"},
    "replay_dead_letters": {"reason": "render_failed"},
    "explain": {"event": EVENT, "user": "ada"},
}


def test_the_examples_are_those_of_the_shipped_catalogue() -> None:
    routes = routes_of(desk_of(memory(), settings(), NOW))
    assert {each.name: each.example for each in routes if each.example} == EXAMPLES


async def test_without_a_public_url_the_server_is_this_machine(tmp_path: Path) -> None:
    app = web.Application()
    app.add_routes(api(desk_of(memory(), settings(web_port=8123), NOW), Keys(tmp_path / "k")))
    async with calling(app) as made:
        found = msgspec.json.decode((await made.get(DOCUMENT)).body)
    assert found["servers"][0]["url"] == "http://127.0.0.1:8123"


def _kind(schema: dict[str, Any]) -> str:
    if "items" in schema:
        return f"[{_kind(schema['items'])}]"
    return str(schema["$ref"]).removeprefix("#/components/schemas/")


def told(operation: dict[str, Any]) -> str:
    """An operation in the words of ROUTES."""
    *_, needs = operation["description"].splitlines()
    words = [operation["operationId"], *operation["tags"], needs.split("`")[1]]
    usual = {"400", "401", "403", "405", "429", "500", "503", "408", "413", "415"}
    for status, reply in operation["responses"].items():
        if int(status) < 300:
            words.append(f"{status}:{_kind(reply['content']['application/json']['schema'])}")
        elif status not in usual:
            words.append(status)
    if body := operation.get("requestBody"):
        words.append(_kind(body["content"]["application/json"]["schema"]))
    for parameter in operation["parameters"]:
        if parameter["in"] == "header":
            words.append("keyed")
        elif parameter["in"] == "query":
            words.append(f"?{parameter['name']}")
    return " ".join(words)


async def test_every_route_is_as_it_is_promised(caller: Caller) -> None:
    found = msgspec.json.decode((await caller.get(DOCUMENT)).body)
    assert {
        f"{method.upper()} {path}": told(operation)
        for path, operations in found["paths"].items()
        for method, operation in operations.items()
    } == ROUTES


def test_every_route_with_a_body_has_an_example_of_it() -> None:
    routes = routes_of(desk_of(memory(), settings(), NOW))
    assert len(routes) == len(ROUTES)
    for route in routes:
        assert (route.body is None) == (route.example is None)
        if route.body is not None:
            msgspec.convert(route.example, route.body)
        assert len(route.summary) > 3


class Sort(Struct):
    """What there is."""

    name: Annotated[str, Meta(max_length=9)]
    size: int | None = None
    more: dict[str, Any] = {}


class SortQuery(Struct):
    """Which of them."""

    start: str = field(name="from")
    most: int | None = None


class Shop:
    async def find(self, call: Call) -> Reply:
        """Newest first."""
        return Reply()

    async def put(self, call: Call) -> Reply:
        return Reply()


SHOP = Shop()
FIND = Route(
    "GET", "/v1/sorts/{id}", Scope.READ, "Find sorts", SHOP.find,
    {200: list[Sort], 404: ProblemBody}, None, SortQuery, name="find_sorts", tag="History",
)  # fmt: skip
PUT = Route(
    "PUT", "/v1/sorts/{id}", Scope.SEND, "Put a sort", SHOP.put, {204: None}, Sort,
    name="put_sort", tag="Sending", example={"name": "x"}, keyed=True,
)  # fmt: skip
LIMITS = ["RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]


def headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def refusals(*more: str) -> dict[str, Any]:
    names = {
        "400": "BadRequest",
        "401": "Unauthorized",
        "403": "Forbidden",
        "404": "NotFound",
        "405": "MethodNotAllowed",
        "408": "RequestTimeout",
        "413": "RequestEntityTooLarge",
        "415": "UnsupportedMediaType",
        "429": "TooManyRequests",
        "500": "InternalServerError",
        "503": "ServiceUnavailable",
    }
    statuses = ("400", "401", "403", "405", "429", "500", "503", *more)
    return {each: {"$ref": f"#/components/responses/{names[each]}"} for each in statuses}


ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": NAME_PATTERN},
}


def test_what_is_said_of_a_route() -> None:
    found = document(iter([FIND, PUT]), "1.2.3", "https://n.example.com")
    validate(found)
    operations = found["paths"]["/v1/sorts/{id}"]
    assert list(found["paths"]) == ["/v1/sorts/{id}"]
    assert operations["get"] == {
        "tags": ["History"],
        "summary": "Find sorts",
        "description": "Newest first.\n\nWhich of them.\n\nNeeds the scope `read`.",
        "operationId": "find_sorts",
        "parameters": [
            ID,
            {"name": "from", "in": "query", "required": True, "schema": {"type": "string"}},
            {"name": "most", "in": "query", "required": False, "schema": {"type": "integer"}},
        ],
        "responses": {
            "200": {
                "description": "OK",
                "headers": headers(*LIMITS),
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "array",
                            "items": {"$ref": "#/components/schemas/Sort"},
                        }
                    }
                },
            },
            **refusals("404"),
        },
    }
    put = operations["put"]
    key = put["parameters"].pop()
    assert key.pop("description")
    assert key == {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "pattern": PATTERN},
        "example": "order-77-shipped",
    }
    assert put == {
        "tags": ["Sending"],
        "summary": "Put a sort",
        "description": "Needs the scope `send`.",
        "operationId": "put_sort",
        "parameters": [ID],
        "responses": {
            "204": {"description": "No Content", "headers": headers(*LIMITS)},
            **refusals("408", "413", "415"),
        },
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/Sort"},
                    "example": {"name": "x"},
                }
            },
        },
    }
    assert list(put["responses"]) == sorted(put["responses"])


def test_what_is_said_of_all() -> None:
    found = document([FIND, PUT], "1.2.3", "https://n.example.com")
    about = found["info"].pop("description")
    assert "**Limits.**" in about
    assert found["info"] == {
        "title": "Tocsin",
        "version": "1.2.3",
        "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
    }
    assert found["servers"] == [{"url": "https://n.example.com", "description": "This server"}]
    assert found["security"] == [{"key": []}]
    # Of the tags only those that a route has, in their order.
    assert found["tags"] == [
        {"name": name, "description": TAGS[name]} for name in ("Sending", "History")
    ]
    components = found["components"]
    key = components["securitySchemes"]["key"]
    assert (key["type"], key["scheme"]) == ("http", "bearer")
    assert set(components["schemas"]) == {"FieldError", "ProblemBody", "Sort"}
    assert components["schemas"]["Sort"] == {
        "title": "Sort",
        "description": "What there is.",
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 9},
            "size": {"type": ["integer", "null"]},
            "more": {"type": "object", "default": {}, "additionalProperties": True},
        },
        "required": ["name"],
    }


@pytest.mark.parametrize(
    ("name", "said", "more"),
    [
        ("BadRequest", "Bad Request", LIMITS),
        ("Unauthorized", "Unauthorized", ["WWW-Authenticate"]),
        ("Forbidden", "Forbidden", LIMITS),
        ("NotFound", "Not Found", LIMITS),
        ("MethodNotAllowed", "Method Not Allowed", ["Allow"]),
        ("Conflict", "Conflict", LIMITS),
        ("RequestEntityTooLarge", "Request Entity Too Large", LIMITS),
        ("UnsupportedMediaType", "Unsupported Media Type", LIMITS),
        ("TooManyRequests", "Too Many Requests", [*LIMITS, "Retry-After"]),
        ("InternalServerError", "Internal Server Error", LIMITS),
        ("ServiceUnavailable", "Service Unavailable", [*LIMITS, "Retry-After"]),
    ],
)
def test_what_is_said_of_a_refusal(name: str, said: str, more: list[str]) -> None:
    components = document([FIND], "1", "https://n.example.com")["components"]
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    assert components["responses"][name] == {
        "description": said,
        "headers": headers(*more),
        "content": {"application/problem+json": {"schema": schema}},
    }
    number = {"type": "integer", "minimum": 0}
    for header in more:
        kind = {"type": "string"} if header in ("Allow", "WWW-Authenticate", LIMITS[0]) else number
        found = components["headers"][header]
        assert (found["required"], found["schema"]) == (True, kind)
