"""What the judge found."""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

HIGHEST = 100


class Kind(Enum):
    """What kind of fault a difference is."""

    LOST = "lost"
    UNEXPECTED = "unexpected"
    WRONG_CONTENT = "wrong content"
    LATE = "late"
    UNEXCUSED = "unexcused"


@dataclass
class Findings:
    """Figures of a run, and every fault in a sentence.

    `decisions` counts notifications, and digests that came. `lost`: no end, or not to every
    address. `duplicates`: sent or stored more than once. `unexpected`: nobody should get it, or
    not yet, or not so urgently. `wrong_content`: another title, body or data. `late`: after its
    time to live, or long after it was due. `unexcused`: not sent for a reason that the rules don't
    give.
    `slots` counts how each channel of each notification ended, `checked` what was compared, in
    words. `sent` counts messages by channel, one a device; `suppressed` counts Tocsin's own rows
    by reason. `latencies` are milliseconds by priority.
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
    wrong_content: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    unexcused: list[str] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)
    latencies: dict[str, list[float]] = field(default_factory=dict)

    def of(self, kind: Kind) -> list[str]:
        """The faults of this kind, to be added to."""
        return self.faults()[kind.value]

    def faults(self) -> dict[str, list[str]]:
        """Every kind of fault by its name, the kinds without any included."""
        return {
            "lost": self.lost,
            "duplicates": self.duplicates,
            "unexpected": self.unexpected,
            "wrong content": self.wrong_content,
            "late": self.late,
            "unexcused": self.unexcused,
        }

    @property
    def is_right(self) -> bool:
        """Whether there is no fault of any kind."""
        return not any(self.faults().values())

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
