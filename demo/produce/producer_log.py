"""What the producer knows to be in Kafka: one JSON line a record, written after the broker's word.

This file and the provider simulators' accept log are what the demo is judged by.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

Line = dict[str, Any]
KEPT_VALUE = 256 << 10
"""Bytes of a value that a dead letter is documented to keep."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An accepted event, as it was written; `at` is when Kafka took it (epoch ms)."""

    id: str
    type: str
    actor: str
    occurred_at: str
    at: int
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def happened_at(self) -> int:
        """When it happened by the producer's clock, but not after Kafka took it (epoch ms)."""
        moment = datetime.fromisoformat(self.occurred_at)
        return min(round(moment.timestamp() * 1000), self.at)


@dataclass(frozen=True, kw_only=True)
class BadClaim:
    """An accepted record that nobody can use, where it stands, and why it can't be used.

    `digest` is its record_digest.
    """

    bad: str
    reason: str
    digest: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, kw_only=True)
class PresenceClaim:
    """Somebody opened or closed the app; times are epoch ms."""

    user: str
    online: bool
    until: int
    at: int


@dataclass(frozen=True)
class Claims:
    """Everything in a producer's log; `repeats` counts the records beyond an event's first."""

    events: dict[str, Claim] = field(default_factory=dict)
    bad: list[BadClaim] = field(default_factory=list)
    presence: list[PresenceClaim] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)


def record_digest(key: bytes | None, value: bytes | None) -> str:
    """What tells a record's key and the beginning of its value, as dead letters keep it."""
    kept = (value or b"")[:KEPT_VALUE]
    return blake2b(repr((key, kept)).encode(), digest_size=8).hexdigest()


class ProducerLog:
    """Appends to one file; what `append` returned for survives the end of the process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")

    def append(self, lines: Iterable[Line]) -> None:
        """Write these lines and wait until the disk has them."""
        self._file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_claims(lines: Iterable[str], claims: Claims | None = None) -> Claims:
    """The claims in a log's lines, beside these; a torn last line was never claimed."""
    claims = Claims() if claims is None else claims
    for text in lines:
        if not text.endswith("\n"):
            break
        line = json.loads(text)
        if "bad" in line:
            claims.bad.append(BadClaim(**line))
        elif "repeat" in line:
            claims.repeats[line["repeat"]] += 1
        elif "online" in line:
            claims.presence.append(PresenceClaim(**line))
        else:
            claims.events[line["id"]] = Claim(**line)
    return claims
