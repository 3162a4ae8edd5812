"""The inbox by HTTP: read from the user's own partition, changed, and read back."""

from typing import Any

from tests.patience import until_told
from tests.web.api.routes.test_sending import notification, person
from tests.web.house import Api


async def filled(api: Api, count: int) -> tuple[str, list[Any]]:
    user = await person(api)
    for _ in range(count):
        await api.done("POST", "/v1/notifications", notification(user))
    path = f"/v1/users/{user}/inbox"
    page = await until_told(lambda: api.done("GET", path), lambda page: len(page["items"]) == count)
    return path, page["items"]


async def test_an_inbox_is_read_marked_and_counted(api: Api) -> None:
    path, items = await filled(api, 3)
    assert [item["title"] for item in items] == ["Bo on Cats"] * 3
    said = await api.done("POST", f"{path}/changes", {"kind": "read", "item": items[0]["id"]})
    after = {"position": said["position"]}
    assert await api.done("GET", f"{path}/counts", params=after) == {
        "unread": 2,
        "unseen": 2,
        "last": 3,
    }
    unread = await api.done("GET", path, params={"which": "unread"})
    assert [item["id"] for item in unread["items"]] == [item["id"] for item in items[1:]]
    said = await api.done("POST", f"{path}/changes", {"kind": "read"})
    after = {"position": said["position"]}
    assert await api.done("GET", f"{path}/counts", params=after) == {
        "unread": 0,
        "unseen": 0,
        "last": 3,
    }


async def test_pages_go_on_where_the_last_ended(api: Api) -> None:
    path, items = await filled(api, 5)
    seen: list[Any] = []
    before: dict[str, str] = {}
    while True:
        page = await api.done("GET", path, params={"limit": "2", **before})
        seen += page["items"]
        if "next" not in page or page["next"] is None:
            break
        before = {"before": page["next"]}
    assert seen == items


async def test_what_can_not_be_changed(api: Api) -> None:
    path = "/v1/users/ann/inbox/changes"
    for body, pointer in (
        ({"kind": "snoozed"}, "/until"),
        ({"kind": "read", "until": "2026-01-01T00:00:00Z"}, "/until"),
        ({"kind": "read", "item": "x"}, "/item"),
        ({"kind": "eaten"}, "/kind"),
    ):
        status, problem = await api.call("POST", path, body)
        assert (status, problem["errors"][0]["pointer"]) == (400, pointer)
