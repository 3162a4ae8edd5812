"""How many of the last records of a source were refused: too many, and the source is wrong."""

WINDOW = 200
"""Records over which the share is taken."""
Place = tuple[str, int, int]
"""A record's topic, partition and offset."""


class Refusals:
    """Those among the last 200 records, of all partitions together."""

    def __init__(self) -> None:
        self._looked_at = 0
        self._refused: dict[Place, int] = {}

    def clear(self) -> None:
        """Begin anew, as by another catalogue."""
        self._looked_at = 0
        self._refused.clear()

    def pass_one(self) -> None:
        """A record was not refused."""
        self._looked_at += 1

    def note(self, place: Place) -> int:
        """This one was; how many were of the last 200, or 0 where there were not so many yet.

        One that is read again counts once.
        """
        if place not in self._refused:
            self._looked_at += 1
            self._refused[place] = self._looked_at
        # In the order of their numbers, so that the old ones stand in front.
        for old, number in list(self._refused.items()):
            if number > self._looked_at - WINDOW:
                break
            del self._refused[old]
        return len(self._refused) if self._looked_at >= WINDOW else 0
