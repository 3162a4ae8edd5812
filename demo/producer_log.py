"""What the producer knows to be in Kafka: one JSON line a record, written after the broker's word.

This file and the provider simulators' accept log are what the demo is judged by.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Line = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """An accepted event: `at` is when Kafka took it (epoch ms); see Happening for the rest."""

    id: str
    type: str
    actor: str
    at: int
    expected: tuple[tuple[str, str], ...] = ()
    read: bool = False


@dataclass(frozen=True, kw_only=True)
class BadClaim:
    """An accepted record that nobody can use, and where it stands."""

    bad: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Claims:
    """Everything in a producer's log; `online` are those who ever had the app open."""

    events: dict[str, Claim] = field(default_factory=dict)
    bad: list[BadClaim] = field(default_factory=list)
    online: set[str] = field(default_factory=set)
    repeats: int = 0


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


def read_claims(lines: Iterable[str]) -> Claims:
    """The claims in a log's lines; a torn last line was never claimed and is left out."""
    claims, repeats = Claims(), 0
    for text in lines:
        if not text.endswith("\n"):
            break
        line = json.loads(text)
        if "bad" in line:
            claims.bad.append(BadClaim(**line))
        elif "repeat" in line:
            repeats += 1
        elif "presence" in line:
            claims.online.update([line["presence"]] if line["online"] else [])
        else:
            line["expected"] = tuple((kind, user) for kind, user in line["expected"])
            claims.events[line["id"]] = Claim(**line)
    return Claims(claims.events, claims.bad, claims.online, repeats)
