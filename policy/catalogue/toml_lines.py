"""On which line of a TOML file each field is, which the standard library does not report."""

import re
import tomllib
from collections.abc import Iterator, Mapping

from msgspec import Struct

from schemas.allowed import Path

_TOKEN = re.compile(
    r"""
      (?P<string> \"{3} (?: \\. | [^\\] )*? \"{3,5} | '{3} .*? '{3,5}
                | " (?: \\. | [^"\\] )* " | '[^']*' )
    | (?P<skipped> \#[^\n]* | [ \t\r]+ )
    | (?P<mark> [\[\]{}=,.\n] )
    | (?P<word> [^\s\[\]{}=,."'\#]+ )
    """,
    re.DOTALL | re.VERBOSE,
)
_END = ""
DEEPEST = 32
"""Tables within tables, and names joined by dots: beyond it, tomllib takes memory by the square."""


class _Token(Struct, frozen=True):
    kind: str
    text: str
    line: int


def lines_of(text: str) -> dict[Path, int]:
    """The line, from 1, of each table, field and element of an array, by its path.

    A table made of several headers, or of dotted keys, has the first line that names it, or its
    own header's, wherever that stands. Only for text that `tomllib` parses.
    """
    return _Walk(text).document()


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of the path, or of the innermost that is known of what it lies in; at least 1."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def excess_of(text: str) -> tuple[int, str] | None:
    """The first line of a text, TOML or not, that is nested too deeply, with a sentence, if any."""
    depth = names = 0
    for token in _tokens(text):
        if token.text in ("[", "{"):
            depth += 1
        elif token.text in ("]", "}"):
            depth -= 1
        names = names + 1 if token.text == "." else names * (token.kind != "mark")
        if max(depth, names) >= DEEPEST:
            return token.line, f"is nested more than {DEEPEST} deep"
    return None


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for found in _TOKEN.finditer(text):
        kind, piece = str(found.lastgroup), found.group()
        if kind != "skipped":
            yield _Token(kind, piece, line)
        line += piece.count("\n")
    yield _Token("mark", _END, line)


class _Walk:
    def __init__(self, text: str) -> None:
        self._ahead = _tokens(text)
        self._next = next(self._ahead)
        self._lines: dict[Path, int] = {}
        self._elements: dict[Path, int] = {}  # of arrays of tables, how many there were

    def document(self) -> dict[Path, int]:
        table: Path = ()
        while self._next.text != _END:
            if self._next.text == "\n":
                self._take()
            elif self._is("["):
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _header(self) -> Path:
        line = self._take().line
        is_element = self._is("[")
        if is_element:
            self._take()
        table: Path = ()
        *outer, last = self._key()
        for name in outer:
            table = self._newest((*table, name), line)
        table = (*table, last)
        if is_element:
            self._lines.setdefault(table, line)
            number = self._elements[table] = self._elements.get(table, -1) + 1
            table = (*table, number)
        self._lines[table] = line
        self._take_until("\n")
        return table

    def _newest(self, table: Path, line: int) -> Path:
        """The table itself; of an array of tables, the last one up to here."""
        self._lines.setdefault(table, line)
        return (*table, self._elements[table]) if table in self._elements else table

    def _pair(self, table: Path) -> None:
        line = self._next.line
        for name in self._key():
            table = (*table, name)
            self._lines.setdefault(table, line)
        self._take()  # the equals sign
        self._value(table)

    def _key(self) -> list[str]:
        names: list[str] = []
        while not self._is("=", "]", "\n"):
            token = self._take()
            if token.kind == "string":
                names += tomllib.loads(f"{token.text} = 0")
            elif token.kind == "word":
                names.append(token.text)
        return names

    def _value(self, path: Path) -> None:
        if self._is("["):
            self._array(path)
        elif self._is("{"):
            self._take()
            while not self._is("}"):
                self._pair(path)
                self._skip(",", "\n")
            self._take()
        else:
            self._take_until(",", "]", "}", "\n")

    def _array(self, path: Path) -> None:
        self._take()
        self._skip("\n")
        number = 0
        while not self._is("]"):
            self._lines[(*path, number)] = self._next.line
            self._value((*path, number))
            self._skip(",", "\n")
            number += 1
        self._take()

    def _skip(self, *marks: str) -> None:
        while self._next.text != _END and self._is(*marks):
            self._take()

    def _take_until(self, *marks: str) -> None:
        self._take()
        while not self._is(*marks):
            self._take()

    def _is(self, *marks: str) -> bool:
        """Whether one of these marks is next; at the end any is, so that no loop goes on."""
        return self._next.kind == "mark" and self._next.text in (*marks, _END)

    def _take(self) -> _Token:
        token = self._next
        if token.text != _END:
            self._next = next(self._ahead)
        return token
