"""Who may call, how often, and what can't be read."""

import asyncio
import io
import json
import re
import time
from urllib.parse import urlsplit

import pytest

from tests.patience import in_time
from tests.web.api.routes.test_sending import shipped
from tests.web.house import Api


@pytest.mark.parametrize("key", ["", "tocsin_wrong", "acme2"])
async def test_nobody_calls_without_a_key(api: Api, key: str) -> None:
    status, problem = await api.call("POST", "/v1/events", shipped("ann"), key=key)
    assert status == 401
    assert problem["title"] == "No valid API key"


async def test_a_key_that_is_no_text_opens_nothing(api: Api) -> None:
    place = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(b"GET /v1/users/ann HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
    writer.close()


async def test_a_key_may_do_what_its_scopes_say(api: Api) -> None:
    assert (await api.call("POST", "/v1/events", shipped("ann"), key="sender"))[0] == 202
    status, problem = await api.call("GET", "/v1/users/ann", key="sender")
    assert (status, problem["detail"]) == (403, "It needs the scope users.")


async def test_a_key_is_slowed_down(api: Api) -> None:
    """Two may come at once, and then one each five seconds, however long they take themselves."""
    headers = {"Authorization": f"Bearer {api.keys['slow']}"}

    async def ask() -> tuple[int, dict[str, str]]:
        async with api.session.get(f"{api.url}/v1/users/ann", headers=headers) as response:
            return response.status, dict(response.headers)

    # One after the other they might take longer than it takes until another may come.
    begin, statuses = time.monotonic(), list[int]()
    async with in_time():
        while 429 not in statuses:
            answers = await asyncio.gather(*(ask() for _ in range(20)))
            statuses += [status for status, _ in answers]
    passed = time.monotonic() - begin
    limits = next(said for status, said in answers if status == 429)
    # Whatever came of it: a worker that is asked may be busy.
    let_through = [status for status in statuses if status != 429]
    # One may be given up: what was allowed is not used within a second where the machine is busy.
    assert 1 <= len(let_through) <= 2 + passed / 5
    assert limits["RateLimit-Limit"] == "2"
    assert 1 <= int(limits["Retry-After"]) <= 10


async def test_a_body_may_be_so_large(api: Api) -> None:
    large = json.dumps(shipped("ann", data={"customer_id": "ann", "x": "x" * (1 << 20)}))
    headers = {"Authorization": f"Bearer {api.keys['acme']}", "Content-Type": "application/json"}
    body = io.BytesIO(large.encode())
    async with api.session.post(f"{api.url}/v1/events", data=body, headers=headers) as response:
        assert response.status == 413
        assert (await response.json(content_type=None))["title"] == "The request is too large"


@pytest.mark.parametrize(
    ("text", "kind", "status"),
    [
        ("{", "application/json", 400),
        ("", "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ('{"id": "\\ud800"}', "application/json", 400),
        ("{}", "text/plain", 415),
        ("id=1", "application/x-www-form-urlencoded", 415),
    ],
)
async def test_what_is_not_json(api: Api, text: str, kind: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {api.keys['acme']}", "Content-Type": kind}
    async with api.session.post(f"{api.url}/v1/events", data=text, headers=headers) as response:
        assert response.status == status
        assert response.content_type == "application/problem+json"


async def test_a_query_that_is_unknown(api: Api) -> None:
    status, _ = await api.call("GET", "/v1/users/ann", params={"before": "1"})
    assert status == 400
    for after in ("x", "contacts:", "contacts:-1", "contacts:²", f"contacts:{'9' * 5000}"):
        status, _ = await api.call("GET", "/v1/users/ann", params={"after": after})
        assert status == 400


async def test_the_document_names_every_route(api: Api) -> None:
    document = await api.done("GET", "/v1/openapi.json", key="")
    assert document["openapi"] == "3.1.0"
    assert "/v1/notifications" in document["paths"]
    references = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert references <= document["components"]["schemas"].keys()
