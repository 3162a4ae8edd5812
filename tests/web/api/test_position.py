"""What a write is answered with makes the next read wait until it is handled."""

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.agents.names import unique
from tests.web.api.routes.test_sending import notification, person, shipped
from tests.web.house import Api


def commented(user: str) -> dict[str, Any]:
    data = {
        "author_id": user,
        "commenter_name": "Bo",
        "post_title": "Cats",
        "post_id": "1",
        "text": "Nice",
    }
    return {"id": unique("event"), "type": "comment.added", "actor": unique("bo"), "data": data}


async def ids_in(api: Api, place: str, user: str, position: str) -> set[str]:
    page = await api.done("GET", f"/v1/users/{user}/{place}", params={"position": position})
    return {item["notification_id"] for item in page["items"]}


@pytest.mark.parametrize("place", ["inbox", "feed"])
async def test_a_notification_is_read_back_at_once(api: Api, place: str) -> None:
    user = await person(api)
    for _ in range(10):
        said = await api.done("POST", "/v1/notifications", notification(user))
        assert said["notifications"][user] in await ids_in(api, place, user, said["position"])


async def test_the_counts_have_it_too(api: Api) -> None:
    user = await person(api)
    said = await api.done("POST", "/v1/notifications", notification(user))
    after = {"position": said["position"]}
    counts = await api.done("GET", f"/v1/users/{user}/inbox/counts", params=after)
    assert counts["unread"] == 1


async def test_one_position_is_of_all_that_was_sent_together(api: Api) -> None:
    users = [await person(api) for _ in range(4)]
    many = [notification(user, actor=unique("actor")) for user in users for _ in range(3)]
    said = await api.done("POST", "/v1/notifications/bulk", {"notifications": many})
    for user in users:
        mine = {each["notifications"].get(user) for each in said["notifications"]} - {None}
        assert await ids_in(api, "inbox", user, said["position"]) == mine
        assert len(mine) == 3


async def test_what_users_want_and_what_happened_are_waited_for_together(api: Api) -> None:
    user = await person(api)
    happened = await api.done("POST", "/v1/events", commented(user))
    wanted = {"categories": {"comments": {"push": False}}}
    changed = await api.done("PUT", f"/v1/users/{user}/preferences", wanted)
    both = f"{happened['position']},{changed['position']}"
    assert len(await ids_in(api, "inbox", user, both)) == 1
    known = await api.done("GET", f"/v1/users/{user}", params={"position": both})
    assert known["preferences"]["categories"] == {"comments": {"push": False}}


@pytest.mark.parametrize("role", ["router", "decider"])
async def test_a_read_waits_for_each_role_before_the_inbox(api: Api, role: str) -> None:
    user, pid = await person(api), api.house.workers[role].pid
    path = f"/v1/users/{user}/inbox"
    os.kill(pid, signal.SIGSTOP)
    try:
        said = await api.done("POST", "/v1/events", commented(user))
        reading = asyncio.create_task(api.done("GET", path, params={"position": said["position"]}))
        for _ in range(5):
            assert (await api.done("GET", path))["items"] == []
        assert not reading.done()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert len((await reading)["items"]) == 1


async def test_what_is_scheduled_counts_as_handled_and_is_cancelled(api: Api) -> None:
    user, key = await person(api), unique("cancel")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    later = shipped(user, deliver_at=tomorrow.isoformat(), cancel_key=key)
    for path, body, waiting in (
        ("/v1/events", later, 1),
        ("/v1/cancellations", {"cancel_key": key, "actor": "shop"}, 0),
    ):
        said = await api.done("POST", path, body)
        after = {"position": said["position"]}
        known = await api.done("GET", f"/v1/users/{user}", params=after)
        assert known["waiting"] == waiting


async def test_who_is_followed_is_in_the_feed_at_once(api: Api) -> None:
    user, topic = await person(api), unique("topic")
    said = await api.done("PUT", f"/v1/users/{user}/topics/{topic}")
    assert await ids_in(api, "feed", user, said["position"]) == set()


async def test_what_never_comes_is_not_waited_for_for_long(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.keys['acme']}"}
    url = f"{api.url}/v1/users/ann/inbox?position=events/0:{10**17}"
    async with api.session.get(url, headers=headers) as response:
        problem = await response.json(content_type="application/problem+json")
        assert (response.status, "Retry-After" in response.headers) == (503, True)
    assert "not handled within" in problem["detail"]


@pytest.mark.parametrize(
    "position",
    [
        "x",
        "events:5",  # in which partition?
        "contacts/1:5",  # in the user's own, always
        "events/4:5",  # there are four
        "events/-1:5",
        "events/1:",
        "events/1:²",
        "live/1:5",
        "events/1:5,,",
        ",".join(["events/1:5"] * 1001),
    ],
)
async def test_a_position_that_no_write_was_answered_with_is_refused(
    api: Api, position: str
) -> None:
    for path in ("", "/inbox", "/inbox/counts", "/feed"):
        status, _ = await api.call("GET", f"/v1/users/ann{path}", params={"position": position})
        assert status == 400
