"""What a worker is given and what it answers: a line of JSON each."""

from enum import StrEnum

from msgspec import Struct


class Outcome(StrEnum):
    """What became of a mutant.

    `TIMED_OUT`, which is also who takes all memory, counts as killed, and `UNTESTED`, of which no
    test executes the changed statement, as survived.
    """

    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    UNTESTED = "untested"
    BENIGN = "benign"


class Job(Struct, frozen=True):
    """A file to change and the tests to run; `is_cold` where the modules must be imported anew.

    `where` and `lines` say which function changes, where it can be exchanged in a running process.
    """

    path: str
    source: str
    tests: list[str]
    cpu: int
    seconds: float
    is_cold: bool
    where: str = ""


class Answer(Struct, frozen=True):
    """What came of it, and the test that failed."""

    outcome: Outcome
    test: str = ""
    took: float = 0.0
