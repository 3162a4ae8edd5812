"""Each field of a TOML file is found on the line where it stands."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.catalogue.toml_lines import line_of, lines_of
from schemas.allowed import Path

TEXT = '''\
# [not.a.table]
event = "x # no comment"

[types.thing]  # a comment with "quotes" and [brackets]
channels = [
    "push",  # first
    "sms",
]
templates.push = { title = "[no] = \\"table\\"", body = 'a' }
text = """
body = 1
""\\"" [x] """"
literal = \'\'\'it\'s
so = 2\'\'\'\'

[[types.thing.digests]]
every = 1.5
[[types.thing.digests]]
at = 1979-05-27 07:32:00
nested = [[1, 2], [{ a.b = 3 },
  { c = 4 }]]
[types.thing.digests."with . dot".'and "quote"']
last = true
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("event",), 2),
        (("types",), 4),
        (("types", "thing"), 4),
        (("types", "thing", "channels"), 5),
        (("types", "thing", "channels", 0), 6),
        (("types", "thing", "channels", 1), 7),
        (("types", "thing", "templates"), 9),
        (("types", "thing", "templates", "push", "body"), 9),
        (("types", "thing", "text"), 10),
        (("types", "thing", "literal"), 13),
        (("types", "thing", "digests"), 16),
        (("types", "thing", "digests", 0), 16),
        (("types", "thing", "digests", 0, "every"), 17),
        (("types", "thing", "digests", 1), 18),
        (("types", "thing", "digests", 1, "at"), 19),
        (("types", "thing", "digests", 1, "nested", 1, 0, "a", "b"), 20),
        (("types", "thing", "digests", 1, "nested", 1, 1, "c"), 21),
        (("types", "thing", "digests", 1, "with . dot", 'and "quote"', "last"), 23),
        (("types", "thing", "absent", "more"), 4),
        (("absent",), 1),
        ((), 1),
    ],
)
def test_where_a_field_stands(path: Path, line: int) -> None:
    assert line_of(lines_of(TEXT), path) == line


def test_all_fields_are_found_and_nothing_else() -> None:
    assert set(lines_of(TEXT)) == set(_paths(tomllib.loads(TEXT)))


def test_lines_end_as_they_do_on_windows_too() -> None:
    assert lines_of(TEXT.replace("\n", "\r\n")) == lines_of(TEXT)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=6)
SCALARS = (
    st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.booleans()
    | st.dates()
    | st.datetimes()
    | st.text(st.sampled_from("ab[]{}=#.,\"'\\ \n\t"), max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.data())
def test_every_field_of_any_file_is_on_its_line(table: dict[str, Any], data: st.DataObject) -> None:
    placed: dict[Path, int] = {}
    writer = _Writer(placed, data)
    writer.table(table, ())
    text = "".join(writer.pieces)
    assert tomllib.loads(text) == table
    assert lines_of(text) == placed


class _Writer:
    """Writes a table in one of the many ways there are, noting where each field comes to be."""

    def __init__(self, placed: dict[Path, int], data: st.DataObject) -> None:
        self.pieces: list[str] = []
        self._line = 1
        self._placed = placed
        self._data = data

    def table(self, table: dict[str, Any], path: Path) -> None:
        later = []
        for name, value in table.items():
            if self._is_table(value) and self._flip():
                later.append((name, value))
            else:
                self._pair(name, value, (*path, name))
                self._write(self._choose(["\n", " # x = 1\n", "\n\n", "\n# [y]\n"]))
        for name, value in later:
            at = (*path, name)
            if isinstance(value, dict):
                self._header("[", at, "]")
                self.table(value, at)
                continue
            self._placed[at] = self._line
            for number, element in enumerate(value):
                self._header("[[", (*at, number), "]]")
                self.table(element, (*at, number))

    def _header(self, before: str, path: Path, after: str) -> None:
        self._placed[path] = self._line
        names = self._choose([".", " . "]).join(
            self._key(part) for part in path if isinstance(part, str)
        )
        self._write(f"{before}{names}{after}\n")

    def _pair(self, name: str, value: Any, path: Path) -> None:
        self._placed[path] = self._line
        self._write(self._key(name))
        # A table of one field may be a dotted key.
        while isinstance(value, dict) and len(value) == 1 and self._flip():
            ((name, value),) = value.items()
            path = (*path, name)
            self._placed[path] = self._line
            self._write(f".{self._key(name)}")
        self._write(" = ")
        self._value(value, path)

    def _value(self, value: Any, path: Path) -> None:
        match value:
            case dict():
                self._write("{ ")
                for number, (name, inner) in enumerate(value.items()):
                    self._write(", " if number else "")
                    self._pair(name, inner, (*path, name))
                self._write(" }")
            case list():
                self._write("[")
                for number, inner in enumerate(value):
                    self._write(self._choose(["", "\n  ", " # ]\n"]))
                    self._placed[*path, number] = self._line
                    self._value(inner, (*path, number))
                    self._write(",")
                self._write("]")
            case bool():
                self._write(str(value).lower())
            case str():
                self._write(self._string(value))
            case int() | float():
                self._write(str(value))
            case _:
                self._write(value.isoformat())

    def _string(self, value: str) -> str:
        quoted = '"' + value.translate(_ESCAPES) + '"'
        ways = [quoted, '"""\n' + value.replace("\\", "\\\\").replace('"""', '""\\"') + '"""']
        if "'" not in value and "\n" not in value:
            ways += [f"'{value}'", f"'''{value}'''"]
        return self._choose(ways)

    def _key(self, name: str) -> str:
        if name.isascii() and name.isalnum() and self._flip():
            return name
        return '"' + name.translate(_ESCAPES) + '"'

    def _is_table(self, value: Any) -> bool:
        if isinstance(value, list):
            return bool(value) and all(isinstance(each, dict) for each in value)
        return isinstance(value, dict)

    def _write(self, text: str) -> None:
        self.pieces.append(text)
        self._line += text.count("\n")

    def _choose(self, ways: list[str]) -> str:
        return self._data.draw(st.sampled_from(ways))

    def _flip(self) -> bool:
        return self._data.draw(st.booleans())


_ESCAPES = {
    **{code: f"\\u{code:04x}" for code in (*range(32), 127)},
    ord('"'): '\\"',
    ord("\\"): "\\\\",
}


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for name, inner in items:
        yield (*path, name)
        yield from _paths(inner, (*path, name))
