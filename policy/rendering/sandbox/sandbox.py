"""Jinja2's sandbox, with bounds on what a text may cost, whatever is in an event's data.

A record's data has a megabyte at most, and templates are the operator's. So what must be bounded
is what multiplies: loops, repetition, and filters that pad, join or replace.
"""

from typing import Any

from jinja2 import StrictUndefined, Undefined
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from policy.rendering import links
from policy.rendering.filters import dates, numbers
from policy.rendering.filters.listing import listing
from policy.rendering.filters.truncation import truncated
from policy.rendering.sandbox import nulls, render_limits

# Left out: what takes away escaping (safe, tojson, xmlattr, urlize), is random, or multiplies.
_STOCK = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "filesizeformat"),
    *("float", "groupby", "int", "items", "length", "list", "lower"),
    *("max", "min", "reject", "rejectattr", "reverse", "round", "select", "selectattr", "sort"),
    *("string", "title", "trim", "unique", "upper", "urlencode", "wordcount"),
)
_METHODS = frozenset(
    {"capitalize", "endswith", "isdigit", "lower", "lstrip", "rstrip", "split", "startswith"}
    | {"strip", "title", "upper"}
)


_OWN: dict[str, Any] = {
    **dates.FILTERS,
    **numbers.FILTERS,
    **render_limits.FILTERS,
    **nulls.FILTERS,
    "link": links.link,
    "listing": listing,
    "truncate": truncated,
}


class Sandbox(ImmutableSandboxedEnvironment):
    """`data.x` is always the field, never a method of dict; null is as absent as missing."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(undefined=StrictUndefined, autoescape=autoescape)
        self.globals.clear()
        self.filters = {name: FILTERS[name] for name in _STOCK} | _OWN
        self.tests["link"] = links.is_link
        self.finalize = nulls.shown
        # Of macros and of what is set as a block, too.
        self.concat = render_limits.joined  # type: ignore[method-assign]

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is dict:
            value = obj.get(attribute)
            return self._absent(obj, attribute) if value is None else value
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if type(obj) is dict and type(argument) is str:
            return self.getattr(obj, argument)
        value = super().getitem(obj, argument)
        return self._absent(obj, str(argument)) if value is None else value

    def _absent(self, obj: Any, attribute: str) -> Undefined:
        return StrictUndefined(f"the variable {attribute!r} is missing", obj, attribute)

    def is_safe_callable(self, obj: Any) -> bool:
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        if isinstance(owner, str) and name not in _METHODS:
            raise SecurityError(f"the method {name!r} can't be called")
        return isinstance(obj, Macro) or isinstance(owner, LoopContext | str)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or (operator == "%" and isinstance(left, str)):
            raise SecurityError(f"{operator} can't be used here")
        if operator == "*":
            for sized, times in ((left, right), (right, left)):
                if isinstance(sized, str | list | tuple) and isinstance(times, int):
                    render_limits.check_size(len(sized) * times)
        return super().call_binop(context, operator, left, right)
