"""How much one transaction may do, where what there is to do has no bound of its own."""

MOST_ROWS = 1000
MOST_BYTES = 8 << 20


class Step:
    """So many rows and bytes are looked at in one transaction; the rest is left to later ones.

    Other work goes on between two turns, and a transaction must end well within a worker's session.
    """

    def __init__(self, rows: int = MOST_ROWS, size: int = MOST_BYTES) -> None:
        self._rows = rows
        self._size = size

    @property
    def is_over(self) -> bool:
        """Whether nothing more may be done in this transaction."""
        return self._rows <= 0 or self._size <= 0

    def count(self, rows: int, size: int = 0) -> None:
        """So much more was done."""
        self._rows -= rows
        self._size -= size
