"""Changes that are not worth a mutant, as no test should notice them. By rule:

- docstrings, annotations, type aliases' subscripts, imports under `TYPE_CHECKING`: the type
  checker's business;
- decorators, and `frozen`, `kw_only`, `gc`, `slots` of a class: declarations, held by mypy;
- calls of a logger, and making one: their texts are for operators;
- calls of `cast`, `assert_never`, `TypeVar`, `NewType`, and what they are assigned to: nothing
  at run time;
- `strict` of a `zip`: it guards against our own mistakes, of which there is none now;
- calls of `len` and `isinstance`, of which any change raises TypeError: any test kills it;
- prose, which is a literal of three words or more, and what an error is raised with: tests hold
  what a message says where somebody acts on it, and not how it is put. Metrics' help is prose.
- leaving out `"big"` of `to_bytes` and `from_bytes`, which is what they take without it;
- of a string only the change to another text, not also those to upper and to lower case.
"""

from collections.abc import Sequence

import libcst as cst
import libcst.matchers as m

_DECLARING = {"frozen", "kw_only", "gc", "slots", "cache_hash"}
_CALLS = {"len", "isinstance", "cast", "assert_never", "TypeVar", "NewType"}
_LOGGERS = {"log", "logger", "logging", "warnings"}
_PROSE_WORDS = 3


def is_noise(node: cst.CSTNode, parents: Sequence[cst.CSTNode]) -> bool:
    """Whether nothing in the node is to be changed."""
    match node:
        case cst.Annotation() | cst.Decorator() | cst.Import() | cst.ImportFrom():
            return True
        case cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString()):
            return True
        case cst.Call(func=cst.Name(value=name)):
            return name in _CALLS
        case cst.Call(func=cst.Attribute(value=cst.Name(value=name))):
            return name in _LOGGERS
        case cst.Arg(keyword=cst.Name(value=name)):
            declares = bool(parents) and isinstance(parents[-1], cst.ClassDef)
            return (name in _DECLARING and declares) or name == "strict"
        case cst.If(test=cst.Name(value="TYPE_CHECKING")):
            return True
        case cst.If(test=cst.Comparison(left=cst.Name(value="__name__"))):
            return True
        case cst.Assign(value=value) | cst.AnnAssign(value=value):
            return _is_logger(value) or _is_type(value) or m.matches(node, _ALIAS)
        case _:
            return False


_ALIAS = m.Assign(
    value=m.Subscript(value=m.Name() | m.Attribute()),
    targets=[m.AssignTarget(target=m.Name(value=m.MatchRegex("[A-Z][a-z]\\w*")))],
)


_TYPE = m.Call(func=m.Name("TypeVar") | m.Name("NewType"))
_STRICT = m.Arg(keyword=m.Name("strict"))
_OF_BYTES = m.Attribute(attr=m.Name("to_bytes") | m.Name("from_bytes"))
_HIGH_FIRST = m.SimpleString(value='"big"')


def is_useless(node: cst.CSTNode, changed: cst.CSTNode, parents: Sequence[cst.CSTNode]) -> bool:
    """Whether this one change of the node is left out."""
    if isinstance(node, cst.SimpleString):
        is_text = isinstance(changed, cst.SimpleString) and "XX" in changed.value
        is_raised = any(isinstance(parent, cst.Raise) for parent in parents)
        return not is_text or is_raised or _is_prose(node)
    if isinstance(node, cst.Call) and isinstance(changed, cst.Call):
        return (
            any(isinstance(parent, cst.Raise) for parent in parents[-1:])
            or _drops_prose(node, changed)
            or _drops_byte_order(node, changed)
        )
    return False


def _is_logger(value: cst.CSTNode | None) -> bool:
    return m.matches(value, m.Call(func=m.Attribute(attr=m.Name("getLogger")))) if value else False


def _is_type(value: cst.CSTNode | None) -> bool:
    return m.matches(value, _TYPE) if value else False


def _drops_prose(node: cst.Call, changed: cst.Call) -> bool:
    return any(_is_prose(arg.value) or m.matches(arg, _STRICT) for arg in _dropped(node, changed))


def _drops_byte_order(node: cst.Call, changed: cst.Call) -> bool:
    return (
        m.matches(node.func, _OF_BYTES)
        and len(changed.args) < len(node.args)
        and any(m.matches(arg.value, _HIGH_FIRST) for arg in _dropped(node, changed))
    )


def _dropped(node: cst.Call, changed: cst.Call) -> list[cst.Arg]:
    kept = {id(arg) for arg in changed.args}
    return [arg for arg in node.args if id(arg) not in kept]


def _is_prose(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.ConcatenatedString):
        return True
    return isinstance(value, cst.SimpleString) and len(value.raw_value.split()) >= _PROSE_WORDS
