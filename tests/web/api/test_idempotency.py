"""The header Idempotency-Key means what the body's `idempotency_key` does."""

from typing import Any

import pytest

from tests.agents.names import unique
from tests.web.api.test_sending import notification, person, shipped
from tests.web.house import Api


async def send(api: Api, path: str, body: Any, key: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {api.keys['acme']}", "Idempotency-Key": key}
    async with api.session.post(api.url + path, json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def told(api: Api, user: str, position: str) -> int:
    page = await api.done("GET", f"/v1/users/{user}/inbox", params={"position": position})
    return len(page["items"])


@pytest.mark.parametrize("form", ["{}", '"{}"'])
async def test_the_request_sent_again_notifies_nobody_twice(api: Api, form: str) -> None:
    user, key = await person(api), unique("key")
    for _ in range(2):
        status, said = await send(api, "/v1/notifications", notification(user), form.format(key))
        assert status == 202
        assert await told(api, user, said["position"]) == 1
    body = notification(user, idempotency_key=key)
    said = await api.done("POST", "/v1/notifications", body)
    assert await told(api, user, said["position"]) == 1
    other = {**notification(user)["data"], "text": "Other"}
    status, _ = await send(api, "/v1/notifications", notification(user, data=other), key)
    assert status == 409


async def test_an_event_under_the_key_counts_once_whatever_its_id(api: Api) -> None:
    user, key = await person(api), unique("key")
    for _ in range(2):
        status, said = await send(api, "/v1/events", shipped(user), key)
        assert status == 202
    known = {"event": shipped(user, idempotency_key=key), "user": user}
    await api.done("GET", f"/v1/users/{user}", params={"position": said["position"]})
    (found,) = await api.done("POST", "/v1/explain", known)
    assert found["told_before"]["reason"] == "duplicate"


async def test_many_under_one_key_are_told_apart_and_counted_once(api: Api) -> None:
    user, key = await person(api), unique("key")
    many = {"notifications": [notification(user), notification(user)]}
    for _ in range(2):
        status, said = await send(api, "/v1/notifications/bulk", many, key)
        assert status == 202
        assert await told(api, user, said["position"]) == 2


async def test_another_key_in_the_body_is_refused(api: Api) -> None:
    user = await person(api)
    for path, body in (
        ("/v1/notifications", notification(user, idempotency_key="one")),
        ("/v1/events", shipped(user, idempotency_key="one")),
    ):
        status, said = await send(api, path, body, "two")
        assert (status, said["errors"][0]["pointer"]) == (422, "/idempotency_key")
        assert "'two'" in said["detail"]
        assert "'one'" in said["detail"]
        assert (await send(api, path, body, '"one"'))[0] == 202


@pytest.mark.parametrize("key", ["", '""', '"open', "x" * 191, "a, b", 'a"b', "ä"])
async def test_what_is_no_key_is_refused(api: Api, key: str) -> None:
    status, said = await send(api, "/v1/notifications", notification("ann"), key)
    assert (status, "Idempotency-Key" in said["detail"]) == (400, True)
