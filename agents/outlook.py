"""How far the clock may be believed: timers fire only when what came before them is handled."""

from collections.abc import Iterable

from pipeline.lanes import ReadTo
from tables.timers import Horizon

PATIENCE_MS = 60_000
"""How long reading may stand still before timers fire all the same."""


class Outlook:
    """Up to when timers may fire, by how far their topics are read.

    What waits for its moment needs the `prompt` topics read, digests the `gathered` ones too.
    After an outage time passes as the topics are read again; where that makes no progress for a
    minute, the clock alone counts.
    """

    def __init__(self, prompt: Iterable[str], gathered: Iterable[str]) -> None:
        self._prompt = tuple(prompt)
        self._gathered = tuple(gathered)
        self._waiting = _Progress()
        self._gathering = _Progress()

    def horizon(self, now: int, read_to: ReadTo) -> Horizon:
        """The horizon at `now` (epoch ms)."""
        prompt = min(map(read_to, self._prompt))
        gathered = min(prompt, *map(read_to, self._gathered))
        return Horizon(self._waiting.until(now, prompt), self._gathering.until(now, gathered))


class _Progress:
    def __init__(self) -> None:
        self._read = -1
        self._since = 0

    def until(self, now: int, read: int) -> int:
        if read != self._read:
            self._read, self._since = read, now
        return now if now - self._since > PATIENCE_MS else min(now, read)
