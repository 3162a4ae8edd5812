"""Records in formats of their own by HTTP, from whoever has a key, or signs with a secret."""

import hashlib
import hmac
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from cloudevents.core.bindings.http import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import SecretStr

from policy.catalogue.catalogue import parse
from schemas.errors import Misconfigured
from schemas.topics import CONTACTS, EVENTS
from tests.policy.samples import TYPE
from tests.web.caller import Answer, Caller, Memory, calling, memory, settings
from tests.web.desk import desk_of
from web.api.app import api
from web.api.keys import Keys
from web.api.routes.sources import secrets_of
from web.api.signatures import TOLERANCE_MS, is_signed

SECONDS = 1_753_000_000
NOW = 1000 * SECONDS
SECRETS = '{"repository": "It\'s a Secret to Everybody", "payments": ["new", "old"]}'
SOURCES = """
[sources.clicks]
into = "events"
when = "type == 'track'"
[sources.clicks.set]
type = "thing.happened"
id = "{{ messageId }}"
actor = "{{ userId }}"
occurred_at = "{{ value.timestamp }}"
data = "{{ properties }}"

[sources.people]
into = "contacts"
[sources.people.set]
user = "{{ id }}"
email = "{{ email }}"

[sources.shop]
format = "cloudevents"
into = "events"

[sources.rows]
format = "debezium+avro"
into = "events"
[sources.rows.set]
type = "thing.happened"
actor = "{{ after.shop }}"
data = { who = "ann" }

[sources.repository]
into = "events"
signature = "github"
[sources.repository.set]
type = "thing.happened"
id = "{{ headers['x-github-delivery'] }}"
actor = "{{ sender.login }}"
tenant = "code"
[sources.repository.set.data]
who = "ann"
event = "{{ headers['x-github-event'] }}"
secret = "{{ headers['authorization'] }}"

[sources.payments]
into = "events"
signature = "stripe"
[sources.payments.set]
type = "thing.happened"
id = "{{ value.id }}"
actor = "{{ account or 'us' }}"
occurred_at = "{{ created | epoch_s }}"
data = { who = "{{ customer }}" }
"""


class House:
    """The API with these sources, and the topics that it writes."""

    def __init__(self, caller: Caller, topics: Memory) -> None:
        self.caller, self.topics = caller, topics

    async def post(self, source: str, body: Any, key: str = "key", **headers: str) -> Answer:
        """Post this; without a key where that is empty."""
        data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        given = {"Content-Type": "application/json"}
        given |= {name.replace("_", "-"): text for name, text in headers.items()}
        if key:
            given["Authorization"] = f"Bearer {key}"
        return await self.caller.call("POST", f"/v1/sources/{source}", data=data, headers=given)

    async def done(self, source: str, body: Any, **more: Any) -> Any:
        """What is said of what was taken."""
        answer = await self.post(source, body, **more)
        assert answer.status == 202, answer.text
        return json.loads(answer.body)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    digest = hashlib.sha256(b"key").hexdigest()
    (tmp_path / "keys.toml").write_text(
        f"[all]\nsha256 = '{digest}'\ntenant = 'acme'\nscopes = ['send']\n"
    )
    topics = memory()
    catalogue = parse({"a.toml": TYPE, "b.toml": SOURCES})
    given = settings(source_secrets=SecretStr(SECRETS))
    app = web.Application()
    app.add_routes(
        api(desk_of(topics, given, NOW, catalogue=catalogue), Keys(tmp_path / "keys.toml"))
    )
    async with calling(app) as caller:
        yield House(caller, topics)


CALL = {
    "type": "track",
    "messageId": "m-1",
    "userId": 97,
    "event": "Item Purchased",
    "timestamp": "2025-07-20T08:26:40.000Z",
    "properties": {"who": "ann", "revenue": 39.95},
}


async def test_a_call_becomes_an_event_of_the_key_s_tenant(house: House) -> None:
    said = await house.done("clicks", CALL)
    assert (said["taken"], said["skipped"], said["ids"]) == (1, 0, ["m-1"])
    assert said["position"] == "events/0:1"
    (event,) = house.topics.said(EVENTS)
    assert (event["actor"], event["tenant"]) == ("97", "acme")
    assert event["data"] == CALL["properties"]
    again = await house.done("clicks", CALL | {"type": "identify"})
    assert again == {"taken": 0, "skipped": 1, "ids": [], "position": ""}
    assert len(house.topics.said(EVENTS)) == 1


async def test_what_is_no_event_goes_where_its_source_leads(house: House) -> None:
    said = await house.done("people", {"id": 7, "email": "ann@example.com"})
    assert said["ids"] == []
    (contacts,) = house.topics.said(CONTACTS)
    assert contacts == {"user": "7", "email": "ann@example.com", "tenant": "acme"}


@pytest.mark.parametrize(
    ("source", "body", "status", "why"),
    [
        ("nothing", CALL, 404, "no such source"),
        ("clicks", b"{", 422, "undecodable: is not JSON"),
        ("clicks", {"type": "track"}, 422, "set.actor"),
        ("shop", {"id": "1"}, 422, "is no CloudEvent"),
        ("people", {"id": ""}, 422, "length >= 1"),
        ("clicks", b"[" * (1 << 20) + b"x", 413, "bytes are possible"),
    ],
)
async def test_what_can_not_be_taken_says_why(
    house: House, source: str, body: Any, status: int, why: str
) -> None:
    answer = await house.post(source, body)
    assert answer.status == status
    assert why in answer.text
    assert house.topics.said(EVENTS) == []


ATTRIBUTES = {
    "id": "1",
    "source": "/shop",
    "type": "thing.happened",
    "subject": "ann",
    "time": datetime(2026, 3, 14, tzinfo=UTC),
    "datacontenttype": "application/json",
    "specversion": "1.0",
}


@pytest.mark.parametrize("mode", [to_binary, to_structured])
async def test_cloud_events_of_the_sdk_are_taken_as_they_are(house: House, mode: Any) -> None:
    message = mode(CloudEvent(ATTRIBUTES | {"subject": "ä b"}, {"who": "ann"}), JSONFormat())
    said = await house.done("shop", message.body, **message.headers)
    assert said["ids"] == ["/shop#1"]
    (event,) = house.topics.said(EVENTS)
    assert (event["actor"], event["data"]) == ("ä b", {"who": "ann"})
    assert event["occurred_at"] == "2026-03-14T00:00:00Z"


async def test_of_a_batch_all_are_taken_or_none(house: House) -> None:
    batch = "application/cloudevents-batch+json"
    one: dict[str, Any] = {
        "specversion": "1.0",
        "id": "1",
        "source": "/a",
        "type": "thing.happened",
    }
    one |= {"data": {"who": "ann"}}
    said = await house.done("shop", [one, one | {"id": "2"}], content_type=batch)
    assert said["ids"] == ["/a#1", "/a#2"]
    for bad, why in (({"id": "3"}, "specversion"), (one | {"data": {}}, "data.who is missing")):
        answer = await house.post("shop", [one, bad], content_type=batch)
        assert answer.status == 422
        (error,) = json.loads(answer.body)["errors"]
        assert error["pointer"] == "/1"
        assert why in error["detail"]
    assert len(house.topics.said(EVENTS)) == 2
    for body, status in (({}, 400), ([], 400), (b"[", 400), ([one] * 1001, 400)):
        assert (await house.post("shop", body, content_type=batch)).status == status
    assert (await house.post("clicks", [one], content_type=batch)).status == 415


async def test_what_names_a_schema_in_kafka_is_json_here(house: House) -> None:
    said = await house.done("rows", {"op": "c", "after": {"shop": "s"}})
    assert said["taken"] == 1


def github(body: bytes, secret: bytes = b"It's a Secret to Everybody") -> str:
    """As GitHub signs."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def stripe(body: bytes, secret: bytes = b"new", at: int = SECONDS) -> str:
    """As Stripe signs, with a signature of its former scheme beside it."""
    text = hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={text},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"


def test_github_s_own_example_is_signed_by_its_secret() -> None:
    """The values of its manual, "Validating webhook deliveries"."""
    given = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"x-hub-signature-256": given}
    secret, body = "It's a Secret to Everybody", b"Hello, World!"
    assert is_signed("github", [secret], headers, body, 0)
    assert not is_signed("github", [secret], headers, body + b"!", 0)
    assert not is_signed("github", [], headers, body, 0)


@pytest.mark.parametrize(
    ("given", "at", "is_valid"),
    [
        (stripe(b"x"), NOW, True),
        (stripe(b"x", b"old"), NOW, True),
        (stripe(b"x", b"other"), NOW, False),
        (stripe(b"y"), NOW, False),
        (stripe(b"x"), NOW + TOLERANCE_MS, True),
        (stripe(b"x"), NOW + TOLERANCE_MS + 1, False),
        (stripe(b"x"), NOW - TOLERANCE_MS - 1, False),
        (stripe(b"x").replace("v1=", "v1=00,v1="), NOW, True),
        (stripe(b"x").replace("v1=", "v2="), NOW, False),
        (stripe(b"x").replace("t=", "t=1,t="), NOW, False),
        ("t=" + "9" * 5000 + ",v1=00", NOW, False),
        ("", NOW, False),
    ],
)
def test_stripe_s_signatures_are_of_now_and_of_one_of_the_secrets(
    given: str, at: int, is_valid: bool
) -> None:
    assert is_signed("stripe", ["new", "old"], {"stripe-signature": given}, b"x", at) is is_valid


async def test_a_signed_webhook_needs_no_key_and_says_its_tenant_itself(house: House) -> None:
    body = json.dumps({"action": "opened", "sender": {"login": "octocat"}}).encode()
    more = {"X_GitHub_Delivery": "72d3162e", "X_GitHub_Event": "issues"}
    said = await house.done("repository", body, key="", **more, X_Hub_Signature_256=github(body))
    assert said["ids"] == ["72d3162e"]
    (event,) = house.topics.said(EVENTS)
    assert (event["actor"], event["tenant"]) == ("octocat", "code")
    assert event["data"] == {"who": "ann", "event": "issues"}
    payment = json.dumps(
        {"id": "evt_1", "created": SECONDS, "type": "charge.paid", "customer": 7}
    ).encode()
    said = await house.done("payments", payment, key="", Stripe_Signature=stripe(payment))
    assert said["ids"] == ["evt_1"]


async def test_whoever_has_neither_key_nor_secret_is_told_nothing(house: House) -> None:
    body = b'{"sender": {"login": "x"}}'
    forged = {"X_Hub_Signature_256": github(body, b"guessed")}
    for source, headers in (
        ("repository", forged),
        ("repository", {}),
        ("clicks", {"X_Hub_Signature_256": github(body)}),
        ("nothing", {}),
    ):
        answer = await house.post(source, body, key="", **headers)
        assert answer.status == 401
        assert "what is signed with its secret" in answer.text
    wrong = await house.post("repository", body, key="wrong", X_Hub_Signature_256=github(body))
    assert wrong.status == 401
    assert house.topics.said(EVENTS) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}'])
def test_secrets_that_are_none_keep_it_from_starting(text: str) -> None:
    with pytest.raises(Misconfigured, match="TOCSIN_SOURCE_SECRETS"):
        secrets_of(settings(source_secrets=SecretStr(text)))
