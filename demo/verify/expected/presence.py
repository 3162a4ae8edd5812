"""Who had the app open when, as the producer wrote it."""

from collections import defaultdict
from collections.abc import Iterable

from demo.produce.producer_log import PresenceClaim

UNCERTAIN_MS = 10_000
"""How much later than an event a record of presence may be read that came before it: they are on
topics of their own, and an event has a longer way."""


class Presence:
    """Each user's presence over time."""

    def __init__(self, claims: Iterable[PresenceClaim]) -> None:
        self._claims: defaultdict[str, list[PresenceClaim]] = defaultdict(list)
        for claim in sorted(claims, key=lambda claim: claim.at):
            self._claims[claim.user].append(claim)

    def possible(self, user: str, start: int, end: float) -> set[bool]:
        """Whether the user was online at some moment, offline at some, from `start` to `end` (ms).

        It may be that what the producer wrote was not read before, for `UNCERTAIN_MS`.
        """
        start -= UNCERTAIN_MS
        claims = self._claims.get(user, [])
        changes = {start, *(claim.at for claim in claims), *(claim.until for claim in claims)}
        return {self._is_online(user, at) for at in changes if start <= at <= end}

    def _is_online(self, user: str, at: int) -> bool:
        before = [claim for claim in self._claims.get(user, []) if claim.at <= at]
        return bool(before) and before[-1].online and at < before[-1].until
