"""Decoded values that were used lately, so that they need not be read and decoded again."""

from collections.abc import Mapping
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The last values by key: at least `most` of those used last, at most twice as many.

    In two generations, as that drops the old at no cost: what is used again before the younger
    one is full moves into it, and when it is full the older one goes as a whole.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.young: dict[bytes, Value] = {}
        self.old: dict[bytes, Value] = {}
        self.is_empty = False
        """Whether it is known that the whole table holds nothing."""

    def keep(self, values: Mapping[bytes, Value]) -> None:
        """Keep these; those kept under the same keys are replaced."""
        self.young.update(values)
        if len(self.young) >= self._most:
            self.old, self.young = self.young, {}
