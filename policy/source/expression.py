"""The language of templates over the fields of a record, with values that keep their types.

What a record lacks is absent here, and nothing to fail at: of a row that was inserted there is no
`before`, so `before.status` differs from every status. Null is as absent as a missing field.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jinja2
import orjson
from jinja2 import ChainableUndefined, TemplateSyntaxError, Undefined
from jinja2.exceptions import UndefinedError
from jinja2.meta import find_undeclared_variables
from jinja2.nodes import (
    And,
    Assign,
    Compare,
    Const,
    EvalContext,
    Expr,
    Filter,
    For,
    Getattr,
    Getitem,
    Macro,
    Name,
    Not,
    Operand,
    Or,
    Output,
    Template,
    TemplateData,
)
from jinja2.parser import Parser

from policy.rendering.filters.unusable import Unusable
from policy.rendering.sandbox.metering import complaints, meter
from policy.rendering.sandbox.render_limits import MOST_BYTES, check_size, joined
from policy.rendering.sandbox.sandbox import Sandbox
from policy.rendering.sandbox.template import Variables
from policy.source.clocks import FILTERS
from policy.source.decimals import decimal

_RESULT = "_result"
_SURELY_FITS = MOST_BYTES // 4

Values = dict[str, Any]
Expression = Callable[[Values], Any]
"""From the values by their names to what is said of them: ABSENT where that is nothing."""


class Absent(ChainableUndefined):
    """What the record doesn't have: false, equal to null, and nothing that can be shown."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other is None or isinstance(other, Undefined)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = Undefined.__hash__

    def __str__(self) -> str:
        return str(self._fail_with_undefined_error())


ABSENT = Absent(name="value")


class _Sandbox(Sandbox):
    def __init__(self) -> None:
        super().__init__(autoescape=False)
        self.undefined = Absent
        self.finalize = _shown
        self.filters |= FILTERS | {
            "parse_json": _parse_json, "decimal": decimal, "default": _default, "d": _default
        }  # fmt: skip
        self.tests["none"] = lambda value: value is None or isinstance(value, Undefined)
        self.tests["defined"] = lambda value: not (value is None or isinstance(value, Undefined))

    def getattr(self, obj: Any, attribute: str) -> Any:
        if obj is None or isinstance(obj, Undefined):
            return Absent(name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if obj is None or isinstance(obj, Undefined):
            return Absent(name=str(argument))
        return super().getitem(obj, argument)

    def _absent(self, obj: Any, attribute: str) -> Undefined:
        return Absent(name=attribute)


def _shown(value: Any) -> Any:
    if value is None or isinstance(value, Undefined):
        name = getattr(value, "_undefined_name", None)
        raise UndefinedError(f"{name or 'a value'} is missing")
    return value


def _default(value: Any, instead: Any = "", boolean: bool = False) -> Any:
    is_absent = value is None or isinstance(value, Undefined)
    return instead if is_absent or (boolean and not value) else value


def _parse_json(value: Any) -> Any:
    """What a text of JSON within the record holds, as an outbox table has its payload."""
    if isinstance(value, Undefined):
        return value
    if not isinstance(value, str):
        raise Unusable("parse_json", value, "is no text")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Unusable("parse_json", value, str(error)) from None


_SANDBOX = _Sandbox()


class _Record(Variables):
    environment = _SANDBOX
    eval_ctx = EvalContext(_SANDBOX)


def compile_condition(source: str) -> tuple[Expression, frozenset[str]]:
    """The expression that this text states, and the names that it speaks of.

    Raises ValueError, saying why, for what is no expression.
    """
    try:
        parser = Parser(_SANDBOX, source, state="variable")
        node = parser.parse_expression()
        if not parser.stream.eos:
            raise ValueError(f"has more than one expression, see {parser.stream.current.value!r}")
        tree = Template([Output([node], lineno=1)], lineno=1)
        names = _names(tree.set_environment(_SANDBOX))
        return _valued(node), names
    except TemplateSyntaxError as error:
        raise ValueError(f"{error.message} on its line {error.lineno}") from None
    except (RecursionError, SyntaxError, MemoryError):
        raise ValueError("is nested too deep") from None


def compile_value(source: str) -> tuple[Expression, frozenset[str]]:
    """What a text of a mapping gives, and the names that it speaks of.

    An expression alone, `{{ after.total }}`, gives its value with the type that it has; any other
    text is a template, and gives text. Raises ValueError, saying why, for what can't be one.
    """
    try:
        tree = _SANDBOX.parse(source)
        names = _names(tree)
        found = _text(tree) if (node := _alone(tree)) is None else _valued(node)
    except TemplateSyntaxError as error:
        raise ValueError(f"{error.message} on its line {error.lineno}") from None
    except (RecursionError, SyntaxError, MemoryError):
        raise ValueError("is nested too deep") from None
    return found, names


def _names(tree: Any) -> frozenset[str]:
    names = frozenset(find_undeclared_variables(tree))
    for complaint in complaints(tree, names):
        raise ValueError(complaint)
    return names


def _alone(tree: Template) -> Expr | None:
    """The one expression that a template consists of; None where there is more, or none."""
    match tree.body:
        case [Output(nodes=[TemplateData()])]:
            return None
        case [Output(nodes=[node])]:
            return node
        case _:
            return None


def _text(tree: Template) -> Expression:
    if not tree.body:
        return lambda values: ""
    match tree.body:
        case [Output(nodes=[TemplateData(data=constant)])]:
            return lambda values: constant
    if (direct := _direct_text(tree)) is not None:
        return direct
    join = joined if any(tree.find_all((For, Macro))) else "".join
    meter(tree)
    root = _compiled(tree)

    def render(values: Values) -> str:
        text = join(root(_Record(values, "")))
        if len(text) > _SURELY_FITS:
            check_size(len(text.encode()))
        return text

    return render


def _direct_text(tree: Template) -> Expression | None:
    """What a text of fields and constants alone gives; None where there is more in it."""
    parts: list[Expression] = []
    for each in (node for output in tree.body for node in getattr(output, "nodes", [None])):
        found = _constant(each.data) if isinstance(each, TemplateData) else _direct(each)
        if found is None:
            return None
        parts.append(found)

    def render(values: Values) -> str:
        text = "".join([str(_shown(part(values))) for part in parts])
        if len(text) > _SURELY_FITS:
            check_size(len(text.encode()))
        return text

    return render


def _constant(value: Any) -> Expression:
    return lambda values: value


def _valued(node: Expr) -> Expression:
    direct = _direct(node)
    if direct is not None:
        return direct
    tree = Template([Assign(Name(_RESULT, "store"), node, lineno=1)], lineno=1)
    tree.set_environment(_SANDBOX)
    meter(tree)
    root = _compiled(tree)

    def evaluate(values: Values) -> Any:
        context = _Record(values, "")
        for _ in root(context):
            pass
        found = context.vars[_RESULT]
        return list(found) if isinstance(found, Iterator) else found

    return evaluate


def _compiled(tree: Template) -> Any:
    code = _SANDBOX.compile(tree)
    return jinja2.Template.from_code(_SANDBOX, code, {}).root_render_func


def _direct(node: Any) -> Expression | None:
    """The same at a tenth of the engine's cost, where it compares fields and constants alone."""
    path = _path_of(node)
    if path is not None:
        return _fields(*path)
    match node:
        case Const(value=constant):
            return lambda values: constant
        case Not(node=inner):
            one = _direct(inner)
            return None if one is None else partial(_negated, one)
        case And(left=left, right=right) | Or(left=left, right=right):
            return _joined("and" if isinstance(node, And) else "or", left, right)
        case Compare(expr=left, ops=[Operand(op="eq" | "ne" as op, expr=right)]):
            return _joined(op, left, right)
        case Filter(node=inner, name=name, args=[], kwargs=[], dyn_args=None, dyn_kwargs=None) if (
            name in FILTERS
        ):
            one = _direct(inner)
            return None if one is None else partial(_filtered, FILTERS[name], one)
        case _:
            return None


def _filtered(read: Callable[[Any], Any], one: Expression, values: Values) -> Any:
    return read(one(values))


def _negated(one: Expression, values: Values) -> bool:
    return not one(values)


def _joined(operator: str, left: Any, right: Any) -> Expression | None:
    one, other = _direct(left), _direct(right)
    if one is None or other is None:
        return None
    first, second = one, other
    match operator:
        case "and":
            return lambda values: first(values) and second(values)
        case "or":
            return lambda values: first(values) or second(values)
        case "eq":
            return lambda values: first(values) == second(values)
        case _:
            return lambda values: first(values) != second(values)


def _path_of(node: Any) -> tuple[str, ...] | None:
    """The path that an expression is, where it is nothing else: `after.customer_id`."""
    path: list[str] = []
    while True:
        match node:
            case Name(name=name):
                return (name, *reversed(path))
            case Getattr(node=inner, attr=attribute):
                path.append(attribute)
                node = inner
            case Getitem(node=inner, arg=Const(value=str(attribute))):
                path.append(attribute)
                node = inner
            case _:
                return None


def _fields(*path: str) -> Expression:
    """The same value at a small part of the engine's cost."""
    absent = {step: Absent(name=step) for step in path}
    first, last = path[0], absent[path[-1]]
    if len(path) == 1:

        def read_one(values: Values) -> Any:
            found = values.get(first)
            return last if found is None else found

        return read_one
    if len(path) == 2:
        second = path[1]

        def read_two(values: Values) -> Any:
            found = values.get(first)
            if type(found) is not dict:
                return last
            found = found.get(second)
            return last if found is None else found

        return read_two

    def read(values: Values) -> Any:
        found: Any = values
        for step in path:
            if type(found) is not dict:
                return absent[step]
            found = found.get(step)
        return last if found is None else found

    return read


def is_absent(value: Any) -> bool:
    """Whether an expression gave nothing."""
    return value is None or isinstance(value, Undefined)
