"""Which fields of an event a template speaks of, so that what none needs can be left out."""

from collections.abc import Iterator

from jinja2.nodes import Const, Expr, Getattr, Getitem, Name, Node

from policy.rendering.sandbox.template import parse_template

_DATA = "data"
_ANY = ""
"""A field that is computed when the text is rendered: it may be any."""


def mentions(source: str, path: tuple[str, ...]) -> bool:
    """Whether a template may read what stands at `path` in an event's data, or beside it a part.

    In doubt it may: a template that hands on a value with the field in it, or computes names.
    """
    tree = parse_template(source)
    chains = list(_chains(tree))
    words = {node.value for node in tree.find_all(Const) if isinstance(node.value, str)}
    # As in `events | map(attribute="data.users")`.
    is_named = any(path[0] in word.split(".") for word in words)
    return is_named or any(_meets(chain, path) for chain in chains)


def _meets(chain: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether one of them leads to the other's value, or into it."""
    return all(step in (_ANY, wanted) for step, wanted in zip(chain, path, strict=False))


def _chains(node: Node) -> Iterator[tuple[str, ...]]:
    """The fields that each expression of the template takes from an event's data, in order."""
    chain = _chain(node) if isinstance(node, Expr) else None
    if chain is not None:
        yield chain
    if chain and isinstance(node, Getattr | Getitem):
        # What it is taken from is no use of its own; what is in brackets may be.
        inside: Node = node
        while isinstance(inside, Getattr | Getitem):
            if isinstance(inside, Getitem):
                yield from _chains(inside.arg)
            inside = inside.node
        return
    for child in node.iter_child_nodes():
        yield from _chains(child)


def _chain(node: Expr) -> tuple[str, ...] | None:
    """The fields from an event's data on; None for what is no part of it."""
    match node:
        case Name(name=name):
            return () if name == _DATA else None
        case Getattr(node=of, attr=name) | Getitem(node=of, arg=Const(value=str(name))):
            before = _chain(of)
            if before is None:
                return () if name == _DATA else None
            return (*before, name)
        case Getitem(node=of):
            before = _chain(of)
            return None if before is None else (*before, _ANY)
    return None
