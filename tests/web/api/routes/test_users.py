"""What is said of a user by HTTP counts, and is read back from the user's own partition."""

import asyncio
from typing import Any

import pytest

from tests.agents.names import unique
from tests.patience import until_told
from tests.web.api.routes.test_sending import notification, person
from tests.web.house import Api

CONTACTS = {
    "devices": [{"token": "one"}, {"token": "ab12", "platform": "apns"}],
    "email": "ann@example.com",
    "phone": "+4930123456",
    "zone": "Europe/Berlin",
    "locale": "de",
    "attributes": {"plan": "pro"},
    "webhooks": ["https://hooks.example.com/x"],
    "chats": [{"platform": "slack", "url": "https://hooks.slack.com/services/T0/B0/x"}],
}
PREFERENCES = {
    "channels": {"sms": True},
    "categories": {"social": {"push": False}},
    "quiet_hours": [{"start": "22:00", "end": "07:30", "days": ["fri"]}],
    "mutes": {"social/cats": None},
    "frequency": {"social": "daily"},
    "digest_at": "18:30",
}


async def test_contacts_and_preferences_are_read_as_they_were_said(api: Api) -> None:
    user = unique("user")
    first = await api.done("PUT", f"/v1/users/{user}/contacts", CONTACTS)
    second = await api.done("PUT", f"/v1/users/{user}/preferences", PREFERENCES)
    both = f"{first['position']},{second['position']}"
    known = await api.done("GET", f"/v1/users/{user}", params={"after": both})
    whose = {"user": user, "tenant": "acme"}
    assert known["contacts"] == {**CONTACTS, **whose}
    assert known["preferences"] == {**PREFERENCES, **whose}


async def test_a_position_of_something_else_is_waited_for_by_nobody(api: Api) -> None:
    user = await person(api)
    read = await api.done("POST", f"/v1/users/{user}/inbox/changes", {"kind": "read"})
    said = await api.done("PUT", f"/v1/users/{user}/contacts", CONTACTS)
    both = f"{read['position']},{said['position']}"
    known = await api.done("GET", f"/v1/users/{user}", params={"after": both})
    assert known["contacts"]["email"] == CONTACTS["email"]
    await api.done("GET", f"/v1/users/{user}/inbox", params={"position": both})


async def test_devices_come_and_go(api: Api) -> None:
    user = await person(api)
    phone = {"token": "ab12", "platform": "apns"}
    said = await api.done("POST", f"/v1/users/{user}/devices", phone)
    known = await api.done("GET", f"/v1/users/{user}", params={"after": said["position"]})
    assert phone in known["contacts"]["devices"]
    said = await api.done("DELETE", f"/v1/users/{user}/devices", phone)
    known = await api.done("GET", f"/v1/users/{user}", params={"after": said["position"]})
    assert known["contacts"]["devices"] == [{"token": f"token-{user}"}]
    assert known["contacts"]["email"] == f"{user}@example.com"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"webhooks": ["https://x.example.com", "https://10.0.0.1"]}, "/webhooks/1"),
        ({"chats": [{"platform": "slack", "url": "https://x.example.com"}]}, "/chats/0"),
        ({"zone": "Mars/Base"}, "/zone"),
        ({"devices": [{"token": "x", "platform": "fax"}]}, "/devices/0/platform"),
        ({"user": "other"}, ""),
    ],
)
async def test_contacts_that_can_not_be(api: Api, body: Any, pointer: str) -> None:
    status, problem = await api.call("PUT", "/v1/users/ann/contacts", body)
    assert (status, [error["pointer"] for error in problem["errors"]]) == (400, [pointer])


async def test_tenants_have_users_of_their_own(api: Api) -> None:
    user = await person(api)
    known = await api.done("GET", f"/v1/users/{user}", key="globex")
    assert known["contacts"] == {"user": user, "tenant": "globex"}


async def test_a_follower_is_told(api: Api) -> None:
    user, actor = await person(api), unique("actor")
    await api.done("PUT", f"/v1/users/{user}/follows/{actor}")
    event = {"id": unique("e"), "type": "post.published", "actor": actor, "data": {}}

    async def membership() -> Any:
        (found,) = await api.done("POST", "/v1/explain", {"event": event, "user": user})
        return found["membership"]

    found = await until_told(membership, lambda told: told["is_in"])
    assert found["why"] == f"{user} follows {actor}"
    await api.done("DELETE", f"/v1/users/{user}/follows/{actor}")
    await until_told(membership, lambda told: not told["is_in"])


async def test_whom_a_user_blocks_is_not_heard_by_name_either(api: Api) -> None:
    user, eve = await person(api), unique("eve")
    said = await api.done("PUT", f"/v1/users/{user}/blocks/{eve}")
    known = await api.done("GET", f"/v1/users/{user}", params={"position": said["position"]})
    assert list(known["blocked"]) == [eve]
    exported = await api.done("GET", f"/v1/users/{user}/export")
    assert exported["known"]["blocked"] == known["blocked"]
    for actor, heard in ((eve, 0), (unique("bob"), 1)):
        sent = await api.done("POST", "/v1/notifications", notification(user, actor=actor))
        after = {"position": sent["position"]}
        page = await api.done("GET", f"/v1/users/{user}/inbox", params=after)
        assert len(page["items"]) == heard
    said = await api.done("DELETE", f"/v1/users/{user}/blocks/{eve}")
    known = await api.done("GET", f"/v1/users/{user}", params={"position": said["position"]})
    assert known["blocked"] == {}


async def test_two_changes_at_once_are_both_kept(api: Api) -> None:
    user = await person(api)
    path = f"/v1/users/{user}/preferences"
    changes = [{"categories": {"comments": {name: False}}} for name in ("push", "email", "inapp")]
    said = await asyncio.gather(*(api.done("PATCH", path, change) for change in changes))
    position = ",".join(each["position"] for each in said)
    known = await api.done("GET", f"/v1/users/{user}", params={"position": position})
    off = {"push": False, "email": False, "inapp": False}
    assert known["preferences"]["categories"] == {"comments": off}
