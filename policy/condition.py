"""Whether an event notifies anyone, by an expression over its fields."""

from jinja2 import TemplateSyntaxError
from jinja2.parser import Parser
from msgspec import Struct

from policy.rendering.failure import failure_of
from policy.rendering.sandbox.sandbox import Sandbox
from policy.rendering.sandbox.template import Text, compile_template
from schemas.errors import BadRecord
from schemas.event import Event
from schemas.vocabulary import Reason

NAMES = frozenset({"actor", "data", "occurred_at"})
"""What an expression may speak of."""
MOST_SHOWN = 300
"""Characters of an expression that are shown."""
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
            raise BadRecord(Reason.INVALID, f"when: {failure_of(error)}") from error


def compile_condition(
    source: str, names: frozenset[str] = NAMES, *, leaves_out: bool = False
) -> Condition:
    """The condition that this expression states, in the language of templates.

    With `leaves_out` it may ask for what a user may lack, as who does is left out. Raises
    ValueError, saying why, for what is no expression or speaks of something else.
    """
    try:
        parser = Parser(_SYNTAX, source, state="variable")
        parser.parse_expression()
        if not parser.stream.eos:
            raise ValueError(f"has more than one expression, see {parser.stream.current.value!r}")
    except TemplateSyntaxError as error:
        raise ValueError(f"{error.message} on its line {error.lineno}") from None
    except (RecursionError, SyntaxError, MemoryError):
        raise ValueError("is nested too deep") from None
    # Set first: of what stands within an `if`, filters are looked up only when it is reached.
    template = f"{{% set holds = {source} %}}{{% if holds %}}1{{% endif %}}"
    return Condition(source, compile_template(template, names, leaves_out=leaves_out))
