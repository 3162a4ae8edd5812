"""What became of the mutants of a package, kept line by line, so that a run can be taken up again.

A file belongs to one state of the tree and one seed. The first line names them.
"""

from pathlib import Path

import msgspec
from msgspec import Struct

from tests.mutation.job import Answer, Outcome
from tests.mutation.mutant import Mutant


class Head(Struct, frozen=True):
    """What the results are of."""

    digest: str
    seed: int


class _Line(Struct, frozen=True):
    key: str
    answer: Answer


class Results:
    """Answers by mutant; each is on disk once it is added."""

    def __init__(self, file: Path, head: Head, *, keep_killed: bool = False) -> None:
        """Answers to another head are dropped; with `keep_killed`, but for what was killed."""
        self.file = file
        self._answers: dict[str, Answer] = {}
        found = _read(file)
        if found is not None:
            self._answers = {
                line.key: line.answer
                for line in found[1]
                if found[0] == head or (keep_killed and line.answer.outcome is Outcome.KILLED)
            }
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [head, *(_Line(key, answer) for key, answer in self._answers.items())]
        file.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))

    def get(self, mutant: Mutant) -> Answer | None:
        """What became of a mutant, if it is known."""
        return self._answers.get(mutant.key)

    def add(self, mutant: Mutant, answer: Answer) -> None:
        """Keep it, here and on disk."""
        self._answers[mutant.key] = answer
        with self.file.open("ab") as out:
            out.write(msgspec.json.encode(_Line(mutant.key, answer)) + b"\n")


def _read(file: Path) -> tuple[Head, list[_Line]] | None:
    if not file.exists():
        return None
    first, *lines = file.read_bytes().splitlines()
    # The last line of a run that was killed may be cut.
    whole = [line for line in lines if line.endswith(b"}")]
    return msgspec.json.decode(first, type=Head), [
        msgspec.json.decode(line, type=_Line) for line in whole
    ]
