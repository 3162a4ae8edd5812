"""What each call of the API writes, to which topic and of whose, without a house."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from policy.audience.membership import Membership
from policy.decision.decision import Outcome
from policy.decision.explanation import Explanation, Sent, Waits
from policy.identity import notification_id
from schemas.errors import BadRecord
from schemas.question import Explain
from schemas.topics import (
    BLOCKS,
    CANCELLATIONS,
    CONTACTS,
    DEVICES,
    ERASURES,
    EVENTS,
    FOLLOWS,
    PREFERENCES,
    PROFILE_CHANGES,
    Topic,
)
from schemas.vocabulary import Channel, Reason
from tests.web.caller import Caller, Memory, calling, memory, settings
from tests.web.desk import Asked, desk_of
from web.api.keys import Keys
from web.api.route import Gate
from web.api.routes.sending import MOST_ASKED, Sending
from web.api.routes.users import Users
from web.http.rate_limits import Limits

NOW, NOW_SHOWN = 1_753_000_000_000, "2025-07-20T08:26:40Z"
A_YEAR_ON, LATER = "2026-07-21T08:26:40Z", "2026-07-21T08:26:41Z"
KEY = "[{0}]\nsha256 = '{1}'\ntenant = '{0}'\nscopes = ['send', 'users', 'erase']\n"
COMMENT = {"type": "comment_added", "users": ["ann"], "data": {}}
SENT = (Sent(Channel.PUSH, ("token…",)),)
MUTED = Outcome(Channel.PUSH, Reason.OPTED_OUT)


def explained(**fields: Any) -> Explanation:
    member = Membership(True, "named")
    return Explanation(type="comment_added", catalogue="c1", membership=member, **fields)


@dataclass
class Client:
    """Calls with the key of a tenant."""

    caller: Caller
    topics: Memory
    owners: Asked

    async def call(self, method: str, path: str, body: Any = None, key: str = "acme") -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        asked = await self.caller.call(method, f"/v1{path}", json=body, headers=headers)
        return asked.status, msgspec.json.decode(asked.body) if asked.body else None

    def said(self, topic: Topic) -> list[Any]:
        return self.topics.said(topic)

    def tells(self, **users: Explanation) -> None:
        """What the decider says of an event for each user; of others, that it goes out."""

        def answer(user: str, _: object) -> list[Explanation]:
            return [users.get(user) or explained(sent=SENT)]

        self.owners.answer = answer


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    file = tmp_path / "keys.toml"
    names = ("acme", "globex")
    file.write_text(
        "".join(KEY.format(name, hashlib.sha256(name.encode()).hexdigest()) for name in names)
    )
    topics, owners = memory(), Asked()
    desk = desk_of(topics, settings(), NOW, owners)
    gate = Gate(Keys(file), Limits(), 1 << 20, 10_000, desk.trail)
    app = web.Application()
    app.add_routes([gate.open(route) for route in (*Users(desk).routes(), *Sending(desk).routes())])
    async with calling(app) as caller:
        found = Client(caller, topics, owners)
        found.tells()
        yield found


async def test_contacts(client: Client) -> None:
    body = {"email": "ann@example.com", "zone": "Europe/Berlin"}
    answer = await client.call("PUT", "/users/ann/contacts", body, "globex")
    assert answer == (202, {"position": "contacts:1"})
    assert client.said(CONTACTS) == [{"user": "ann", "tenant": "globex", **body}]


async def test_a_change_of_some_preferences_says_nothing_of_the_others(client: Client) -> None:
    body = {"categories": {"news": {"push": False}}, "quiet_hours": [], "zone": "Asia/Tokyo"}
    answer = await client.call("PATCH", "/users/ann/preferences", body)
    assert answer == (202, {"position": "profile-changes:1"})
    assert client.said(PROFILE_CHANGES) == [{"user": "ann", "tenant": "acme", "by": "api", **body}]
    assert client.said(PREFERENCES) == client.said(CONTACTS) == []


async def test_an_actor_is_blocked_and_no_longer(client: Client) -> None:
    assert await client.call("PUT", "/users/ann/blocks/eve") == (202, {"position": "blocks:1"})
    assert await client.call("DELETE", "/users/ann/blocks/eve") == (202, {"position": "blocks:2"})
    whose = {"user": "ann", "actor": "eve", "tenant": "acme", "at": NOW_SHOWN}
    assert client.said(BLOCKS) == [whose, {**whose, "blocked": False}]


async def test_a_change_to_no_zone_is_refused(client: Client) -> None:
    status, problem = await client.call("PATCH", "/users/ann/preferences", {"zone": "Mars/Base"})
    assert (status, problem["errors"][0]["pointer"]) == (400, "/zone")
    assert client.topics.topics == {}


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        ({"zone": "Mars/Base"}, "/zone", "is no IANA time zone"),
        ({"webhooks": ["https://a.example/", "https://127.0.0.1/"]}, "/webhooks/1", ""),
        ({"email": "a@x,b@y"}, "/email", "is no plain e-mail address"),
        ({"phone": "015112345"}, "/phone", "is no phone number"),
        ({"user": "bob"}, "", "Object contains unknown field `user`"),
    ],
)
async def test_contacts_that_can_not_be(client: Client, body: Any, pointer: str, said: str) -> None:
    status, problem = await client.call("PUT", "/users/ann/contacts", body)
    (error,) = problem["errors"]
    assert (status, error["pointer"]) == (400, pointer)
    assert said in error["detail"]
    assert client.topics.topics == {}


async def test_addresses_are_written_in_one_way(client: Client) -> None:
    body = {"email": " ada@bücher.example ", "phone": "+52 1 55 1234 5678"}
    status, _ = await client.call("PUT", "/users/ann/contacts", body)
    (said,) = client.said(CONTACTS)
    assert (status, said["email"], said["phone"]) == (
        202, "ada@xn--bcher-kva.example", "+525512345678",
    )  # fmt: skip


async def test_preferences(client: Client) -> None:
    body = {"channels": {"sms": True}, "frequency": {"news": "weekly"}, "digest_at": "18:30"}
    answer = await client.call("PUT", "/users/ann/preferences", body)
    assert answer == (202, {"position": "preferences:1"})
    assert client.said(PREFERENCES) == [{"user": "ann", "tenant": "acme", "by": "api", **body}]


async def test_a_device_comes_and_goes(client: Client) -> None:
    device = {"token": "ab12", "platform": "apns"}
    for method in ("POST", "DELETE"):
        status, _ = await client.call(method, "/users/ann/devices", device)
        assert status == 202
    ours = {"user": "ann", "tenant": "acme", "device": device}
    assert client.said(DEVICES) == [ours, {**ours, "removed": True}]


async def test_who_follows_whom_and_which_topic(client: Client) -> None:
    calls = (
        ("PUT", "follows/bob"),
        ("DELETE", "follows/bob"),
        ("PUT", "topics/cats"),
        ("DELETE", "topics/cats"),
    )
    for number, (method, path) in enumerate(calls, 1):
        answer = await client.call(method, f"/users/ann/{path}")
        assert answer == (202, {"position": f"follows/0:{number}"})
    said = client.said(FOLLOWS)
    assert [(each["followee"], each.get("following", True)) for each in said] == [
        ("bob", True),
        ("bob", False),
        ("topic:cats", True),
        ("topic:cats", False),
    ]
    assert {(e["follower"], e["tenant"], e["at"]) for e in said} == {("ann", "acme", NOW_SHOWN)}


async def test_a_topics_name_may_be_no_longer_with_what_precedes_it(client: Client) -> None:
    assert (await client.call("PUT", f"/users/ann/topics/{'x' * 194}"))[0] == 202
    assert (await client.call("PUT", f"/users/ann/topics/{'x' * 195}"))[0] == 400


async def test_a_user_is_forgotten(client: Client) -> None:
    answer = await client.call("DELETE", "/users/ann", key="globex")
    assert answer == (202, {"position": "erasures:1"})
    assert client.said(ERASURES) == [{"user": "ann", "tenant": "globex"}]


def event(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {"id": f"e{number}", "type": "comment.added", "actor": "bo", **fields}


async def test_an_event_is_written_as_it_was_said(client: Client) -> None:
    body = event(
        data={"a": 1}, occurred_at="2025-07-01T00:00:00Z", deliver_at=A_YEAR_ON, cancel_key="c"
    )
    answer = await client.call("POST", "/events", body)
    assert answer == (202, {"id": "e1", "position": "events/0:1"})
    assert client.said(EVENTS) == [{**body, "tenant": "acme"}]
    # No key of its own: nobody is asked.
    assert client.owners.asked == []


@pytest.mark.parametrize("path", ["/notifications", "/events"])
async def test_what_is_checked_before_sending_has_what_is_at_the_position(
    client: Client, path: str
) -> None:
    """An event of no key of its own is asked about, too."""
    named = event(type="order.shipped", data={"customer_id": "ann"})
    body = named if path == "/events" else COMMENT
    client.tells(ann=explained(told_before=Outcome(None, Reason.CONFLICT)))
    status, _ = await client.call("POST", f"{path}?position=contacts:5", body)
    assert status == 409
    ((_, user, _, after),) = client.owners.asked
    assert (user, after) == ("ann", {"contacts": 5})
    assert client.said(EVENTS) == []


async def test_an_event_without_a_time_happened_now(client: Client) -> None:
    await client.call("POST", "/events", event())
    assert client.said(EVENTS)[0]["occurred_at"] == NOW_SHOWN


async def test_many_events(client: Client) -> None:
    answer = await client.call("POST", "/events/bulk", {"events": [event(1), event(2)]})
    assert answer == (202, {"ids": ["e1", "e2"], "position": "events/0:2"})
    assert [each["id"] for each in client.said(EVENTS)] == ["e1", "e2"]


@pytest.mark.parametrize(
    ("fields", "pointer"), [({"type": "unheard.of"}, "type"), ({"deliver_at": LATER}, "deliver_at")]
)
async def test_all_events_or_none(client: Client, fields: dict[str, str], pointer: str) -> None:
    body = {"events": [event(1), {**event(2), **fields}, event(3), {**event(4), **fields}]}
    status, problem = await client.call("POST", "/events/bulk", body)
    pointers = [error["pointer"] for error in problem["errors"]]
    assert (status, pointers) == (400, [f"/events/1/{pointer}", f"/events/3/{pointer}"])
    assert client.said(EVENTS) == []


async def test_an_events_key_that_came_before_with_another_body(client: Client) -> None:
    again = Outcome(None, Reason.CONFLICT)
    client.tells(ann=explained(told_before=again))
    body = event(idempotency_key="k1", data={"post_author_id": "ann"})
    body |= {"type": "order.shipped", "data": {"customer_id": "ann"}}
    status, problem = await client.call("POST", "/events", body)
    assert status == 409
    said = "'k1' was taken before with another body, for ann. Nothing was sent."
    assert problem["detail"] == said
    assert client.said(EVENTS) == []
    # Of an event without a key the id says it, and only to who notifies.
    client.tells(ann=explained(told_before=Outcome(None, Reason.DUPLICATE)))
    assert (await client.call("POST", "/events", body))[0] == 202


async def test_an_event_with_a_key_names_its_users(client: Client) -> None:
    body = event(type="order.shipped", idempotency_key="k1", data={})
    status, problem = await client.call("POST", "/events/bulk", {"events": [event(), body]})
    assert (status, problem["errors"][0]["pointer"]) == (400, "/events/1/data")


async def test_a_notification_names_its_users(client: Client) -> None:
    body = {**COMMENT, "users": ["ann", "bob"], "id": "n1", "scheduled_at": A_YEAR_ON}
    status, notified = await client.call("POST", "/notifications", body)
    ids = {user: notification_id("acme", "n1", user, "comment_added") for user in ("ann", "bob")}
    told = {"id": "n1", "notifications": ids, "position": "events/0:1"}
    assert (status, notified) == (202, told)
    (said,) = client.said(EVENTS)
    assert said == {
        "id": "n1",
        "type": "notify.comment_added",
        "actor": "api",
        "occurred_at": NOW_SHOWN,
        "tenant": "acme",
        "deliver_at": A_YEAR_ON,
        "notify": {"type": "comment_added", "users": ["ann", "bob"]},
    }
    assert [(role, user) for role, user, _, _ in client.owners.asked] == [
        ("decider", "ann"),
        ("decider", "bob"),
    ]
    assert isinstance(client.owners.asked[0][2], Explain)


@pytest.mark.parametrize(
    ("fields", "id_"), [({"idempotency_key": "k"}, "k"), ({"idempotency_key": "k", "id": "n"}, "n")]
)
async def test_a_notifications_id(client: Client, fields: dict[str, str], id_: str) -> None:
    _, notified = await client.call("POST", "/notifications", {**COMMENT, **fields})
    assert notified["id"] == id_
    assert client.said(EVENTS)[0]["idempotency_key"] == "k"


async def test_without_an_id_each_call_is_another(client: Client) -> None:
    ids = {(await client.call("POST", "/notifications", COMMENT))[1]["id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(len(each) == 32 for each in ids)


async def test_who_opted_out_is_named(client: Client) -> None:
    client.tells(ann=explained(silent=(MUTED,)))
    body = {"notifications": [{**COMMENT, "id": "n1"}, {**COMMENT, "users": ["bob"], "id": "n2"}]}
    status, answer = await client.call("POST", "/notifications/bulk", body)
    first, second = answer["notifications"]
    assert (status, first["opted_out"], "opted_out" in second) == (202, ["ann"], False)
    assert [each["id"] for each in client.said(EVENTS)] == ["n1", "n2"]


NO_ADDRESS = Outcome(Channel.EMAIL, Reason.NO_ADDRESS)
LIMITED = Outcome(Channel.EMAIL, Reason.RATE_LIMITED)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"silent": (MUTED,)}, 422),
        ({"silent": (MUTED, NO_ADDRESS)}, 422),
        ({"silent": (NO_ADDRESS,)}, 202),
        ({"silent": (MUTED, LIMITED)}, 202),
        ({"silent": (MUTED,), "sent": SENT}, 202),
        ({"silent": (MUTED,), "waits": (Waits(Channel.PUSH, 1, Reason.QUIET_HOURS, ""),)}, 202),
        ({"silent": (MUTED,), "told_before": MUTED}, 202),
        ({}, 202),
    ],
)
async def test_where_nobody_wants_it_it_is_refused(
    client: Client, fields: dict[str, Any], status: int
) -> None:
    found = explained(**fields)
    client.tells(ann=found, bob=found)
    users = ["bob", "ann"]
    answer, problem = await client.call("POST", "/notifications", {**COMMENT, "users": users})
    assert answer == status
    if status == 422:
        said = "Opted out of all of its channels: ann, bob. Nothing was sent."
        assert problem["detail"] == said
        assert client.said(EVENTS) == []


async def test_data_that_a_template_can_not_use_is_pointed_at(client: Client) -> None:
    client.tells(bob=explained(refused="it has no post_title"))
    body = {"notifications": [COMMENT, {**COMMENT, "users": ["ann", "bob"]}]}
    status, problem = await client.call("POST", "/notifications/bulk", body)
    assert status == 400
    assert problem["errors"] == [
        {"pointer": "/notifications/1/data", "detail": "it has no post_title"}
    ]
    assert client.said(EVENTS) == []


async def test_what_the_decider_can_not_use_is_told(client: Client) -> None:
    client.owners.answer = BadRecord(Reason.INVALID, "there are too many")
    status, problem = await client.call("POST", "/notifications", COMMENT)
    assert (status, problem["detail"]) == (400, "there are too many")


async def test_a_notifications_key_that_came_before_with_another_body(client: Client) -> None:
    client.tells(ann=explained(told_before=Outcome(None, Reason.CONFLICT)))
    status, problem = await client.call("POST", "/notifications", {**COMMENT, "id": "n1"})
    assert (status, problem["detail"][:4]) == (409, "'n1'")
    assert client.said(EVENTS) == []


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [({"type": "unheard_of"}, "/type"), ({"scheduled_at": LATER}, "/scheduled_at")],
)
async def test_a_notification_that_can_not_be(
    client: Client, fields: dict[str, str], pointer: str
) -> None:
    status, problem = await client.call("POST", "/notifications", {**COMMENT, **fields})
    assert (status, problem["errors"][0]["pointer"]) == (400, pointer)


async def test_so_many_users_in_one_request(client: Client) -> None:
    users = [f"u{number}" for number in range(MOST_ASKED // 2)]
    halves = [{**COMMENT, "users": users}, {**COMMENT, "users": users}]
    answer = await client.call("POST", "/notifications/bulk", {"notifications": halves})
    assert answer[0] == 202
    body = {"notifications": [*halves, COMMENT]}
    assert (await client.call("POST", "/notifications/bulk", body))[0] == 400


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, {"actor": "api", "at": NOW_SHOWN}),
        ({"actor": "bo", "at": A_YEAR_ON}, {"actor": "bo", "at": A_YEAR_ON}),
    ],
)
async def test_a_cancellation(client: Client, fields: dict[str, str], said: dict[str, str]) -> None:
    answer = await client.call("POST", "/cancellations", {"cancel_key": "c", **fields})
    assert answer == (202, {"id": "c", "position": "cancellations/0:1"})
    assert client.said(CANCELLATIONS) == [{"cancel_key": "c", "tenant": "acme", **said}]
