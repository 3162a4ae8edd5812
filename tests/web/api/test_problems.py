"""Whatever goes wrong is answered in one form, also where no route was reached."""

import asyncio
import io
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.web.house import Api
from web.app import serving
from web.http.cors import cross_origin
from web.http.problems import problems

MEMBERS = {"type", "title", "status", "detail", "errors"}


async def problem_of(response: aiohttp.ClientResponse) -> dict[str, Any]:
    assert response.content_type == "application/problem+json"
    said: dict[str, Any] = json.loads(await response.read())
    assert said.keys() == MEMBERS
    assert (said["status"], said["type"]) == (response.status, "about:blank")
    assert said["title"]
    return said


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/v1/nothing", 404, None),
        ("GET", "/nothing", 404, None),
        ("POST", "/v1/users", 404, None),
        ("GET", "/v1/events", 405, {"POST"}),
        ("DELETE", "/v1/notifications", 405, {"GET", "HEAD", "POST"}),
        ("PATCH", "/v1/users/ann", 405, {"GET", "HEAD", "DELETE"}),
        ("DELETE", "/inbox/counts", 405, {"GET", "HEAD"}),
        ("POST", "/dashboard", 405, {"GET", "HEAD"}),
        ("GET", "/inbox/counts", 401, None),
        ("GET", "/v1/users/ann", 401, None),
    ],
)
async def test_paths_and_methods_that_are_not_there(
    api: Api, method: str, path: str, status: int, allowed: set[str] | None
) -> None:
    async with api.session.request(method, api.url + path) as response:
        assert response.status == status
        await problem_of(response)
        said = response.headers.get("Allow")
        assert (set(said.split(", ")) if said else None) == allowed


@pytest.mark.parametrize(
    ("body", "kind", "status", "error"),
    [
        (b"{", "application/json", 400, {"pointer": "", "detail": "Input data was truncated"}),
        (b'{"id": 1}', "application/json", 400, {"pointer": "/id"}),
        (b"{}", "text/plain", 415, None),
        (b" " * (1 << 20) + b"{}", "application/json", 413, None),
    ],
)
async def test_bodies_that_can_not_be_read(
    api: Api, body: bytes, kind: str, status: int, error: dict[str, str] | None
) -> None:
    headers = {"Authorization": f"Bearer {api.keys['acme']}", "Content-Type": kind}
    data = io.BytesIO(body)
    async with api.session.post(f"{api.url}/v1/events", data=data, headers=headers) as response:
        assert response.status == status
        said = await problem_of(response)
    assert bool(said["errors"]) == (error is not None)
    for each in said["errors"]:
        assert (error or {}).items() <= each.items()


async def test_a_failure_is_told_without_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_: web.Request) -> web.StreamResponse:
        raise RuntimeError("the secret cause")

    async def large(request: web.Request) -> web.StreamResponse:
        return web.Response(body=await request.read())

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        raise RuntimeError("the secret cause")

    app = web.Application(client_max_size=10)
    cross_origin(app, ["https://app.example.com"])
    problems(app)
    app.add_routes([web.get("/fail", fail), web.post("/large", large), web.get("/cut", cut)])
    origin = {"Origin": "https://app.example.com"}
    async with serving(app, "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
        async with session.get(f"{url}/fail", headers=origin) as response:
            assert response.status == 500
            assert "secret" not in str(await problem_of(response))
            assert response.headers["Access-Control-Allow-Origin"] == origin["Origin"]
        async with session.post(f"{url}/large", data=b"x" * 11) as response:
            assert response.status == 413
            await problem_of(response)
        async with session.get(f"{url}/cut") as response:
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
    assert "secret" in caplog.text


async def test_browsers_may_send_and_read_the_headers_of_the_api(api: Api) -> None:
    asked = {
        "Origin": "https://app.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "idempotency-key, authorization, content-type",
    }
    async with api.session.options(f"{api.url}/v1/notifications", headers=asked) as response:
        assert response.status == 204
        allowed = response.headers["Access-Control-Allow-Headers"].lower().split(", ")
        assert set(asked["Access-Control-Request-Headers"].split(", ")) <= set(allowed)
    headers = {"Origin": "https://app.example.com", "Authorization": f"Bearer {api.keys['acme']}"}
    async with api.session.get(f"{api.url}/v1/users/ann", headers=headers) as response:
        exposed = set(response.headers["Access-Control-Expose-Headers"].split(", "))
        limits = {name for name in response.headers if name.startswith("RateLimit-")}
    assert len(limits) == 4
    assert exposed >= limits | {"Retry-After", "Location", "Allow"}


async def test_limits_agree_on_successes_and_refusals_of_every_kind(api: Api) -> None:
    """12 a minute are one in 5 s, with a burst of 10 s: 2."""
    headers = {"Authorization": f"Bearer {api.keys['halting']}"}
    seen = []
    for path in ("/v1/users/ann", "/v1/notifications/none", "/v1/users/ann", "/v1/users/ann"):
        async with api.session.get(api.url + path, headers=headers) as response:
            if response.status == 429:
                assert "12 requests a minute" in (await problem_of(response))["detail"]
            seen.append((response.status, response.headers))
    assert [status for status, _ in seen] == [200, 404, 429, 429]
    assert [each["RateLimit-Remaining"] for _, each in seen] == ["1", "0", "0", "0"]
    for status, each in seen:
        assert (each["RateLimit-Limit"], each["RateLimit-Policy"]) == ("2", "2;w=10")
        assert 0 < int(each["RateLimit-Reset"]) <= 10
        assert each.get("Retry-After") == (each["RateLimit-Reset"] if status == 429 else None)


async def test_many_callers_share_one_look_at_operations(api: Api) -> None:
    found = await asyncio.gather(*(api.done("GET", "/v1/operations") for _ in range(10)))
    assert {role["role"] for role in found[0]["roles"]} >= {"router", "decider", "analytics"}
    assert len({json.dumps(each) for each in found}) == 1
