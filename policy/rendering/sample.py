"""Data made up for templates, so that they can be looked at without an event."""

from collections.abc import Iterable
from typing import Any

from jinja2.nodes import (
    Add,
    Assign,
    BinExpr,
    Compare,
    Const,
    Expr,
    Filter,
    For,
    Getattr,
    Getitem,
    Name,
    Node,
    Slice,
    Test,
)

from policy.rendering.reader import USER
from policy.rendering.sandbox.template import parse_template

_KINDS: dict[str, Any] = {
    **dict.fromkeys(("number", "plural", "percent", "currency", "filesizeformat"), 3),
    **dict.fromkeys(("int", "float", "round", "abs"), 3),
    **dict.fromkeys(("date", "time", "datetime"), "2026-03-01T12:00:00+01:00"),
    "link": "https://example.com/",
}
_OF_LISTS = frozenset({"join", "listing", "sort", "map", "sum", "unique", "select", "reject"})
_KEEPING = frozenset({"default", "d", "sort", "unique", "reverse", "list", "trim", "string"})
_ARGUMENTS = {("currency", "code"): "EUR", ("currency", 0): "EUR", ("", "zone"): "Europe/Berlin"}


def sample_data(sources: Iterable[str], names: Iterable[str] = ()) -> dict[str, Any]:
    """What the templates need as an event's data: names for texts, 3 for numbers, and so on.

    `names` are needed too. A template that computes names is beyond this, and fails.
    """
    root = _Shape()
    events = _Shape(item=_Shape(fields={"data": root}))
    for source in sources:
        _visit(parse_template(source), {"data": root, "events": events})
    for name in names:
        root.field(name)
    made = root.value("data")
    return made if isinstance(made, dict) else {}


def sample_attributes(sources: Iterable[str]) -> dict[str, str]:
    """The user's attributes that the templates speak of, each with its name for a value."""
    root = _Shape()
    for source in sources:
        _visit(parse_template(source), {USER: root})
    return {name: name for name in root.fields}


class _Shape:
    """What is known of a value: its fields, or its items, or what kind of thing it is."""

    def __init__(
        self, fields: dict[str, "_Shape"] | None = None, item: "_Shape | None" = None
    ) -> None:
        self.fields = fields or {}
        self.item = item
        self.kind: Any = None

    def field(self, name: str) -> "_Shape":
        return self.fields.setdefault(name, _Shape())

    def items(self) -> "_Shape":
        self.item = self.item or _Shape()
        return self.item

    def value(self, name: str) -> Any:
        if self.fields:
            return {key: shape.value(key) for key, shape in self.fields.items()}
        if self.item:
            return [self.item.value(f"{name} {number}") for number in (1, 2)]
        return name if self.kind is None else self.kind


def _visit(node: Node, scope: dict[str, _Shape]) -> None:
    match node:
        case For(iter=over, target=Name(name=name)):
            shape = _shape(over, scope)
            scope = scope | {name: shape.items() if shape else _Shape()}
        case Assign(target=Name(name=name), node=value):
            scope[name] = _shape(value, scope) or _Shape()
        case Compare(expr=left, ops=ops):
            _alike([left, *(each.expr for each in ops)], scope)
        case BinExpr(left=left, right=right) if not isinstance(node, Add):
            _alike([left, right, Const(3)], scope)
        case Test(name="link", node=value):
            _is(_shape(value, scope), _KINDS["link"])
        case Expr():
            _shape(node, scope)
    for child in node.iter_child_nodes():
        _visit(child, scope)


def _shape(node: Node | None, scope: dict[str, _Shape]) -> _Shape | None:
    match node:
        case Name(name=name):
            return scope.get(name)
        case Getattr(node=of, attr=name) | Getitem(node=of, arg=Const(value=str(name))):
            shape = _shape(of, scope)
            return shape.field(name) if shape else None
        case Getitem(node=of, arg=Slice()):
            return _shape(of, scope)
        case Getitem(node=of):
            shape = _shape(of, scope)
            return shape.items() if shape else None
        case Filter():
            return _filtered(node, scope)
    return None


def _filtered(node: Filter, scope: dict[str, _Shape]) -> _Shape | None:
    shape = _shape(node.node, scope)
    for key, argument in [*enumerate(node.args), *((each.key, each.value) for each in node.kwargs)]:
        kind = _ARGUMENTS.get((node.name, key)) or _ARGUMENTS.get(("", key))
        _is(_shape(argument, scope), kind)
    if node.name in _OF_LISTS and shape:
        shape.items()
    _is(shape, _KINDS.get(node.name))
    if node.name in ("first", "last") and shape:
        return shape.items()
    return shape if node.name in _KEEPING else None


def _alike(nodes: list[Node], scope: dict[str, _Shape]) -> None:
    """What is compared or reckoned with a number is a number."""
    if any(isinstance(each, Const) and isinstance(each.value, int | float) for each in nodes):
        for each in nodes:
            _is(_shape(each, scope), 3)


def _is(shape: _Shape | None, kind: Any) -> None:
    if shape and kind is not None:
        shape.kind = kind
