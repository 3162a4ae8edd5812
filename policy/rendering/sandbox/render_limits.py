"""Bounds on one text, in length and in the work that loops make, and the filters that keep them."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from jinja2 import Environment, pass_context, pass_environment, pass_eval_context
from jinja2.filters import do_join, do_replace, do_sum
from jinja2.nodes import EvalContext

from policy.rendering.sandbox import nulls

MOST_BYTES = 192 << 10
"""Of one text in UTF-8. Two of them and their data fit into a record, also as JSON."""

MOST_WORK = 2_000_000
"""Characters or items that loops and the filters within them may look at in one text."""

STEP = 100
"""What a step of a loop counts for, so there are 20,000 of them at most."""

_BATCH = 16  # chunks of a text, of a megabyte each at the very most


class TooMuch(Exception):
    """The text would become too long, or take too long."""


def joined(chunks: Iterable[str]) -> str:
    """The chunks as one text; raises TooMuch as soon as it is too long, however many follow."""
    kept, size = list[str](), 0
    left = iter(chunks)
    while batch := list(islice(left, _BATCH)):
        kept.append("".join(batch))
        size += len(kept[-1])
        check_size(size)
    return "".join(kept)


@pass_context
def counted(context: Any, value: Any) -> Iterator[Any]:
    """The items of what a loop goes over, each counted as work."""
    for item in value:
        _work(context, STEP)
        yield nulls.item(item)


@pass_context
def weighed(context: Any, value: Any) -> Any:
    """The value that a filter within a loop gets, its size counted as work."""
    if isinstance(value, str | list | dict):
        _work(context, len(value))
    return value


@pass_eval_context
def _join(context: EvalContext, value: Iterable[Any], separator: str = "") -> str:
    items, size = list[Any](), 0
    for item in map(nulls.item, value):
        size += len(str(item)) + len(separator)
        check_size(size)
        items.append(item)
    text: str = do_join(context, items, separator)
    return text


@pass_eval_context
def _replace(context: EvalContext, value: Any, old: str, new: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    check_size(len(text) + text.count(old) * len(str(new)))
    return do_replace(context, text, old, new)


@pass_environment
def _sum(environment: Environment, value: Iterable[Any], attribute: str | int | None = None) -> Any:
    return do_sum(environment, value, attribute)


def _work(context: Any, amount: int) -> None:
    context.work += amount
    if context.work > MOST_WORK:
        raise TooMuch("its loops go on for too long")


def check_size(size: int) -> None:
    """Raise TooMuch for a text of so many bytes, or characters, that can't be."""
    if size > MOST_BYTES:
        raise TooMuch(f"the text has more than {MOST_BYTES} bytes")


FILTERS: dict[str, Any] = {
    "join": _join,
    "replace": _replace,
    "sum": _sum,
    "_counted": counted,
    "_weighed": weighed,
}
