"""Replies as JSON, with every moment in one form."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from policy.time.timestamps import timestamp_of

_encode = msgspec.json.Encoder().encode


def encode_reply(value: Any) -> bytes:
    """The reply; moments are RFC 3339 in UTC, to the millisecond."""
    return _encode(_plain(msgspec.to_builtins(value, builtin_types=(datetime,))))


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            # ClickHouse tells moments without a zone, and means UTC.
            return timestamp_of(value if value.tzinfo else value.replace(tzinfo=UTC))
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
    return value
