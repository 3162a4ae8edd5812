"""The header Idempotency-Key means what the body's `idempotency_key` does."""

import asyncio
from functools import partial
from typing import Any

import pytest

from tests.agents.names import unique
from tests.patience import until_told
from tests.web.api.routes.test_sending import notification, person, shipped
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


async def settled(api: Api, path: str, body: dict[str, Any]) -> int:
    """The status once it is certain: of a request taken, that of sending it again after that."""
    status, said = await api.call("POST", path, body)
    if status == 202:
        status, said = await api.call("POST", path, body, params={"position": said["position"]})
    assert status in (202, 409), said
    return status


@pytest.mark.parametrize("is_at_once", [True, False])
async def test_of_two_bodies_under_one_key_exactly_one_counts(api: Api, is_at_once: bool) -> None:
    user, texts = await person(api), set()
    for _ in range(5):
        key, data = unique("key"), notification(user)["data"]
        bodies = [
            notification(user, idempotency_key=key, actor=unique("actor"), data=data | {"text": t})
            for t in (unique("one"), unique("two"))
        ]
        asked = [settled(api, "/v1/notifications", body) for body in bodies]
        found = await asyncio.gather(*asked) if is_at_once else [await each for each in asked]
        assert sorted(found) == [202, 409]
        if not is_at_once:
            assert found == [202, 409]
        texts.add(bodies[found.index(202)]["data"]["text"])
    # Decided is not yet stored: the inbox may be behind.
    read = partial(api.done, "GET", f"/v1/users/{user}/inbox")
    page = await until_told(read, lambda page: len(page["items"]) >= 5)
    assert {text for text in texts if text in str(page["items"])} == texts
    assert len(page["items"]) == 5


async def test_an_events_id_is_settled_too(api: Api) -> None:
    user = await person(api)
    event = shipped(user)
    other = {**event, "data": {**event["data"], "order_id": "8"}}
    assert await settled(api, "/v1/events", event) == 202
    status, said = await api.call("POST", "/v1/events", other)
    assert status == 202  # without a key of its own nobody is asked
    after = {"position": said["position"]}
    assert (await api.call("POST", "/v1/events", other, params=after))[0] == 409
    (found,) = await api.done("POST", "/v1/explain", {"event": other, "user": user}, params=after)
    assert found["told_before"]["reason"] == "conflict"


async def test_a_position_that_no_write_was_answered_with_sends_nothing(api: Api) -> None:
    user = await person(api)
    for path, body in (("notifications", notification(user)), ("events", shipped(user))):
        status, _ = await api.call("POST", f"/v1/{path}", body, params={"position": "x"})
        assert status == 400
    assert (await api.done("GET", f"/v1/users/{user}/inbox"))["items"] == []


@pytest.mark.parametrize("key", ["", '""', '"open', "x" * 191, "a, b", 'a"b', "ä"])
async def test_what_is_no_key_is_refused(api: Api, key: str) -> None:
    status, said = await send(api, "/v1/notifications", notification("ann"), key)
    assert (status, "Idempotency-Key" in said["detail"]) == (400, True)
