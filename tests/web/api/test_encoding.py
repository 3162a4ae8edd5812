"""Replies as JSON: every moment in one form, however deep it stands."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec import Struct

from web.api.encoding import encode_reply


class Thing(Struct, omit_defaults=True):
    at: datetime
    note: str = ""


EAST = timezone(timedelta(hours=2))
AT = datetime(2025, 7, 20, 10, 26, 40, 123_999, EAST)
SHOWN = b'"2025-07-20T08:26:40.123Z"'


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (AT, SHOWN),
        (AT.astimezone(UTC).replace(tzinfo=None), SHOWN),
        (datetime(2025, 7, 20, tzinfo=UTC), b'"2025-07-20T00:00:00.000Z"'),
        (Thing(AT), b'{"at":' + SHOWN + b"}"),
        ([Thing(AT, "n"), None], b'[{"at":' + SHOWN + b',"note":"n"},null]'),
        ({"a": (AT, [AT])}, b'{"a":[' + SHOWN + b",[" + SHOWN + b"]]}"),
        ({"a": {"b": AT}, "c": "2025"}, b'{"a":{"b":' + SHOWN + b'},"c":"2025"}'),
        (date(2025, 7, 20), b'"2025-07-20"'),
        ([1, 2.5, True, None, "x", b"x"], b'[1,2.5,true,null,"x","eA=="]'),
    ],
)
def test_a_reply(value: Any, encoded: bytes) -> None:
    assert encode_reply(value) == encoded
