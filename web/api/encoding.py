"""Replies as JSON, with every moment in one form."""

from datetime import datetime
from typing import Any

import msgspec

from policy.time.timestamps import in_utc, timestamp_of

_encode = msgspec.json.Encoder().encode


def encode_reply(value: Any) -> bytes:
    """The reply; moments are RFC 3339 in UTC, to the millisecond."""
    return _encode(_plain(msgspec.to_builtins(value, builtin_types=(datetime,))))


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return timestamp_of(in_utc(value))
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
    return value
