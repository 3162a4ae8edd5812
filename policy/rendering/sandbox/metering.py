"""What the sandbox puts into a template before it is compiled, and what a template may not hold."""

from collections.abc import Iterator

from jinja2 import meta
from jinja2.nodes import (
    Block,
    Call,
    Extends,
    Filter,
    For,
    FromImport,
    Import,
    Include,
    Macro,
    Name,
    Node,
    ScopedEvalContextModifier,
    Template,
)

from policy.rendering.filters.numbers import CATEGORIES

_FOREIGN: tuple[type[Node], ...] = (
    Block,
    Extends,
    FromImport,
    Import,
    Include,
    ScopedEvalContextModifier,
)


def meter(tree: Template) -> None:
    """Count every step of a loop as work, and what filters within loops and macros look at."""
    repeated = [*tree.find_all(For), *tree.find_all(Macro)]
    within = {id(found): found for each in repeated for found in each.find_all(Filter)}
    for each in within.values():
        if each.node is not None:
            each.node = _filtered(each.node, "_weighed")
    for loop in tree.find_all(For):
        loop.iter = _filtered(loop.iter, "_counted")


def complaints(tree: Template, names: frozenset[str]) -> Iterator[str]:
    """Why this template can't ever work, or must not."""
    for node in tree.find_all(_FOREIGN):
        yield f"a template stands alone, see its line {node.lineno}"
    unknown = meta.find_undeclared_variables(tree) - names
    if unknown:
        yield f"{min(unknown)!r} is not one of {', '.join(sorted(names))}"
    for loop in tree.find_all(For):
        if loop.recursive:
            yield f"a loop can't be recursive, see its line {loop.lineno}"
    macros = list(tree.find_all(Macro))
    for index, macro in enumerate(macros):
        later = {each.name for each in macros[index:]}
        for call in macro.find_all(Call):
            if isinstance(call.node, Name) and call.node.name in later:
                yield f"a macro calls only those before it, see its line {call.lineno}"
    for each in tree.find_all(Filter):
        if each.name == "plural":
            yield from _misformed(each)


def _misformed(plural: Filter) -> Iterator[str]:
    given = {each.key for each in plural.kwargs}
    if plural.args or "other" not in given or not given <= CATEGORIES:
        forms = ", ".join(sorted(CATEGORIES - {"other"}))
        yield f"plural needs other=…, and may have {forms}, see its line {plural.lineno}"


def _filtered(node: Node, name: str) -> Filter:
    place = {"lineno": node.lineno, "environment": node.environment}
    return Filter(node, name, [], [], None, None, **place)
