"""What can go wrong, and who acts on it.

TocsinError
├── BadRecord          this record can't be used: dead letter, go on with the next
├── BadCatalogue       the catalogue contradicts itself: says file, line and field
├── Unavailable        a part that we need is away: exit, be restarted, resume from the commit
│   ├── PortTaken
│   ├── DownloadFailed
│   └── Fenced         another worker owns the changelog now: exit, nothing was written
├── BrokenChangelog    a changelog record can't be read: the restore stops and says where
├── LostPlace          where to go on in a topic can't be known: exit, an operator decides
├── TooManyBadRecords  a broken producer: the worker stops rather than drain into dead letters
├── Abandoned          work that is left undone because its partition goes: others do it
├── RoleNotStarted     of several roles of a process one can't start, so that none does: says which
└── Misconfigured      a setting is missing or wrong: names the setting
"""

from schemas.vocabulary import Reason


class TocsinError(Exception):
    """Anything Tocsin raises on purpose; the message tells what happened, was kept, and to do."""


class BadRecord(TocsinError):
    """One record that can't be used; its neighbours can."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class BadCatalogue(TocsinError):
    """The catalogue is not valid: one sentence for each problem, each on a line of its own."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Unavailable(TocsinError):
    """A part that this process needs does not answer."""


class PortTaken(Unavailable):
    """Another program listens on the port that was asked for."""


class DownloadFailed(Unavailable):
    """A file that is fetched once could not be had."""


class Fenced(Unavailable):
    """Another owner has taken over a changelog partition; what we would write is refused."""


class BrokenChangelog(TocsinError):
    """A changelog record can't be read, so the state it carries is unknown."""


class LostPlace(TocsinError):
    """Going on where a frontier says would pass over records, or decide without the state."""


class TooManyBadRecords(TocsinError):
    """So many records of one slice are bad that the producer, not the record, is broken."""


class Abandoned(TocsinError):
    """Raised by a handler that stops in the middle of a slice because it is to close."""


class Misconfigured(TocsinError):
    """A setting is missing or can't be used."""


class RoleNotStarted(TocsinError):
    """One of the roles that a process was to run can't start, so none was started."""
