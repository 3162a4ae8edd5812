"""What browsers ask before a page may call us, and what they are answered."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiohttp import web

from tests.web.caller import Caller, calling
from web.http.cors import cross_origin

PAGE, OTHER = "https://app.example", "https://evil.example"
ASKING = {"Access-Control-Request-Method": "PUT"}


def site(*origins: str) -> AbstractAsyncContextManager[Caller]:
    @asynccontextmanager
    async def served() -> AsyncIterator[Caller]:
        async def hello(_: web.Request) -> web.Response:
            return web.Response(text="hello")

        app = web.Application()
        cross_origin(app, origins)
        app.add_routes([web.get("/", hello), web.options("/", hello)])
        async with calling(app) as caller:
            yield caller

    return served()


async def test_a_listed_page_may_read_the_answer() -> None:
    async with site("https://first.example", PAGE) as caller:
        answer = await caller.get("/", headers={"Origin": PAGE})
    assert answer.text == "hello"
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {*exposed} == {
        *("RateLimit-Limit", "RateLimit-Policy", "RateLimit-Remaining", "RateLimit-Reset"),
        *("Allow", "Location", "Retry-After", "WWW-Authenticate"),
    }
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("headers", [{"Origin": OTHER}, {"Origin": ""}, {}])
async def test_nobody_elses_page_may(headers: dict[str, str]) -> None:
    async with site(PAGE) as caller:
        answer = await caller.get("/", headers=headers)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Access-Control-Expose-Headers" not in answer.headers
    # Caches must tell them apart all the same.
    assert answer.headers["Vary"] == "Origin"


async def test_any_page_may_where_all_are_allowed() -> None:
    async with site("*") as caller:
        answer = await caller.get("/", headers={"Origin": OTHER})
        without = await caller.get("/")
    assert answer.headers["Access-Control-Allow-Origin"] == OTHER
    assert "Access-Control-Allow-Origin" not in without.headers


async def test_a_browser_that_asks_first_is_told_what_is_possible() -> None:
    async with site(PAGE) as caller:
        answer = await caller.call("OPTIONS", "/", headers={"Origin": PAGE, **ASKING})
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    methods = answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= {*methods}
    allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Authorization", "Content-Type", "Last-Event-ID"} <= {*allowed}
    assert answer.headers["Access-Control-Max-Age"] == "86400"


async def test_a_browser_of_another_page_is_told_nothing() -> None:
    async with site(PAGE) as caller:
        answer = await caller.call("OPTIONS", "/", headers={"Origin": OTHER, **ASKING})
    assert answer.status == 204
    assert [name for name in answer.headers if name.startswith("Access-Control")] == []


async def test_other_requests_come_to_their_handlers() -> None:
    async with site(PAGE) as caller:
        options = await caller.call("OPTIONS", "/", headers={"Origin": PAGE})
        got = await caller.get("/", headers={"Origin": PAGE, **ASKING})
    assert (options.status, options.text) == (200, "hello")
    assert (got.status, got.text) == (200, "hello")
