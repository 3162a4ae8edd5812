"""Mutants of Python sources: by mutmut's operators, at every place that is no noise.

mutmut itself mutates only undecorated functions, imports each package under another name and
picks no sample; so only its operators are used. They change numbers, strings, comparisons,
arithmetic, `and`/`or`/`not`, keywords, assignments and the arguments of calls, and drop cases of
a `match`. What is left out, and why, is in `noise.py`.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

from tests.mutation.mutant import Mutant
from tests.mutation.noise import is_noise, is_useless

Place = tuple[str, cst.CSTNode, cst.CSTNode, tuple[int, int], bool]


def mutants_of(path: str, source: str) -> Iterator[Mutant]:
    """All mutants of a module, in the order of its text."""
    module = cst.parse_module(source)
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    visitor = _Places(module)
    wrapper.visit(visitor)
    positions = wrapper.resolve(PositionProvider)
    seen: Counter[tuple[str, str, str]] = Counter()
    for where, node, changed, lines, in_body in visitor.found:
        before, after = (module.code_for_node(part) for part in (node, changed))
        name = where, _flat(before), _flat(after)
        seen[name] += 1
        spliced = _spliced(source, positions.get(node), before, after)
        yield Mutant(
            path=path,
            where=where,
            before=name[1],
            after=name[2],
            number=seen[name],
            lines=lines,
            source=spliced or module.visit(_Replace(node, changed)).code,
            in_body=in_body,
        )


def compiles(mutant: Mutant) -> bool:
    """Whether it is a program at all: `return` in the place of `break` may stand nowhere."""
    try:
        compile(mutant.source, mutant.path, "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _flat(code: str) -> str:
    return " ".join(code.split())


def _spliced(source: str, place: CodeRange | None, before: str, after: str) -> str:
    """The text with the change put in where it belongs; empty where that is not sure."""
    if place is None or place.start.line != place.end.line or "\n" in before + after:
        return ""
    lines = source.splitlines(keepends=True)
    line, start, end = lines[place.start.line - 1], place.start.column, place.end.column
    if line[start:end] != before:
        return ""
    lines[place.start.line - 1] = line[:start] + after + line[end:]
    return "".join(lines)


class _Places(cst.CSTVisitor):
    """Finds where an operator applies, with the function around it and the statement's lines."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, module: cst.Module) -> None:
        super().__init__()
        self.found: list[Place] = []
        self._module = module
        self._names: list[str] = []
        self._bodies = 0
        self._parents: list[cst.CSTNode] = []
        self._lines: list[tuple[int, int]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if is_noise(node, self._parents):
            return False
        if isinstance(node, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            self._lines.append(self._span(node))
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._names.append(node.name.value)
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                self._found(node, list(operator(node)))
        self._parents.append(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if not self._parents or self._parents[-1] is not original_node:
            return  # it was noise, and never entered
        self._parents.pop()
        if isinstance(original_node, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            self._lines.pop()
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._names.pop()

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        if isinstance(node, cst.FunctionDef) and attribute == "body":
            self._bodies += 1

    def on_leave_attribute(self, original_node: cst.CSTNode, attribute: str) -> None:
        if isinstance(original_node, cst.FunctionDef) and attribute == "body":
            self._bodies -= 1

    def _found(self, node: cst.CSTNode, changes: list[cst.CSTNode]) -> None:
        where = ".".join(self._names)
        for changed in changes:
            if not is_useless(node, changed, self._parents):
                lines = self._lines[-1] if self._lines else (1, 1)
                self.found.append((where, node, changed, lines, self._bodies > 0))

    def _span(self, node: cst.CSTNode) -> tuple[int, int]:
        """The lines of a simple statement, or of a compound one's head."""
        whole: CodeRange = self.get_metadata(PositionProvider, node)
        body = getattr(node, "body", None)
        if isinstance(node, cst.BaseCompoundStatement) and body is not None:
            inner: CodeRange = self.get_metadata(PositionProvider, body)
            return whole.start.line, max(whole.start.line, inner.start.line - 1)
        return whole.start.line, whole.end.line


class _Replace(cst.CSTTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: cst.CSTNode, new: cst.CSTNode) -> None:
        super().__init__()
        self._old, self._new, self._done = old, new, False

    def on_visit(self, node: cst.CSTNode) -> bool:
        return not self._done and node is not self._old

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:
        if original_node is self._old:
            self._done = True
            return self._new
        return updated_node
