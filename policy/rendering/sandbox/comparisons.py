"""What a template asks of a text that no text can answer: whether it is over 18, or true."""

from collections.abc import Iterator
from typing import Any

from jinja2.nodes import (
    Add,
    Compare,
    Const,
    Div,
    Expr,
    Filter,
    FloorDiv,
    Getattr,
    Getitem,
    List,
    Name,
    Neg,
    Node,
    Pos,
    Sub,
    Tuple,
)

from policy.rendering.reader import USER

_TEXTS = frozenset({"actor", "locale"})
_STAY_TEXTS = frozenset(
    {"capitalize", "d", "default", "lower", "replace", "string", "title", "trim", "upper"}
)
_SIGNS = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<="}
_WORDS = {"in": "in", "notin": "not in"}


def pointless(tree: Node) -> Iterator[str]:
    """Comparisons of a text with what is none, and sums of both, which hold of nobody.

    Attributes of users are texts, whatever is in them; so are `user.id`, `actor` and `locale`.
    """
    own = {node.name for node in tree.find_all(Name) if node.ctx == "store"}
    for compared in tree.find_all(Compare):
        left: Expr = compared.expr
        for operand in compared.ops:
            yield from _compared(left, operand.op, operand.expr, own)
            left = operand.expr
    for kind in (Add, Sub, Div, FloorDiv):
        for sum_of in tree.find_all(kind):
            for one, other in ((sum_of.left, sum_of.right), (sum_of.right, sum_of.left)):
                if (text := _text(one, own)) and _value(other) is not None:
                    yield _complaint(text, f"can't be reckoned with {_shown(other)}", one.lineno)


def _compared(left: Expr, sign: str, right: Expr, own: set[str]) -> Iterator[str]:
    if text := _text(left, own):
        others = right.items if sign in _WORDS and isinstance(right, List | Tuple) else [right]
        if others and all(_value(other) is not None for other in others):
            shown = f"{_SIGNS.get(sign) or _WORDS[sign]} {_shown(right)}"
            yield _complaint(text, f"can't be compared by {shown}", left.lineno)
    elif (text := _text(right, own)) and _value(left) is not None:
        shown = f"{_shown(left)} {_SIGNS.get(sign) or _WORDS[sign]}"
        yield _complaint(text, f"can't be compared by {shown}", right.lineno)


def _complaint(text: str, why: str, line: int) -> str:
    instead = f"{text} | int is a number, and what is in quotes a text"
    return f"{text} is a text and {why}: {instead}, see its line {line}"


def _text(node: Node, own: set[str]) -> str:
    """What surely is a text, as it is written; empty for all else."""
    match node:
        case Filter(node=Node() as inner, name=name) if name in _STAY_TEXTS:
            return _text(inner, own)
        case Name(name=name) if name in _TEXTS and name not in own:
            return name
        case Getattr(node=Name(name=name), attr=field) if name == USER and name not in own:
            return f"{USER}.{field}"
        case Getitem(node=Name(name=name), arg=Const(value=field)) if name == USER not in own:
            return f"{USER}[{field!r}]"
    return ""


def _value(node: Node) -> Any:
    """A constant that is no text: a number, true or false; None for all else."""
    match node:
        case Const(value=bool() | int() | float() as value):
            return value
        case Neg(node=Const(value=int() | float() as value)):
            return -value
        case Pos(node=Const(value=int() | float() as value)):
            return value
    return None


def _shown(node: Node) -> str:
    if isinstance(node, List | Tuple):
        return f"[{', '.join(map(_shown, node.items))}]"
    value = _value(node)
    return str(value).lower() if isinstance(value, bool) else str(value)
