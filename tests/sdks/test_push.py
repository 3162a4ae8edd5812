"""web-push, firebase-admin and node-apn against the simulators of those whom they are made for."""

import json
from typing import Any

from tests.embedded.conftest import Bench
from tests.sdks.node import RUNS, outcomes

pytestmark = RUNS

PAYLOAD = {"title": "Shipped", "body": "On its way", "notification_id": "n1", "delivery_id": "d1"}
DEVICE, GONE = "ab" * 32, "cd" * 32


async def test_web_push(bench: Bench) -> None:
    browser, url = bench.running.credentials.browser, bench.running.base_url
    ours, gone, others = (browser.subscription(url, number) for number in (1, 2, 3))
    bench.fault("webpush", dead=frozenset({gone}), refused={others: 403})
    taken, expired, foreign = await outcomes(
        "webpush",
        bench.running,
        *(
            {"subscription": json.loads(each.removeprefix("web:")), "payload": PAYLOAD}
            for each in (ours, gone, others)
        ),
    )
    last = bench.last()
    assert taken.answer == {"statusCode": 201, "location": last.reference}
    assert (last.provider, last.address, last.title) == ("webpush", ours, "Shipped")
    assert (last.notification_id, last.delivery_id) == ("n1", "d1")
    assert [(each.error["type"], each.error["statusCode"]) for each in (expired, foreign)] == [
        ("WebPushError", 410),
        ("WebPushError", 403),
    ]


async def test_firebase_admin(bench: Bench) -> None:
    bench.fault("fcm", dead=frozenset({"gone"}), refused={"foreign": 403, "ios": 401})
    message = {
        "notification": {"title": "Shipped", "body": "On its way"},
        "data": {"notification_id": "n1", "delivery_id": "d1"},
        "android": {"ttl": 60_000, "priority": "high", "collapseKey": "n1"},
        "apns": {"payload": {"aps": {"sound": "default", "badge": 1}}},
        "webpush": {"headers": {"TTL": "60"}, "fcmOptions": {"link": "https://example.com/"}},
    }
    calls: tuple[dict[str, Any], ...] = (
        {"token": "ours", **message},
        {"token": "gone"},
        {"token": "foreign"},
        {"token": "ios"},
        {"token": "ours", "data": {"text": "x" * 5000}},
        {"token": "ours", "by_stranger": True},
    )
    taken, *refused = await outcomes("fcm", bench.running, *calls)
    last = bench.last()
    assert taken.answer == last.reference
    assert (last.provider, last.address, last.delivery_id) == ("fcm", "ours", "d1")
    assert [(each.error["type"], each.error["code"]) for each in refused] == [
        ("FirebaseMessagingError", "messaging/registration-token-not-registered"),
        ("FirebaseMessagingError", "messaging/mismatched-credential"),
        ("FirebaseMessagingError", "messaging/third-party-auth-error"),
        ("FirebaseMessagingError", "messaging/invalid-argument"),
        ("FirebaseAppError", "app/invalid-credential"),
    ]
    assert "invalid_grant: Invalid JWT Signature." in refused[-1].error["message"]


async def test_node_apn(bench: Bench) -> None:
    """It resolves also with what was refused, device by device."""
    bench.fault("apns", dead=frozenset({f"apns:{GONE}"}))
    alert = {"title": "Shipped", "body": "On its way"}
    calls: tuple[dict[str, Any], ...] = (
        {"device": DEVICE, "alert": alert},
        {"device": GONE, "alert": alert},
        {"device": DEVICE, "alert": alert, "topic": "com.example.other"},
        {"device": DEVICE, "alert": "x" * 5000},
        {"device": DEVICE, "alert": alert, "key_id": "OTHER"},
    )
    taken, *refused = [each.answer for each in await outcomes("apns", bench.running, *calls)]
    last = bench.last()
    assert taken == {"sent": [{"device": DEVICE, "apns-id": last.reference}], "failed": []}
    assert (last.address, last.title, last.delivery_id) == (f"apns:{DEVICE}", "Shipped", "d1")
    assert all(each["sent"] == [] for each in refused)
    failed = [each["failed"][0] for each in refused]
    assert [(each["status"], each["response"]["reason"]) for each in failed] == [
        (410, "Unregistered"),
        (400, "TopicDisallowed"),
        (413, "PayloadTooLarge"),
        (403, "InvalidProviderToken"),
    ]
