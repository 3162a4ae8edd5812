from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.rendering.channels.push import ENVELOPE, PAYLOAD
from schemas.delivery import Content, Delivery
from schemas.errors import BadRecord
from schemas.vocabulary import Channel, Priority
from sinks.push.fcm_message import body_of
from tests.policy.templates import event, rendering

wide = st.text(alphabet='aé😀"\\\n\x01', max_size=1500)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | wide,
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(wide, inner, max_size=5),
)


def payload_of(content: Content) -> int:
    """Bytes of what FCM gets of title, body and data, with the ids that the sink adds."""
    sent = Delivery(
        delivery_id="d" * 32,
        notification_id="n" * 32,
        event_id="e",
        user="ann",
        type="thing",
        category="things",
        channel=Channel.PUSH,
        priority=Priority.HIGH,
        address="token",
        content=content,
        occurred_at=0,
        accepted_at=0,
        expires_at=0,
    )
    message = body_of(sent, 0).message
    return len(msgspec.json.encode({"notification": message.notification, "data": message.data}))


@given(st.text() | wide.map(lambda text: text * 4), wide, values)
def test_a_payload_is_never_too_large(body: str, title: str, data: Any) -> None:
    made = rendering("push", title="{{ data.t }}", body="{{ data.b }}", data=("d",))
    try:
        content = made.content(event(t=title, b=body, d=data), "en")
    except BadRecord as error:
        assert "the push has" in error.detail
        assert len(msgspec.json.encode(data)) > 900
        return
    assert payload_of(content) <= PAYLOAD - ENVELOPE // 2


def test_the_body_gives_way() -> None:
    made = rendering("push", title="Hi", body="{{ data.b }}", data=("d",))
    body = made.content(event(b="é" * 5000, d="x" * 1000), "en").body
    assert body.endswith("é…")
    assert 1200 < len(body) < 1300
    assert made.content(event(b="x" * 3000, d=""), "en").body == "x" * 3000


def test_data_without_room_for_a_body_are_a_dead_letter() -> None:
    made = rendering("push", body="{{ data.b }}", data=("d",))
    with pytest.raises(BadRecord, match=r"with its data the push has 4\d+ bytes, and 3584 are"):
        made.content(event(b="x", d="x" * 4000), "en")
