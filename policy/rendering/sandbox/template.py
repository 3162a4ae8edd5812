"""Jinja2, sandboxed, for text that thousands of records a second are poured into."""

from collections.abc import Callable
from itertools import chain
from operator import itemgetter
from typing import Any

import jinja2
from jinja2 import TemplateSyntaxError, UndefinedError
from jinja2.nodes import EvalContext, For, Getattr, Macro, Name, Node, Template, TemplateData
from jinja2.runtime import Context
from jinja2.utils import missing

from policy.rendering.locales import locale_of
from policy.rendering.reader import USER, unsure
from policy.rendering.sandbox.comparisons import pointless
from policy.rendering.sandbox.markup import misplaced
from policy.rendering.sandbox.metering import complaints, meter
from policy.rendering.sandbox.render_limits import MOST_BYTES, check_size, joined
from policy.rendering.sandbox.sandbox import Sandbox

NAMES = frozenset({"actor", "data", "locale", "occurred_at", USER})
"""What a template may speak of: the event, who reads it, and the locale by which it is written."""

DIGEST_NAMES = NAMES | {"count", "events", "more"}
"""What the template of a digest may speak of."""

_SURELY_FITS = MOST_BYTES // 4  # characters: none has more than four bytes
_NO_GLOBALS: set[str] = set()
_NO_BLOCKS: dict[str, Any] = {}
_PLAIN = Sandbox(autoescape=False)
_HTML = Sandbox(autoescape=True)


class Variables(Context):
    """A context at a tenth of the stock one's cost, which is most of rendering a short text.

    `work` is what the text's loops have done so far.
    """

    environment = _PLAIN
    eval_ctx = EvalContext(_PLAIN)
    name = None
    globals_keys = _NO_GLOBALS
    blocks = _NO_BLOCKS
    work = 0

    def __init__(self, values: dict[str, Any], locale: str) -> None:
        self.parent = values
        self.locale = locale

    def __getattr__(self, name: str) -> Any:
        # Few templates set anything, so what holds that is made when it is asked for.
        if name == "vars":
            self.vars = {}
            return self.vars
        if name == "exported_vars":
            self.exported_vars = set()
            return self.exported_vars
        raise AttributeError(name)

    def resolve_or_missing(self, key: str) -> Any:
        found = self.parent.get(key, missing)
        # As HTML's `lang` wants it. Few templates ask, so it is no part of the values.
        if found is missing and key == "locale":
            return str(locale_of(self.locale)).replace("_", "-")
        return found


class _HtmlVariables(Variables):
    """The same for HTML: every value is escaped."""

    environment = _HTML
    eval_ctx = EvalContext(_HTML)


Text = Callable[[dict[str, Any], str], str]
"""From values by their names, and the locale by which to format them, to what the person reads."""


def compile_template(
    source: str,
    names: frozenset[str] = NAMES,
    *,
    html: bool = False,
    leaves_out: bool = False,
) -> Text:
    """A function from values and locale to text; with `html`, every value is escaped.

    What it takes for granted that a user has is refused, unless it `leaves_out` who has not.

    Raises ValueError, saying why and on which line, for a template that can't ever work or
    would let a value do harm. The function raises `jinja2.UndefinedError` naming a variable
    that is missing or null, TooMuch for loops without end or a text beyond MOST_BYTES, unless
    it is nothing but words and fields, and whatever else a value can make go wrong.
    """
    environment = _HTML if html else _PLAIN
    try:
        tree = environment.parse(source)
        lacking = () if leaves_out else unsure(tree)
        # The first before those that fold constants, after which a list is none any more.
        for complaint in chain(pointless(tree), complaints(tree, names), lacking):
            raise ValueError(complaint)
        harm = misplaced(tree) if html else None
        if harm:
            raise ValueError(harm)
        if not html and (fields := _plain_fields(tree)) is not None:
            return fields
        join = joined if any(tree.find_all((For, Macro))) else "".join
        meter(tree)
        code = environment.compile(tree)
    except TemplateSyntaxError as error:
        raise ValueError(f"{error.message} on its line {error.lineno}") from None
    except (RecursionError, SyntaxError, MemoryError):
        raise ValueError("is nested too deep") from None
    root = jinja2.Template.from_code(environment, code, {}).root_render_func

    kind = _HtmlVariables if html else Variables

    def render(values: dict[str, Any], locale: str) -> str:
        text = join(root(kind(values, locale)))
        if len(text) > _SURELY_FITS:
            check_size(len(text.encode()))
        return text

    return render


def parse_template(source: str) -> Template:
    """The template's syntax tree, for those who ask what it speaks of."""
    return _PLAIN.parse(source)


def constant_of(source: str) -> str | None:
    """What a template says that is nothing but words; None for any other."""
    nodes = _nodes(parse_template(source))
    words = [node.data for node in nodes if isinstance(node, TemplateData)]
    return "".join(words) if len(words) == len(nodes) else None


def _nodes(tree: Template) -> list[Node]:
    return list(chain.from_iterable(getattr(part, "nodes", [part]) for part in tree.body))


def _plain_fields(tree: Template) -> Text | None:
    """The same text at a fifth of the engine's cost, where it is words and `data.x` alone."""
    words, names = "", list[str]()
    for node in _nodes(tree):
        match node:
            case TemplateData(data=text):
                words += text.replace("%", "%%")
            case Getattr(node=Name(name="data"), attr=name):
                words += "%s"
                names.append(name)
            case _:
                return None

    if not names:
        constant = words % ()
        return lambda values, locale: constant
    if len(names) == 1:
        # Asked for twice, it comes in a tuple as well.
        names, words = names * 2, words + "%.0s"
    fields = itemgetter(*names)

    def render(values: dict[str, Any], locale: str) -> str:
        data = values["data"]
        try:
            found: tuple[Any, ...] = fields(data)
        except KeyError:
            found = tuple([data.get(name) for name in names])
        if None in found:
            raise UndefinedError(f"the variable {names[found.index(None)]!r} is missing")
        return words % found

    return render
