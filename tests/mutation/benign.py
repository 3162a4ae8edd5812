"""Mutants that change nothing that anybody could see, each with its reason, from `benign.toml`.

An entry names the file, the function, and the text before and after, but no line; so it holds for
as long as that place reads the same.
"""

from pathlib import Path

import msgspec
from msgspec import Struct

from tests.mutation.mutant import Mutant

FILE = Path(__file__).with_name("benign.toml")


class Entry(Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of change in one place; `number` where only one of equal ones is meant."""

    path: str
    where: str
    before: str
    after: str
    reason: str
    number: int = 0

    def matches(self, mutant: Mutant) -> bool:
        """Whether that mutant is meant."""
        return (self.path, self.where, self.before, self.after) == (
            mutant.path,
            mutant.where,
            mutant.before,
            mutant.after,
        ) and self.number in (0, mutant.number)


class _File(Struct, forbid_unknown_fields=True):
    benign: list[Entry] = []


def read_benign(file: Path = FILE) -> list[Entry]:
    """All entries."""
    return msgspec.toml.decode(file.read_bytes(), type=_File).benign
