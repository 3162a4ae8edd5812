"""FCM: its JSON, its access tokens, what its errors mean."""

import asyncio
from pathlib import Path

import firebase_admin.messaging as messaging
import msgspec
import pytest

from embedded.simulators.accept_log import digest_of
from embedded.simulators.faults import Fault
from schemas.delivery import KEEPS_BADGE, SILENT, Action, Content
from schemas.errors import Misconfigured
from schemas.vocabulary import Channel, Priority, Reason
from sinks.provider import Sent, TransientFailure
from sinks.push.fcm import Fcm
from sinks.push.fcm_message import body_of
from tests.patience import in_time
from tests.sinks.rig import Case, Rig, delivery
from tests.sinks.set_clock import SetClock

FCM = Case(
    kind=Fcm,
    channel=Channel.PUSH,
    address="device-{}",
    invalid="not a token",
    dead=Reason.UNREGISTERED,
    misconfigured=[
        ({"fcm_credentials": None}, "TOCSIN_FCM_CREDENTIALS is not set"),
        ({"fcm_credentials": Path("nowhere.json")}, "is not a service account file"),
        ({"fcm_credentials": Path("pyproject.toml")}, "is not a service account file"),
        ({"fcm_url": "fcm"}, "TOCSIN_FCM_URL"),
    ],
)


@pytest.mark.filterwarnings("ignore:Message.token is deprecated:DeprecationWarning")
@pytest.mark.parametrize("replaces", ["", "1a2b3c4d5e6f708192a3b4c5d6e7f801"])
@pytest.mark.parametrize("priority", list(Priority))
def test_json_is_that_of_firebase_admin(priority: Priority, replaces: str) -> None:
    content = Content(title="Hi", body="Grüße", data={"order": "7", "items": [1, 2]})
    ours = delivery(
        FCM,
        priority=priority,
        content=content,
        expires_at=1_800_000_300_900,
        replaces=replaces,
    )
    collapses_by = replaces or ours.notification_id
    urgent = priority in (Priority.CRITICAL, Priority.HIGH)
    urgency = {"critical": "high", "bulk": "very-low"}.get(priority, str(priority))
    theirs = messaging.Message(
        token=ours.address,
        notification=messaging.Notification(title="Hi", body="Grüße"),
        data={
            "order": "7",
            "items": "[1,2]",
            "notification_id": ours.notification_id,
            "delivery_id": ours.delivery_id,
        },
        android=messaging.AndroidConfig(
            priority="high" if urgent else "normal",
            ttl=300,
            notification=messaging.AndroidNotification(tag=collapses_by, sound="default"),
        ),
        apns=messaging.APNSConfig(
            headers={
                "apns-collapse-id": collapses_by,
                "apns-expiration": "1800000300",
                "apns-priority": "10" if urgent else "5",
            },
            payload=messaging.APNSPayload(messaging.Aps(sound="default")),
        ),
        webpush=messaging.WebpushConfig(
            headers={"TTL": "300", "Urgency": urgency, "Topic": collapses_by},
            notification=messaging.WebpushNotification(tag=collapses_by),
        ),
    )
    encoded = msgspec.to_builtins(body_of(ours, 1_800_000_000_000).message)
    assert encoded == msgspec.json.decode(str(theirs))
    assert len(ours.notification_id) <= 64


@pytest.mark.filterwarnings("ignore:Message.token is deprecated:DeprecationWarning")
@pytest.mark.parametrize("url", ["https://x.example/7", "http://x.example/7"])
def test_images_and_buttons_are_those_of_firebase_admin(url: str) -> None:
    actions = (Action(label="Open", url=url), Action(label="Später", url="https://x.example/8"))
    content = Content(title="Hi", body="b", image="https://x.example/p.png", actions=actions)
    ours = delivery(FCM, content=content, expires_at=1_800_000_300_900)
    buttons = [
        messaging.WebpushNotificationAction("0", "Open"),
        messaging.WebpushNotificationAction("1", "Später"),
    ]
    link = messaging.WebpushFCMOptions(link=url) if url.startswith("https") else None
    theirs = messaging.Message(
        token=ours.address,
        notification=messaging.Notification("Hi", "b", "https://x.example/p.png"),
        data={
            "notification_id": ours.notification_id,
            "delivery_id": ours.delivery_id,
            "actions": msgspec.json.encode(actions).decode(),
        },
        android=messaging.AndroidConfig(
            priority="high",
            ttl=300,
            notification=messaging.AndroidNotification(tag=ours.notification_id, sound="default"),
        ),
        apns=messaging.APNSConfig(
            headers={
                "apns-collapse-id": ours.notification_id,
                "apns-expiration": "1800000300",
                "apns-priority": "10",
            },
            payload=messaging.APNSPayload(messaging.Aps(sound="default", mutable_content=True)),
        ),
        webpush=messaging.WebpushConfig(
            headers={"TTL": "300", "Urgency": "high", "Topic": ours.notification_id},
            notification=messaging.WebpushNotification(actions=buttons, tag=ours.notification_id),
            fcm_options=link,
        ),
    )
    message = body_of(ours, 1_800_000_000_000).message
    encoded = msgspec.json.decode(msgspec.json.encode(message))
    assert encoded == msgspec.json.decode(str(theirs))
    assert msgspec.json.decode(encoded["data"]["actions"]) == [
        {"label": "Open", "url": url},
        {"label": "Später", "url": "https://x.example/8"},
    ]


@pytest.mark.filterwarnings("ignore:Message.token is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("sound", "apple", "android"),
    [("", "default", "default"), ("chime.caf", "chime.caf", "chime"), (SILENT, None, None)],
)
@pytest.mark.parametrize(("badge", "count"), [(KEEPS_BADGE, None), (0, 0), (7, 7)])
def test_sounds_and_badges_are_those_of_firebase_admin(
    sound: str, apple: str | None, android: str | None, badge: int, count: int | None
) -> None:
    content = Content(title="Hi", body="b", sound=sound, badge=badge)
    ours = delivery(FCM, content=content)
    found = msgspec.to_builtins(body_of(ours, 1_800_000_000_000).message)
    shown = messaging.AndroidNotification(
        tag=ours.notification_id, sound=android, notification_count=count
    )
    web = messaging.WebpushNotification(
        tag=ours.notification_id, silent=True if sound == SILENT else None
    )
    theirs = messaging.Message(
        token=ours.address,
        android=messaging.AndroidConfig(notification=shown),
        apns=messaging.APNSConfig(
            payload=messaging.APNSPayload(messaging.Aps(sound=apple, badge=count))
        ),
        webpush=messaging.WebpushConfig(notification=web),
    )
    expected = msgspec.json.decode(str(theirs))
    assert found["android"]["notification"] == expected["android"]["notification"]
    # Of nothing to say the SDK says nothing.
    assert found["apns"].get("payload") == expected.get("apns", {}).get("payload")
    assert found["webpush"]["notification"] == expected["webpush"]["notification"]


@pytest.mark.parametrize("rig", ["fcm", "apns", "webpush"], indirect=True)
async def test_every_push_provider_takes_images_buttons_sounds_and_badges(rig: Rig) -> None:
    action = Action(label="Open", url="https://x.example/7")
    image, buttons = "https://x.example/p.png", (action,) * 3
    content = Content(
        title="Hi", body="b", image=image, actions=buttons, sound="chime.caf", badge=7
    )
    assert isinstance(await rig.send(content=content), Sent)
    (line,) = rig.witnessed()
    assert (line.title, line.digest) == ("Hi", digest_of("b"))


def test_time_to_live_has_its_bounds() -> None:
    past = delivery(FCM, expires_at=1)
    assert body_of(past, 1_000).message.android.ttl == "0s"
    far = delivery(FCM, expires_at=10**13)
    assert body_of(far, 1_000).message.android.ttl == "2419200s"


@pytest.mark.parametrize("rig", ["fcm"], indirect=True)
async def test_takes_a_new_token_when_the_old_one_is_revoked(rig: Rig) -> None:
    tokens = rig.running.simulators.tokens
    await rig.send()
    before = tokens.issued
    tokens.revoke()
    outcomes = await rig.provider.send([delivery(FCM, number) for number in range(20)])
    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    assert tokens.issued == before + 1


@pytest.mark.parametrize("rig", ["fcm"], indirect=True)
async def test_replaces_a_token_ahead_of_its_end(rig: Rig) -> None:
    clock = SetClock()
    provider = Fcm(rig.settings, rig.http, clock)
    tokens = rig.running.simulators.tokens
    batch = [delivery(FCM, number) for number in range(20)]
    before = tokens.issued
    await provider.send(batch)
    assert tokens.issued == before + 1
    clock.time += 3_400_000  # 200 s before the end
    sends = 0
    # The fake clock is ahead of Google's, so each fetch looks due again; never two at a time.
    async with in_time():
        while tokens.issued < before + 3:
            assert all(isinstance(outcome, Sent) for outcome in await provider.send(batch))
            await asyncio.sleep(0.01)
            sends += 1
    assert tokens.issued <= before + 1 + sends


@pytest.mark.parametrize("rig", ["fcm"], indirect=True)
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(error_rate=1.0, status=400), Reason.UNAUTHORIZED),
        (Fault(reset_rate=1.0), Reason.UNREACHABLE),
        (Fault(malformed_rate=1.0), Reason.UNREADABLE_REPLY),
    ],
)
async def test_without_a_token_retries(rig: Rig, fault: Fault, reason: Reason) -> None:
    rig.running.simulators.faults.set("oauth", fault)
    outcomes = await rig.provider.send([delivery(FCM, number) for number in range(3)])
    rig.assert_secretless(*outcomes)
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, TransientFailure)] == [
        reason
    ] * 3
    assert rig.witnessed() == []


@pytest.mark.parametrize("rig", ["fcm"], indirect=True)
async def test_check_tells_a_refused_account(rig: Rig) -> None:
    other = msgspec.json.decode((rig.settings.fcm_credentials or Path()).read_bytes())
    file = rig.log.with_name("other.json")
    file.write_bytes(msgspec.json.encode({**other, "client_email": "other@example.com"}))
    provider = Fcm(rig.settings.model_copy(update={"fcm_credentials": file}), rig.http)
    with pytest.raises(Misconfigured, match=r"TOCSIN_FCM_CREDENTIALS is refused: .*invalid_grant"):
        await provider.check()
