"""The reference of stages and reasons: the words by which a row says what happened."""

from schemas.vocabulary import Reason, Stage
from tests.documentation.field_docs import field_docs
from tests.documentation.markdown import code, generated, table


def page() -> str:
    """A row for each stage and each reason."""
    about = """
Each row of `delivery_events` has the stage that a notification reached on a channel, and a reason
where it was not sent, was held or failed. Dead letters have reasons, too. The view `why_not_told`
counts them.
"""
    return (
        generated("Stages and reasons", about)
        + "## Stages\n\n"
        + table(("stage", "meaning"), _rows(Stage))
        + "\n## Reasons\n\n"
        + table(("reason", "meaning"), _rows(Reason))
    )


def _rows(kind: type[Stage] | type[Reason]) -> list[tuple[str, str]]:
    docs = field_docs(kind)
    return [(code(each.value), docs[each.name]) for each in kind if each.value]
