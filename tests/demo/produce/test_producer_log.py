"""The producer's log is read back as it was written."""

import json
from typing import Any

from demo.produce.producer_log import BadClaim, Claim, PresenceClaim, read_claims

AT = 1_772_366_400_000


def test_the_log_is_read_up_to_a_torn_line() -> None:
    event: dict[str, Any] = {
        "id": "e",
        "type": "t",
        "actor": "a",
        "occurred_at": "2026-03-01T12:00:00Z",
    }
    presence = {"user": "u", "online": True, "until": AT + 9, "at": AT}
    bad: dict[str, Any] = {"bad": "no id", "reason": "invalid", "topic": "events"}
    bad |= {"partition": 3, "offset": 4, "digest": "d"}
    lines = [event | {"data": {"x": 1}, "at": AT}, presence, {"repeat": "e", "at": AT}, bad]
    claims = read_claims([*(json.dumps(line) + "\n" for line in lines), '{"id":"torn"'])
    claim = Claim(**event, at=AT, data={"x": 1})
    assert claims.events == {"e": claim}
    assert claims.presence == [PresenceClaim(user="u", online=True, until=AT + 9, at=AT)]
    assert (claims.repeats, claims.bad) == ({"e": 1}, [BadClaim(**bad)])


def test_an_event_happened_when_it_says_but_not_after_kafka_took_it() -> None:
    times: dict[str, Any] = {"id": "e", "type": "t", "actor": "a", "at": AT}
    assert Claim(**times, occurred_at="2026-03-01T12:59:00+01:00").happened_at == AT - 60_000
    assert Claim(**times, occurred_at="2026-03-01T12:00:01Z").happened_at == AT
