"""JSON as others write it: documented values with one field that holds something else."""

from collections.abc import Iterator
from typing import Any

ODD: tuple[Any, ...] = (
    None,
    True,
    7,
    -1.5,
    1e300,
    "",
    "text",
    [],
    [None],
    ["a", {}],
    {},
    {"a": None},
)
"""Whatever JSON can be, in few values."""


def changed(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The values with one field changed, and that field's name: each, by each odd value."""
    if isinstance(values, dict):
        for key, value in values.items():
            yield from ((key, values | {key: odd}) for odd in ODD)
            yield from ((at, values | {key: inner}) for at, inner in changed(value, key))
    elif isinstance(values, list):
        for place, value in enumerate(values):
            before, after = values[:place], values[place + 1 :]
            yield from ((name, [*before, odd, *after]) for odd in ODD)
            yield from ((at, [*before, inner, *after]) for at, inner in changed(value, name))
