"""What can go wrong, and who acts on it.

TocsinError
├── BadRecord          this record can't be used: dead letter, go on with the next
├── BadCatalogue       the catalogue contradicts itself: says file, line and field
├── Unavailable        a part that we need is away: exit, be restarted, resume from the commit
│   ├── PortTaken
│   ├── DownloadFailed
│   ├── NotPermitted   it is there and refuses us: credentials or access rules have to change
│   └── Fenced         another worker owns the changelog now: exit, nothing was written
├── BrokenChangelog    a changelog record can't be read: the restore stops and says where
├── LostPlace          where to go on in a topic can't be known: exit, an operator decides
├── TooManyBadRecords  a broken producer: the worker stops rather than drain into dead letters
├── Abandoned          work that is left undone because its partition goes: others do it
├── RoleNotStarted     of several roles of a process one can't start, so that none does: says which
├── WrongUsage         a command can't do what its arguments ask for: says which, changes nothing
├── BadInput           a file that a command was given can't be used: names the file
└── Misconfigured      a setting is missing or wrong: names the setting
"""

from enum import IntEnum

from schemas.vocabulary import Reason


class ExitCode(IntEnum):
    """How a process ends, by the kind of what happened; those from 64 on are of sysexits.h.

    A process manager may restart a worker after 69 and 70. After 77 and 78 the next start ends in
    the same way until an operator has changed something.
    """

    OK = 0
    """It did what it was asked for."""
    FOUND = 1
    """A check found something: `catalogue check` a mistake, `reconcile` a difference, `demo` a
    fault. Also after Ctrl-C."""
    USAGE = 2
    """The command can't be run with these arguments, or names something that does not exist."""
    DATA = 65
    """Records, a changelog or a file can't be used, or where to go on is unknown."""
    UNAVAILABLE = 69
    """Something that is needed does not answer, or is in use: Kafka, ClickHouse, a port, a folder.
    Nothing is lost; starting again may help."""
    INTERNAL = 70
    """An error that nobody foresaw; the log has its traceback."""
    NO_PERMISSION = 77
    """Kafka or ClickHouse refuses us: the credentials or the access rules have to change."""
    CONFIGURATION = 78
    """A setting or the catalogue is wrong, or what is set up does not fit this version."""


class TocsinError(Exception):
    """Anything Tocsin raises on purpose; the message says what happened, was kept, and to do."""

    exit_code = ExitCode.INTERNAL
    """Of a process that ends with it."""


def exit_code_of(error: BaseException) -> ExitCode:
    """Of a process that this error ends; an error that is none of ours is an internal one."""
    return error.exit_code if isinstance(error, TocsinError) else ExitCode.INTERNAL


class BadRecord(TocsinError):
    """One record that can't be used; its neighbours can."""

    exit_code = ExitCode.DATA

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class BadCatalogue(TocsinError):
    """The catalogue is not valid: one sentence for each problem, each on a line of its own."""

    exit_code = ExitCode.CONFIGURATION

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Unavailable(TocsinError):
    """A part that this process needs does not answer."""

    exit_code = ExitCode.UNAVAILABLE


class PortTaken(Unavailable):
    """Another program listens on the port that was asked for."""


class DownloadFailed(Unavailable):
    """A file that is fetched once could not be had."""


class NotPermitted(Unavailable):
    """A part that this process needs answers, and refuses it."""

    exit_code = ExitCode.NO_PERMISSION


class Fenced(Unavailable):
    """Another owner has taken over a changelog partition; what we would write is refused."""


class BrokenChangelog(TocsinError):
    """A changelog record can't be read, so the state it carries is unknown."""

    exit_code = ExitCode.DATA


class LostPlace(TocsinError):
    """Going on where a frontier says would pass over records, or decide without the state."""

    exit_code = ExitCode.DATA


class TooManyBadRecords(TocsinError):
    """So many records of one slice are bad that the producer, not the record, is broken."""

    exit_code = ExitCode.DATA


class Abandoned(TocsinError):
    """Raised by a handler that stops in the middle of a slice because it is to close."""

    exit_code = ExitCode.UNAVAILABLE


class Misconfigured(TocsinError):
    """A setting is missing or can't be used."""

    exit_code = ExitCode.CONFIGURATION


class WrongUsage(TocsinError):
    """A command can't do what its arguments ask for; nothing was changed."""

    exit_code = ExitCode.USAGE


class BadInput(TocsinError):
    """A file that a command was given can't be used."""

    exit_code = ExitCode.DATA


class RoleNotStarted(TocsinError):
    """One of the roles that a process was to run can't start, so none was started."""

    def __init__(self, message: str, cause: TocsinError) -> None:
        super().__init__(message)
        self.exit_code = cause.exit_code
