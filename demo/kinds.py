"""Notification types as the catalogue's files document them, read without Tocsin's own code."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_LIMIT = 10
"""Per user and channel in an hour, over all types without a limit of their own."""

UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
"""Milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What one notification type promises.

    `limit` is how many notifications one user may get within an hour on a channel, None for as
    many as there are; `window` names those that count together. `lives` is milliseconds.
    """

    name: str
    category: str
    priority: str
    channels: tuple[str, ...]
    transactional: bool
    followers: bool
    lives: int
    limit: int | None
    window: str

    @property
    def critical(self) -> bool:
        """Whether quiet hours and limits are passed over."""
        return self.priority == "critical"


def read_kinds(folder: Path) -> dict[str, Kind]:
    """Every type by name, from the TOML files of a catalogue."""
    files = [tomllib.loads(path.read_text()) for path in sorted(folder.glob("*.toml"))]
    return {
        name: _kind(name, table) for file in files for name, table in file.get("types", {}).items()
    }


def _kind(name: str, table: Mapping[str, Any]) -> Kind:
    own = table.get("rate_limit")
    limit = own["count"] if own else DEFAULT_LIMIT
    return Kind(
        name=name,
        category=table["category"],
        priority=table["priority"],
        channels=tuple(table["channels"]),
        transactional=table.get("transactional", False),
        followers=table.get("followers", False),
        lives=_milliseconds(table["time_to_live"]),
        limit=None if table["priority"] == "critical" else limit,
        window=name if own else "",
    )


def _milliseconds(duration: int | str) -> int:
    if isinstance(duration, int):
        return duration * 1000
    return int(duration[:-1]) * UNITS[duration[-1]]
