"""How much of a JSON schema can apply to a record: its rules, and those that they refer to.

A few references, each to two others, unfold to millions of rules. A schema that contains itself
twice at one place takes twice the time for each level of a record.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from policy.source.decoding import Undecodable

MOST_RULES = 5_000
"""Objects of a schema once it is unfolded. Large ones in use have hundreds."""
DEEPEST = 200
REFERENCES = ("$dynamicRef", "$recursiveRef")
"""Those that lead elsewhere by who refers to whom."""
NO_RULES = ("enum", "const", "default", "examples", "$defs", "definitions")
"""Under which there are values, or what counts only where it is referred to."""


class _Unbounded(Exception):
    """It contains itself, unfolds to too much, or leads where only a validator finds it."""


def is_bounded(root: Any, named: Mapping[str, Any]) -> bool:
    """Whether a schema, with the others that it refers to by name, unfolds to no more than
    MOST_RULES.
    """
    try:
        return _Unfolding(root, named).rules_of(root, "", 0) <= MOST_RULES
    except _Unbounded:
        return False


class _Unfolding:
    def __init__(self, root: Any, named: Mapping[str, Any]) -> None:
        self._documents = {**named, "": root}
        self._known: dict[tuple[str, str], int] = {}
        self._open: set[tuple[str, str]] = set()

    def rules_of(self, node: Any, document: str, depth: int) -> int:
        if depth > DEEPEST:
            raise _Unbounded
        if isinstance(node, list):
            return self._sum(node, document, depth)
        if not isinstance(node, dict):
            return 0
        if any(each in node for each in REFERENCES):
            raise _Unbounded
        rules = 1
        if isinstance(reference := node.get("$ref"), str):
            rules += self._behind(reference, document, depth)
        parts = [part for name, part in node.items() if name not in NO_RULES]
        return self._checked(rules + self._sum(parts, document, depth))

    def _sum(self, parts: list[Any], document: str, depth: int) -> int:
        return self._checked(sum(self.rules_of(part, document, depth + 1) for part in parts))

    def _behind(self, reference: str, document: str, depth: int) -> int:
        name, _, pointer = reference.partition("#")
        about = (name or document, pointer)
        if about in self._open:
            raise _Unbounded
        if about not in self._known:
            self._open.add(about)
            self._known[about] = self.rules_of(self._found(*about), about[0], depth + 1)
            self._open.remove(about)
        return self._known[about]

    def _found(self, name: str, pointer: str) -> Any:
        if name not in self._documents:
            raise _Unbounded
        found = self._documents[name]
        if not pointer:
            return found
        if not pointer.startswith("/"):
            raise _Unbounded
        for step in pointer[1:].split("/"):
            key = unquote(step).replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(key)] if isinstance(found, list) else found[key]
            except (KeyError, IndexError, TypeError, ValueError):
                raise Undecodable("its JSON schema refers to a part that it hasn't") from None
        return found

    def _checked(self, rules: int) -> int:
        if rules > MOST_RULES:
            raise _Unbounded
        return rules
