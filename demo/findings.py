"""What the judge found."""

from collections import Counter
from dataclasses import dataclass, field

HIGHEST = 100


@dataclass
class Findings:
    """Figures of a run; `lost`, `duplicates` and `unexpected` say each case in words.

    `slots` counts how each channel of each expected notification ended. `sent` counts messages
    by channel, one a device; `suppressed` counts what was told, by reason, with the duplicates
    that the producer's repeats led to. `latencies` are milliseconds by priority.
    """

    events: int = 0
    decisions: int = 0
    slots: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    suppressed: Counter[str] = field(default_factory=Counter)
    dead: int = 0
    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    latencies: dict[str, list[float]] = field(default_factory=dict)

    def percentiles(self) -> dict[str, dict[str, int]]:
        """p50 and p99 of each priority's latencies, in whole milliseconds."""
        return {
            priority: {f"p{share}": round(percentile(values, share)) for share in (50, 99)}
            for priority, values in self.latencies.items()
        }


def percentile(values: list[float], share: int) -> float:
    """The smallest value that `share` percent of all do not exceed; ValueError for none."""
    if not values:
        raise ValueError("no values have no percentile")
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // HIGHEST) - 1)]
