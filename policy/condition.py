"""Whether an event is one to tell anybody of, by an expression over what it holds."""

from jinja2 import TemplateSyntaxError, UndefinedError
from jinja2.parser import Parser
from msgspec import Struct

from pipeline.errors import BadRecord
from policy.rendering.bounds import TooMuch
from policy.rendering.sandbox import Sandbox
from policy.rendering.template import Text, compile_template
from policy.rendering.unusable import Unusable
from schemas.event import Event
from schemas.vocabulary import Reason

NAMES = frozenset({"actor", "data", "occurred_at"})
"""What an expression may speak of."""
_SPEAKING = (UndefinedError, TooMuch, Unusable)
MOST_SHOWN = 300
"""Characters of an error, which may quote the record, and of an expression."""
_SYNTAX = Sandbox(autoescape=False)


class Condition(Struct, frozen=True):
    """The expression as written, and what says `1` of the values for which it holds."""

    source: str
    text: Text

    def holds(self, event: Event) -> bool:
        """Whether it holds for this event; raises BadRecord, with what a value lacks for it."""
        values = {"data": event.data, "actor": event.actor, "occurred_at": event.occurred_at}
        try:
            return self.text(values, "") == "1"
        except Exception as error:
            # What compiles can only fail on the values of this very record.
            why = str(error) if isinstance(error, _SPEAKING) else f"{type(error).__name__}: {error}"
            raise BadRecord(Reason.INVALID, f"when: {why[:MOST_SHOWN]}") from error


def compile_condition(source: str) -> Condition:
    """The condition that this expression states, in the language of templates.

    Raises ValueError, saying why, for what is no expression or speaks of something else.
    """
    try:
        parser = Parser(_SYNTAX, source, state="variable")
        parser.parse_expression()
        if not parser.stream.eos:
            raise ValueError(f"has more than one expression, see {parser.stream.current.value!r}")
    except TemplateSyntaxError as error:
        raise ValueError(f"{error.message} on its line {error.lineno}") from None
    # Set first: of what stands within an `if`, filters are looked up only when it is reached.
    template = f"{{% set holds = {source} %}}{{% if holds %}}1{{% endif %}}"
    return Condition(source, compile_template(template, NAMES))
