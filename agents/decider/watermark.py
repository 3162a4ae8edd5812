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
    what found no address nothing but those with `addresses`, for MOST_MS at most; broadcasts need
    those of their `audience`. After an outage time passes as the topics are read again; where that
    makes no progress for a minute, the clock alone counts.
    """

    def __init__(
        self,
        prompt: Iterable[str],
        gathered: Iterable[str],
        addresses: Iterable[str],
        audience: Iterable[str],
    ) -> None:
        self._prompt = tuple(prompt)
        self._gathered = tuple(gathered)
        self._addresses = tuple(addresses)
        self._audience = tuple(audience)
        self._waiting = _Progress()
        self._gathering = _Progress()
        self._addressing = _Progress()
        self._beginning = _Progress()

    def rest(self) -> None:
        """Nothing is due: until something is, it does not matter whether reading goes on."""
        for each in (self._waiting, self._gathering, self._addressing):
            each.forget()

    def rest_broadcasts(self) -> None:
        """The same of broadcasts: none waits."""
        self._beginning.forget()

    def audience(self, now: int, read_to: ReadTo) -> int:
        """Of when (epoch ms) broadcasts may begin at `now`: those that Kafka took until then."""
        read = min(map(read_to, self._audience))
        return max(read, self._beginning.until(now, read))

    def horizon(self, now: int, read_to: ReadTo, since: int | None = None) -> Horizon:
        """The horizon at `now` (epoch ms), while a broadcast of `since` has not begun."""
        prompt = min(map(read_to, self._prompt))
        gathered = min(prompt, *map(read_to, self._gathered))
        if since is not None:
            gathered = min(gathered, since - 1)
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
