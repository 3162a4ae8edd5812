"""What producers send by HTTP: taken once Kafka has it, and refused with the field's name."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policy.identity import notification_id
from tests.agents.names import unique
from tests.patience import until_told
from tests.web.house import Api


async def person(api: Api, **preferences: Any) -> str:
    """A user with an e-mail address, known to the decider."""
    user = unique("user")
    contacts = {"email": f"{user}@example.com", "devices": [{"token": f"token-{user}"}]}
    said = await api.done("PUT", f"/v1/users/{user}/contacts", contacts)
    after = said["position"]
    if preferences:
        said = await api.done("PUT", f"/v1/users/{user}/preferences", preferences)
        after += f",{said['position']}"
    await api.done("GET", f"/v1/users/{user}", params={"after": after})
    return user


def shipped(user: str, **fields: Any) -> dict[str, Any]:
    data = {"customer_id": user, "order_id": "7", "carrier": "DHL", "tracking_number": "1Z"}
    return {"id": unique("event"), "type": "order.shipped", "actor": "shop", "data": data, **fields}


def notification(*users: str, **fields: Any) -> dict[str, Any]:
    data = {"commenter_name": "Bo", "post_id": "p1", "text": "Nice", "post_title": "Cats"}
    return {"type": "comment_added", "users": list(users), "data": data, **fields}


async def until_decided(api: Api, event: dict[str, Any], user: str) -> Any:
    """What is said of the event once it was decided on."""
    asked = {"event": event, "user": user}
    explained = await until_told(
        lambda: api.done("POST", "/v1/explain", asked), lambda found: bool(found[0]["told_before"])
    )
    return explained[0]


async def test_an_event_is_taken_and_decided_on(api: Api) -> None:
    user = await person(api)
    event = shipped(user)
    status, said = await api.call("POST", "/v1/events", event)
    assert (status, said["id"]) == (202, event["id"])
    found = await until_decided(api, event, user)
    assert found["told_before"]["reason"] == "duplicate"


async def test_many_events_are_taken_or_none(api: Api) -> None:
    user = await person(api)
    events = [shipped(user) for _ in range(20)]
    said = await api.done("POST", "/v1/events/bulk", {"events": events})
    assert said["ids"] == [event["id"] for event in events]
    await until_decided(api, events[-1], user)
    wrong = [shipped(user), shipped(user, type="no.such"), {**shipped(user), "actor": 7}]
    status, said = await api.call("POST", "/v1/events/bulk", {"events": wrong})
    assert (status, said["errors"]) == (
        400,
        [{"pointer": "/events/2/actor", "detail": "Expected `str`, got `int`"}],
    )
    status, said = await api.call("POST", "/v1/events/bulk", {"events": wrong[:2]})
    assert (status, said["errors"]) == (
        400,
        [{"pointer": "/events/1/type", "detail": "no notification type of the catalogue"}],
    )
    nobody = shipped(user, idempotency_key=unique("key"), data={})
    status, said = await api.call("POST", "/v1/events/bulk", {"events": [wrong[0], nobody]})
    assert (status, said["errors"][0]["pointer"]) == (400, "/events/1/data")
    (found,) = await api.done("POST", "/v1/explain", {"event": wrong[0], "user": user})
    assert found["told_before"] is None


async def test_a_notification_names_its_users(api: Api) -> None:
    one, two = await person(api), await person(api)
    body = notification(one, two, id=unique("id"))
    said = await api.done("POST", "/v1/notifications", body)
    expected = {u: notification_id("acme", body["id"], u, "comment_added") for u in (one, two)}
    assert (said["id"], said["notifications"]) == (body["id"], expected)


async def test_who_opted_out_of_all_channels_is_told_of_at_once(api: Api) -> None:
    gone = await person(api, channels={"push": False, "inapp": False, "email": False})
    status, said = await api.call("POST", "/v1/notifications", notification(gone))
    assert status == 422
    assert gone in said["detail"]
    other = await person(api)
    said = await api.done("POST", "/v1/notifications", notification(gone, other))
    assert said["opted_out"] == [gone]


async def test_the_same_key_with_another_body_is_a_conflict(api: Api) -> None:
    user = await person(api)
    body = notification(user, idempotency_key=unique("key"))
    first = await api.done("POST", "/v1/notifications", body)
    other = {**body, "data": {**body["data"], "text": "Other"}}
    _, said = await until_told(
        lambda: api.call("POST", "/v1/notifications", other), lambda told: told[0] == 409
    )
    assert user in said["detail"]
    again = await api.done("POST", "/v1/notifications", body)
    assert again["notifications"] == first["notifications"]


async def test_an_events_key_conflicts_too(api: Api) -> None:
    user = await person(api)
    event = shipped(user, idempotency_key=unique("key"))
    await api.done("POST", "/v1/events", event)
    await until_decided(api, event, user)
    other = {**event, "data": {**event["data"], "order_id": "8"}}
    status, _ = await api.call("POST", "/v1/events", other)
    assert status == 409
    await api.done("POST", "/v1/events", event)


async def test_what_is_scheduled_waits_and_can_be_cancelled(api: Api) -> None:
    user, key = await person(api), unique("cancel")
    later = notification(user, scheduled_at="2099-01-01T00:00:00Z")
    status, said = await api.call("POST", "/v1/notifications", later)
    assert (status, said["errors"][0]["pointer"]) == (400, "/scheduled_at")
    next_week = datetime.now(UTC) + timedelta(days=7)
    soon = notification(user, scheduled_at=next_week.isoformat(), cancel_key=key)
    await api.done("POST", "/v1/notifications", soon)
    await waiting(api, user, 1)
    await api.done("POST", "/v1/cancellations", {"cancel_key": key})
    await waiting(api, user, 0)


async def waiting(api: Api, user: str, count: int) -> None:
    await until_told(
        lambda: api.done("GET", f"/v1/users/{user}"), lambda known: known["waiting"] == count
    )


@pytest.mark.parametrize(
    ("path", "body", "pointer", "said"),
    [
        ("/v1/events", {}, "", "Object missing required field `id`"),
        ("/v1/events", {"id": ""}, "/id", "Expected `str` of length >= 1"),
        ("/v1/events", {"id": "a", "x": 1}, "", "Object contains unknown field `x`"),
        ("/v1/events", [], "", "Expected `object`, got `array`"),
        ("/v1/notifications", {"type": "chat_message"}, "", "missing required field `users`"),
        ("/v1/notifications", {"type": "x", "users": []}, "/users", "length >= 1"),
        ("/v1/notifications", {"type": "x", "users": ["a"]}, "/type", "no notification type"),
        ("/v1/notifications", {"type": "comment_added", "users": ["a"]}, "/data", "is missing"),
        (
            "/v1/explain",
            {"event": {"id": "e", "type": "order.shipped", "actor": "shop"}, "user": "ann"},
            "/event/data",
            "data.customer_id is missing",
        ),
        ("/v1/cancellations", {"cancel_key": 1}, "/cancel_key", "Expected `str`, got `int`"),
    ],
)
async def test_what_is_wrong_is_pointed_at(
    api: Api, path: str, body: Any, pointer: str, said: str
) -> None:
    status, problem = await api.call("POST", path, body)
    assert status == 400
    (error,) = problem["errors"]
    assert error["pointer"] == pointer
    assert said in error["detail"]
