"""Spans of time as the catalogue writes them: `90` (seconds), `"90s"`, `"15m"`, `"1h"`, `"7d"`."""

from typing import Annotated

from msgspec import Meta

Duration = Annotated[int, Meta(ge=0)] | Annotated[str, Meta(pattern=r"^\d{1,9}[smhd]$")]

_UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def milliseconds(duration: Duration) -> int:
    """How long that is."""
    if isinstance(duration, int):
        return duration * 1000
    return int(duration[:-1]) * _UNITS[duration[-1]]


def shown(length: int) -> str:
    """Milliseconds as people write them, to the second: `45s`, `1m 30s`, `1h`."""
    left, parts = length // 1000, []
    for unit, size in reversed(_UNITS.items()):
        count, left = divmod(left, size // 1000)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
