"""What was decided for a user, and what still waits: a MessagePack array.

Stored values outlive the program that wrote them, so a field is only ever added, at the end
and with a default.
"""

from collections.abc import Iterator

from msgspec import Struct

from policy.dedupe import NO_MARKS
from policy.digest.windows import DigestWindow
from policy.limits.rate_limit import Window
from schemas.request import Request
from schemas.vocabulary import Channel, Stage

MOST_WAITING = 500
"""Notifications, and digests, that wait for one user; state must stay bounded."""
MOST_CLOSED = 500
"""Digests of one user that are remembered as closed, those that were closed last."""
MOST_GATHERED = 1000
"""Events in one digest."""
MOST_COUNTED = 8
"""Limits in which the events of one digest were counted while it waited."""
MOST_GATHERED_BYTES = 4 << 20
"""And bytes of these events, as they are read at once when the digest is closed."""
MOST_HEARD = 64
"""Notifications of one user whose feedback is remembered."""


class Waiting(Struct, frozen=True, array_like=True, gc=False):
    """Part of a notification waits until `due_at` (ms); not sent if `unless` is reached before.

    `counted` are limits in which the notification was counted since it began to wait. `is_quiet`
    says that it waits for quiet hours or a snooze to end.
    """

    due_at: int
    unless: Stage | None = None
    counted: tuple[str, ...] = ()
    is_quiet: bool = False


class Gathering(Struct, frozen=True, array_like=True, gc=False):
    """Events that wait to go out together on one channel.

    `due_at` (ms) is when to look whether the window is over, 0 while nothing waits; `first` the
    earliest event's time. What comes before `closed_until` is late for a window that is closed,
    and counts as of then. Whatever came before `extended_until` goes out together, as the digest
    had to wait so long. `counted` are limits in which its events were counted since the first of
    them was gathered: the last `MOST_COUNTED`. `size` is
    about how many bytes they have. They are of one type; but with a `category`, they are of any
    type of that, as the user wants to hear of it so often, and `type` is that of the one that came
    first.
    """

    type: str
    channel: Channel
    window: DigestWindow
    due_at: int = 0
    first: int = 0
    count: int = 0
    closed_until: int = 0
    extended_until: int = 0
    counted: tuple[str, ...] = ()
    size: int = 0
    category: str = ""


class Held(Struct, frozen=True, array_like=True, gc=False):
    """A request that waits, and for which step and channels of its type.

    `counted` are the limits in which its notification was counted before, `sent` the channels on
    which it went out, or was gathered, before. Within a digest, all channels but the first stand
    by for it. `ends` are the keys by which an event that ends it is known.
    """

    request: Request
    step: int
    channels: tuple[Channel, ...]
    counted: tuple[str, ...] = ()
    sent: tuple[Channel, ...] = ()
    ends: tuple[str, ...] = ()

    def cancel_keys(self) -> tuple[str, ...]:
        """All keys under which it may be cancelled."""
        own = self.request.event.cancel_key
        return self.ends if own is None else (own, *self.ends)


class Ledger(Struct, frozen=True, array_like=True, gc=False):
    """What was decided for a user, and what is still to be.

    Deduplication marks as `policy.dedupe` packs them, rate windows by name, what waits and what
    is gathered by name, and how far notifications got that still wait for something, by the
    first half of their id. `newest` is what was accepted last of what takes another's place, see
    `policy.decision.replacing`. All bounded: `MARKS_KEPT` marks, in each window twice its limit's
    count of times, and the numbers above. Until `spilled_until` (epoch ms) there may be marks of
    the user elsewhere, for which there was no room here.
    """

    marks: bytes = NO_MARKS
    windows: dict[str, Window] = {}
    waiting: dict[str, Waiting] = {}
    gathering: dict[str, Gathering] = {}
    heard: dict[bytes, Stage] = {}
    newest: dict[bytes, tuple[int, int, int]] = {}
    spilled_until: int = 0

    def timers(self) -> Iterator[tuple[str, int]]:
        """Everything that is to happen later: its name, and when (ms)."""
        for name, waiting in self.waiting.items():
            yield name, waiting.due_at
        for name, gathering in self.gathering.items():
            if gathering.due_at:
                yield name, gathering.due_at

    def pending(self, name: str) -> Waiting | Gathering | None:
        """What is to happen later under this name."""
        return self.waiting.get(name) or self.gathering.get(name)
