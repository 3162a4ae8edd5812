"""What an FCM message says of time and of data."""

import msgspec
import pytest

from schemas.delivery import Content
from schemas.vocabulary import Channel
from sinks.push.apns_payload import payload_of
from sinks.push.fcm_message import body_of
from tests.sinks.requests.recorder import NOW, delivery


@pytest.mark.parametrize("seconds", [5, 0, -1])
def test_fcm_keeps_a_message_as_long_as_there_is_time(seconds: int) -> None:
    said = delivery(Channel.PUSH, "d", expires_at=NOW + 1000 * seconds + 999)
    assert body_of(said, NOW).message.android.ttl == f"{max(0, seconds)}s"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (Content(title="T", body="B"), {"title": "T", "body": "B"}),
        (Content(body="B"), {"body": "B"}),
        (Content(title="T", body=""), {"title": "T"}),
        (Content(body=""), {}),
    ],
)
def test_what_is_empty_is_not_shown(content: Content, shown: dict[str, str]) -> None:
    """Neither by FCM nor by Apple."""
    said = delivery(Channel.PUSH, "d", content=content)
    assert msgspec.to_builtins(body_of(said, NOW).message)["notification"] == shown
    assert msgspec.to_builtins(payload_of(said))["aps"]["alert"] == shown


def test_data_that_is_no_text_travels_as_json() -> None:
    data = {"text": "a", "number": 7, "list": [1, "ü"], "delivery_id": "mine", "none": None}
    said = delivery(Channel.PUSH, "d", content=Content(body="", data=data))
    assert body_of(said, NOW).message.data == {
        "text": "a",
        "number": "7",
        "list": '[1,"ü"]',
        "none": "null",
        "notification_id": said.notification_id,
        "delivery_id": said.delivery_id,
    }
