"""How far the clock may be believed: timers fire only when what came before them is handled."""

from collections.abc import Iterable

from pipeline.processing.lanes import ReadTo
from tables.timers import Horizon

STALL_TIMEOUT_MS = 60_000
"""How long reading may stand still before timers fire all the same."""

MOST_MS = 600_000
"""How long anything waits for an address that may stand in what is still unread."""


class Outlook:
    """Up to when timers may fire, by how far their topics are read.

    What waits for its moment needs the `prompt` topics read, digests the `gathered` ones too, and
    what found no address nothing but those with `addresses`, for MOST_MS at most. After an outage
    time passes as the topics are read again; where that makes no progress for a minute, the clock
    alone counts.
    """

    def __init__(
        self, prompt: Iterable[str], gathered: Iterable[str], addresses: Iterable[str]
    ) -> None:
        self._prompt = tuple(prompt)
        self._gathered = tuple(gathered)
        self._addresses = tuple(addresses)
        self._waiting = _Progress()
        self._gathering = _Progress()
        self._addressing = _Progress()

    def rest(self) -> None:
        """Nothing is due: until something is, it does not matter whether reading goes on."""
        for each in (self._waiting, self._gathering, self._addressing):
            each.forget()

    def horizon(self, now: int, read_to: ReadTo) -> Horizon:
        """The horizon at `now` (epoch ms)."""
        prompt = min(map(read_to, self._prompt))
        gathered = min(prompt, *map(read_to, self._gathered))
        addresses = self._addressing.until(now, min(map(read_to, self._addresses)))
        return Horizon(
            self._waiting.until(now, prompt),
            self._gathering.until(now, gathered),
            max(addresses, now - MOST_MS),
        )


class _Progress:
    def __init__(self) -> None:
        self._read = -1
        self._since = 0

    def forget(self) -> None:
        self._read = -1

    def until(self, now: int, read: int) -> int:
        if read != self._read:
            self._read, self._since = read, now
        return now if now - self._since > STALL_TIMEOUT_MS else min(now, read)
