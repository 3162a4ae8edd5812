"""The feed by HTTP: the inbox and the outboxes of those one follows, from one's own partition."""

from typing import Any

import pytest

from tests.agents.names import unique
from tests.patience import until_told
from tests.web.api.routes.test_sending import person
from tests.web.house import FAMOUS, Api


def post(actor: str, text: str) -> dict[str, Any]:
    data = {"post_id": text, "author_name": actor, "text": text}
    return {"id": unique("post"), "type": "post.published", "actor": actor, "data": data}


async def followed(api: Api, *fans: str) -> str:
    """An actor whom these follow, as the decider and so the router before it knows."""
    actor = unique("actor")
    for fan in fans:
        await api.done("PUT", f"/v1/users/{fan}/follows/{actor}")
    for fan in fans:
        await until_follows(api, fan, actor, is_in=True)
    return actor


async def until_follows(api: Api, fan: str, actor: str, *, is_in: bool) -> None:
    asked = {"event": post(actor, ""), "user": fan}
    await until_told(
        lambda: api.done("POST", "/v1/explain", asked),
        lambda found: found[0]["membership"]["is_in"] is is_in,
    )


async def texts(api: Api, fan: str, count: int, key: str = "acme") -> list[tuple[str, str]]:
    """Texts and sources of a feed, once so many are there."""
    page = await until_told(
        lambda: api.done("GET", f"/v1/users/{fan}/feed", key=key),
        lambda page: len(page["items"]) >= count,
    )
    return [(item["body"], item["source"]) for item in page["items"]]


async def test_a_feed_is_one_list_of_both(api: Api) -> None:
    fan, *others = [await person(api) for _ in range(FAMOUS)]
    famous, friend = await followed(api, fan, *others), await followed(api, fan)
    for number, actor in enumerate((famous, friend, famous, friend, famous)):
        await api.done("POST", "/v1/events", post(actor, str(number)))
        found = await texts(api, fan, number + 1)
    sources = ["outbox", "inbox"] * 2 + ["outbox"]
    assert found == list(zip("43210", sources, strict=True))
    assert await texts(api, others[0], 3) == [(text, "outbox") for text in "420"]

    path, seen, before = f"/v1/users/{fan}/feed", list[str](), dict[str, str]()
    while True:
        page = await api.done("GET", path, params={"limit": "2", **before})
        seen += [item["body"] for item in page["items"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert seen == list("43210")
    assert (await api.done("GET", path, key="globex"))["items"] == []


async def test_who_does_not_want_it_or_unfollows_sees_it_no_more(api: Api) -> None:
    fans = [await person(api) for _ in range(FAMOUS)]
    actor = await followed(api, *fans)
    await api.done("POST", "/v1/events", post(actor, "hello"))
    for fan in fans:
        assert await texts(api, fan, 1) == [("hello", "outbox")]
    body = {"categories": {"social": {"inapp": False}}}
    said = await api.done("PUT", f"/v1/users/{fans[0]}/preferences", body)
    path = f"/v1/users/{fans[0]}/feed"
    assert (await api.done("GET", path, params=said))["items"] == []
    await api.done("DELETE", f"/v1/users/{fans[1]}/follows/{actor}")
    await until_follows(api, fans[1], actor, is_in=False)
    assert (await api.done("GET", f"/v1/users/{fans[1]}/feed"))["items"] == []
    assert await texts(api, fans[2], 1) == [("hello", "outbox")]


async def test_what_is_read_in_the_inbox_is_read_in_the_feed(api: Api) -> None:
    fan = await person(api)
    friend = await followed(api, fan)
    await api.done("POST", "/v1/events", post(friend, "hello"))
    await texts(api, fan, 1)
    path = f"/v1/users/{fan}/feed"
    (item,) = (await api.done("GET", path))["items"]
    assert "read_at" not in item
    change = {"kind": "read", "item": item["id"]}
    said = await api.done("POST", f"/v1/users/{fan}/inbox/changes", change)
    (item,) = (await api.done("GET", path, params=said))["items"]
    assert item["read_at"] >= item["occurred_at"]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"before": "x"}, {"position": "events:1"}]
)
async def test_what_can_not_be_asked(api: Api, query: dict[str, str]) -> None:
    status, _ = await api.call("GET", "/v1/users/ann/feed", params=query)
    assert status == 400
