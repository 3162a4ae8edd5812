"""The reference of exit codes."""

from collections.abc import Iterator

from schemas import errors
from schemas.errors import ExitCode, TocsinError
from tests.documentation.field_docs import field_docs, paragraphs
from tests.documentation.markdown import code, generated, table

RESTARTS = """\
With systemd, `RestartPreventExitStatus=2 65 77 78` restarts a worker only where that may help."""
LAST_LINE = "The last line on standard error says what happened, what was kept and what to do."


def kinds(of: type[TocsinError] = TocsinError) -> Iterator[type[TocsinError]]:
    """Every kind of error, the general before the special."""
    for kind in of.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
            yield from kinds(kind)


def page() -> str:
    """A row for each code, and for each kind of error."""
    meanings = field_docs(ExitCode)
    codes = ((str(int(each)), each.name, meanings[each.name]) for each in ExitCode)
    each_error = (
        (
            code(kind.__name__),
            "that of the cause" if kind is errors.RoleNotStarted else str(int(kind.exit_code)),
            paragraphs(kind),
        )
        for kind in kinds()
    )
    return (
        generated("Exit codes", paragraphs(ExitCode))
        + table(("code", "name", "meaning"), codes)
        + f"\n{RESTARTS}\n\n## Errors\n\n{LAST_LINE}\n\n"
        + table(("error", "code", "meaning"), each_error)
    )
