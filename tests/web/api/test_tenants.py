"""A tenant's key reads and changes nothing of another tenant's, on any route."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.agents.names import unique
from tests.patience import PATIENCE, in_time
from tests.web.api.routes.test_sending import notification, person, shipped
from tests.web.house import Api

calls = st.sampled_from(
    [
        ("PUT", "/v1/users/{user}/contacts", {"email": "thief@example.com"}),
        ("PUT", "/v1/users/{user}/preferences", {"channels": {"push": False}}),
        ("POST", "/v1/users/{user}/devices", {"token": "thief"}),
        ("DELETE", "/v1/users/{user}/devices", {"token": "token-{user}"}),
        ("PUT", "/v1/users/{user}/follows/thief", None),
        ("PUT", "/v1/users/{user}/topics/thieves", None),
        ("PUT", "/v1/users/{user}/blocks/shop", None),
        ("PATCH", "/v1/users/{user}/preferences", {"zone": "Asia/Tokyo"}),
        ("POST", "/v1/events", "event"),
        ("POST", "/v1/notifications", "notification"),
        ("POST", "/v1/cancellations", {"cancel_key": "{key}"}),
        ("POST", "/v1/explain", "explain"),
        ("GET", "/v1/users/{user}", None),
        ("GET", "/v1/users/{user}/feed", None),
    ]
)


# Other clients draw random pauses of their own in another thread while examples are made.
@pytest.mark.filterwarnings("ignore:Do not use the .random. module")
async def test_nothing_of_another_tenants_is_read_or_changed(api: Api) -> None:
    user, key = await person(api, channels={"sms": True}), unique("key")
    event = shipped(user)
    next_week = (datetime.now(UTC) + timedelta(days=7)).isoformat()
    later = notification(user, scheduled_at=next_week, cancel_key=key)
    await api.done("POST", "/v1/notifications", later)
    await api.done("POST", "/v1/events", event)
    before = await settled(api, user)
    loop = asyncio.get_running_loop()

    async def attempt(method: str, path: str, body: Any) -> None:
        bodies = {
            "event": event,
            "notification": notification(user),
            "explain": {"event": event, "user": user},
        }
        said = bodies.get(body, body) if isinstance(body, str) else body
        if isinstance(said, dict):
            said = filled(said, user, key)
        status, answer = await api.call(method, path.format(user=user), said, key="globex")
        assert status < 500
        assert f"{user}@example.com" not in str(answer)
        assert "acme" not in str(answer)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(calls, min_size=1, max_size=4))
    def play(steps: list[tuple[str, str, Any]]) -> None:
        for step in steps:
            asyncio.run_coroutine_threadsafe(attempt(*step), loop).result(PATIENCE)

    await asyncio.to_thread(play)
    assert await settled(api, user) == before


def filled(value: Any, user: str, key: str) -> Any:
    if isinstance(value, dict):
        return {name: filled(each, user, key) for name, each in value.items()}
    return value.replace("{user}", user).replace("{key}", key) if isinstance(value, str) else value


async def settled(api: Api, user: str) -> Any:
    """What is known of the user once everything that was written is read."""
    said = await api.done("PUT", f"/v1/users/{user}/preferences", {"channels": {"sms": True}})
    known = await api.done("GET", f"/v1/users/{user}", params={"after": said["position"]})
    # What came by other topics, the request that waits among it.
    async with in_time():
        while True:
            await asyncio.sleep(0.1)
            known, last = await api.done("GET", f"/v1/users/{user}"), known
            if known == last and known["waiting"]:
                return known
