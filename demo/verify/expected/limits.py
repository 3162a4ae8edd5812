"""Rate limits, judged by what was let through and what was not, whatever the order was.

Nothing may be over a limit, and nothing refused that would have had room.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator

from demo.verify.expected.notification import Notification
from demo.verify.expected.type_spec import DEFAULT_LIMIT, Limit

Window = tuple[str, ...]
"""What counts together: the user first."""


class Limits:
    """What counted against which limit, by the time of the event (epoch ms)."""

    def __init__(self) -> None:
        self._passed: defaultdict[Window, list[int]] = defaultdict(list)
        self._limits: dict[Window, Limit] = {}
        self._counted: set[tuple[Window, str]] = set()
        self._refused: list[tuple[Notification, str, int]] = []

    def passed(self, it: Notification, channel: str, at: int) -> None:
        """It was sent on this channel."""
        for window, limit, is_once in _windows(it, channel):
            self._limits[window] = limit
            if is_once and (window, it.id) in self._counted:
                continue
            self._counted.add((window, it.id))
            insort(self._passed[window], at)

    def refused(self, it: Notification, channel: str, at: int) -> None:
        """It is said to be over a limit on this channel."""
        self._refused.append((it, channel, at))

    def exceeded(self) -> Iterator[str]:
        """Each window in which more was let through than its limit."""
        for window, times in self._passed.items():
            limit = self._limits[window]
            most = max(_within(times, at, limit) for at in times)
            if most > limit.count:
                yield f"{most} notifications to {_named(window)}, and {limit.count} are the limit"

    def unfounded(self) -> Iterator[str]:
        """Each refusal for which there was room in every window."""
        for it, channel, at in self._refused:
            asked = (
                (window, limit)
                for window, limit, is_once in _windows(it, channel)
                # Where it counts once, it has its place already.
                if not (is_once and (window, it.id) in self._counted)
            )
            if not any(self._is_full(window, limit, at) for window, limit in asked):
                yield f"{it} by {channel} is said to be rate_limited, but there was room"

    def __len__(self) -> int:
        return len(self._passed)

    def _is_full(self, window: Window, limit: Limit, at: int) -> bool:
        times = [*self._passed.get(window, ()), at]
        times.sort()
        # A span that holds this moment begins with it or with an earlier one.
        begins = times[bisect_left(times, at - limit.span_ms + 1) : bisect_left(times, at) + 1]
        return any(_within(times, begin, limit) > limit.count for begin in begins)


def _within(times: list[int], begin: int, limit: Limit) -> int:
    return bisect_left(times, begin + limit.span_ms) - bisect_left(times, begin)


def _windows(it: Notification, channel: str) -> Iterator[tuple[Window, Limit, bool]]:
    """Every window that a notification counts in on a channel, and whether it does so once."""
    spec = it.spec
    if spec.is_critical:
        return
    if spec.has_own_limit:
        yield (it.user, channel, spec.name), spec.limit, False
    else:
        shared = (it.user, channel, "transactional") if spec.transactional else (it.user, channel)
        yield shared, DEFAULT_LIMIT, False
    if spec.category_limit:
        yield (it.user, "all channels", spec.category), spec.category_limit, True
    if spec.actor_limit:
        window = (it.user, "all channels", spec.name, f"from {it.claim.actor}")
        yield window, spec.actor_limit, True


def _named(window: Window) -> str:
    user, channel, *rest = window
    return " ".join((user, "by", channel, *(f"({each})" for each in rest)))
