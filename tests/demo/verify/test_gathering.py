"""The judge reads what Tocsin stores from the bytes that Tocsin's tables write."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from demo.verify.gathering import held_of, stored
from policy.digest.windows import fixed
from policy.user.ledger import Gathering, Held, Ledger, Waiting
from schemas.event import Event
from schemas.request import Origin, Request
from schemas.vocabulary import Channel
from tables.inbox import inbox_key
from tables.pending import HELD
from tables.storage.table import key_of
from tables.timers import TIMERS, Timer, Timers

AT = 1_772_366_400_000
NAME = "0123456789abcdef0123456789abcdef"


class _View:
    """Takes what the timers write, as a partition's store would."""

    def __init__(self) -> None:
        self.state: dict[bytes, bytes] = {}

    def put(self, key: bytes, value: Timer | None) -> None:
        """One write to the table of timers."""
        assert value is not None
        self.state[TIMERS.prefix + key] = TIMERS.encode(value)


def test_an_inbox_item_is_read_from_the_changelog() -> None:
    key = b"i" + inbox_key(key_of("default", "zoë"), AT, "n1")
    content = {"body": "hi", "title": "Ann", "data": {"post_id": "1"}}
    value = msgspec.msgpack.encode(["n1", "chat_message", content, AT, AT + 7])
    item = stored(key, value)
    assert (item.user, item.notification_id, item.at) == ("zoë", "n1", AT + 7)
    assert (item.title, item.body, item.data) == ("Ann", "hi", {"post_id": "1"})


def test_what_waits_is_found_with_the_time_of_its_timer() -> None:
    event = Event(id="e", type="t", actor="a", occurred_at=datetime.fromtimestamp(0, UTC))
    request = Request(
        type="t", user="zoë", event=event, origin=Origin("events", 0, 0), accepted_at=AT
    )
    step, digest = f"{NAME}.1", "f" * 32
    gathering = Gathering("t", Channel.PUSH, fixed(1000), due_at=AT + 5000, first=AT, count=1)
    ledger = Ledger(waiting={step: Waiting(AT + 9000)}, gathering={digest: gathering})
    view: Any = _View()
    store: Any = None
    Timers(store).move(view, "default", "zoë", Ledger(), ledger, now=0)
    email = Held(request, 1, (Channel.EMAIL, Channel.SMS))
    push = Held(request, 0, (Channel.PUSH,))
    whose = key_of("default", "zoë")
    state = view.state | {
        HELD.prefix + whose + key_of(step): HELD.encode(email),
        HELD.prefix + whose + key_of(digest, f"{AT:015}{NAME}"): HELD.encode(push),
        HELD.prefix + whose + key_of("nobody's.0"): HELD.encode(push),
    }
    assert held_of(state) == {
        (NAME, "email"): {AT + 9000},
        (NAME, "sms"): {AT + 9000},
        (NAME, "push"): {AT + 5000},
    }
