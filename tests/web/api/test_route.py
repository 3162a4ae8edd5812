"""How a request comes to its handler, and what is answered where it does not."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import web
from msgspec import Struct

from schemas.errors import Unavailable
from schemas.naming import Name
from tests.web.caller import Answer, Caller, calling
from web.api.call import Call
from web.api.keys import Keys, Scope
from web.api.problem import MEDIA_TYPE, Problem
from web.api.route import Gate, Reply, Route
from web.http.rate_limits import Limits

MOST = 100
JSON = {"Content-Type": "application/json"}


class Body(Struct):
    name: str
    nested: Any = None


class Query(Struct):
    limit: int = 5
    whose: Name | None = None


class Handlers:
    """Answers with what it was called with, or fails as the name in the path says."""

    async def tell(self, call: Call) -> Reply:
        match call.path["user"]:
            case "away":
                raise Unavailable("Kafka does not answer")
            case "broken":
                raise ZeroDivisionError
            case "refused":
                raise Problem(409, "No.", headers={"X-More": "1", "RateLimit-Reset": "7"})
            case "nothing":
                return Reply(status=204)
        limit = call.query.limit if call.query else None
        name = call.body.name if call.body else None
        said = [call.key.name, *call.whose, limit, name]
        return Reply(said, 202, {"X-More": "1", "RateLimit-Limit": "2"})


@pytest.fixture
async def caller(tmp_path: Any) -> AsyncIterator[Caller]:
    file = tmp_path / "keys.toml"
    tables = ""
    for name, scopes, pace in (("shop", '"send"', 600), ("slow", '"send"', 1), ("eye", "", 600)):
        sha = hashlib.sha256(name.encode()).hexdigest()
        tables += f'[{name}]\nsha256 = "{sha}"\ntenant = "acme"\nscopes = [{scopes}]\n'
        tables += f"per_minute = {pace}\n"
    file.write_text(tables)
    gate = Gate(Keys(file), Limits(monotonic=lambda: 100.0), MOST, 1_000_000)
    tell = Handlers().tell
    app = web.Application(client_max_size=MOST)
    app.add_routes(
        [
            gate.open(Route("POST", "/{user}", Scope.SEND, "", tell, {}, Body)),
            gate.open(Route("GET", "/{user}", Scope.SEND, "", tell, {}, query=Query)),
            gate.open(Route("DELETE", "/{user}", Scope.SEND, "", tell, {})),
        ]
    )
    async with calling(app) as found:
        yield found


def by(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def told(answer: Answer) -> Any:
    return msgspec.json.decode(answer.body)


async def test_a_handler_is_told_who_calls_and_with_what(caller: Caller) -> None:
    answer = await caller.post("/ann", data='{"name": "x"}', headers=by("shop") | JSON)
    assert (answer.status, told(answer)) == (202, ["shop", "acme", "ann", None, "x"])
    assert answer.headers["Content-Type"] == "application/json"
    # 600 a minute: a hundred at once.
    assert answer.headers["RateLimit-Remaining"] == "99"
    # The reply's own headers count more.
    assert (answer.headers["X-More"], answer.headers["RateLimit-Limit"]) == ("1", "2")


async def test_a_query_is_converted(caller: Caller) -> None:
    assert told(await caller.get("/ann?limit=7", headers=by("shop")))[3] == 7
    assert told(await caller.get("/ann", headers=by("shop")))[3] == 5


async def test_a_reply_may_have_no_body(caller: Caller) -> None:
    answer = await caller.call("DELETE", "/nothing", headers=by("shop"))
    assert (answer.status, answer.body) == (204, b"")
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize(
    "header",
    ["", "shop", "Bearer", "Bearer other", "Basic shop", "Bearer shöp", "Bearershop"],
)
async def test_without_a_key_nothing_is_done(caller: Caller, header: str) -> None:
    answer = await caller.get("/ann", headers={"Authorization": header} if header else {})
    assert (answer.status, answer.headers["Content-Type"]) == (401, MEDIA_TYPE)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="tocsin"'
    assert "RateLimit-Limit" not in answer.headers


@pytest.mark.parametrize("header", ["bearer shop", "BEARER  shop ", "Bearer shop"])
async def test_how_the_scheme_is_written_is_all_the_same(caller: Caller, header: str) -> None:
    assert (await caller.get("/ann", headers={"Authorization": header})).status == 202


async def test_a_scope_that_is_missing_is_named(caller: Caller) -> None:
    answer = await caller.get("/ann", headers=by("eye"))
    assert (answer.status, told(answer)["detail"]) == (403, "It needs the scope send.")


async def test_who_asks_too_often_is_told_when_to_come_back(caller: Caller) -> None:
    assert (await caller.get("/ann", headers=by("slow"))).status == 202
    answer = await caller.get("/ann", headers=by("slow"))
    assert answer.status == 429
    assert answer.headers["Retry-After"] == answer.headers["RateLimit-Reset"] == "60"
    assert answer.headers["RateLimit-Limit"] == "1"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("?other=1", "'other'"),
        ("?limit=1&limit=2", "'limit'"),
        ("?limit=x", "limit"),
        ("?whose=a%00", "In the query, whose: "),
    ],
)
async def test_a_query_that_can_not_be(caller: Caller, query: str, named: str) -> None:
    answer = await caller.get(f"/ann{query}", headers=by("shop"))
    assert answer.status == 400
    assert named in told(answer)["detail"]
    assert answer.headers["RateLimit-Limit"] == "100"


async def test_where_nothing_is_asked_no_query_may_be(caller: Caller) -> None:
    answer = await caller.call("DELETE", "/nothing?limit=1", headers=by("shop"))
    assert answer.status == 400


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("x" * 200, 202),
        ("x" * 201, 400),
        ("a%00", 400),
        ("a%0Ab", 400),
        # As records have it, of which three are joined into one sign.
        ("%F0%9F%91%A9%E2%80%8D%F0%9F%92%BB", 202),
    ],
)
async def test_a_name_in_the_path(caller: Caller, name: str, status: int) -> None:
    answer = await caller.call("GET", f"/{name}", headers=by("shop"))
    assert answer.status == status
    if status == 400:
        assert "user in the path" in told(answer)["detail"]


@pytest.mark.parametrize(
    ("text", "kind", "status"),
    [
        ('{"name": "x"}', "text/plain", 415),
        ('{"name": "x"}', "application/json; charset=utf-8", 202),
        ('{"name": 1}', "application/json", 400),
        ("{", "application/json", 400),
        ("[" * 90, "application/json", 400),
        ('{"name": "%s"}' % ("x" * (MOST - 12)), "application/json", 202),
        ('{"name": "%s"}' % ("x" * (MOST - 11)), "application/json", 413),
    ],
)
async def test_a_body_that_can_and_can_not_be(
    caller: Caller, text: str, kind: str, status: int
) -> None:
    headers = by("shop") | {"Content-Type": kind}
    answer = await caller.post("/ann", data=text, headers=headers)
    assert answer.status == status
    if status == 413:
        assert told(answer)["detail"] == "100 bytes are possible."


async def test_a_body_of_unknown_length_may_be_no_longer(caller: Caller) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b'{"name": "'
        yield b"x" * MOST
        yield b'"}'

    answer = await caller.post("/ann", data=parts(), headers=by("shop") | JSON)
    assert answer.status == 413


async def test_a_wrong_field_is_pointed_at(caller: Caller) -> None:
    answer = await caller.post("/ann", data='{"name": 1}', headers=by("shop") | JSON)
    assert told(answer)["errors"] == [{"pointer": "/name", "detail": "Expected `str`, got `int`"}]


async def test_a_problem_keeps_the_headers_of_the_pace(caller: Caller) -> None:
    answer = await caller.get("/refused", headers=by("shop"))
    assert (answer.status, answer.headers["X-More"]) == (409, "1")
    assert (answer.headers["RateLimit-Limit"], answer.headers["RateLimit-Reset"]) == ("100", "7")


async def test_what_can_not_be_done_now_may_be_tried_again(caller: Caller) -> None:
    answer = await caller.get("/away", headers=by("shop"))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert told(answer)["detail"] == "Kafka does not answer"
    assert answer.headers["RateLimit-Limit"] == "100"


async def test_a_fault_of_ours_says_nothing_of_what_is_inside(caller: Caller) -> None:
    answer = await caller.get("/broken", headers=by("shop"))
    assert answer.status == 500
    assert "ZeroDivision" not in answer.text
    assert told(answer)["title"] == "The server failed"
    said = "Internal error; the request may or may not have been stored."
    assert told(answer)["detail"] == said
