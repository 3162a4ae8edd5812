"""Records as lines that can be read at any width, searched and copied from.

No word is ever cut or broken: an id stands whole. Where a line is too long for its terminal, the
terminal itself breaks it, and what is copied from there is in one piece.
"""

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from rich.console import Console
from rich.text import Text

GAP = 2
_INDENT = 4


class Row(NamedTuple):
    """One record: `cells` that are aligned with those of other records, and a longer `note`."""

    cells: Sequence[str | Text]
    note: str | Text = ""


def print_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def width() -> int | None:
    """Columns of the terminal; None where the output goes elsewhere and COLUMNS isn't set."""
    return shutil.get_terminal_size((0, 0)).columns or None


def print_lines(lines: Iterable[str | Text], console: Console | None = None) -> None:
    """Print lines as they are."""
    console = console or Console()
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False, emoji=False)


def aligned(
    rows: Sequence[Row], *, right: frozenset[int] = frozenset(), indent: int = 0
) -> Iterator[Text]:
    """A line a row. A note that would not fit into its line follows on lines of its own.

    Columns that are empty in all rows are left out; those numbered in `right` are numbers.
    """
    most = width()
    table = [[_text(cell) for cell in row.cells] for row in rows]
    widths = [max(cell.cell_len for cell in column) for column in zip(*table, strict=True)]
    used = [number for number, columns in enumerate(widths) if columns]
    for row, cells in zip(rows, table, strict=True):
        line, note = Text(" " * indent), _text(row.note)
        for number in used:
            blanks = " " * (widths[number] - cells[number].cell_len)
            if number != used[0]:
                line.append(" " * GAP)
            line.append(blanks if number in right else "")
            line.append_text(cells[number])
            line.append("" if number in right else blanks)
        if not note:
            yield _trimmed(line)
        elif most is None or line.cell_len + GAP + note.cell_len <= most:
            yield Text.assemble(line, " " * GAP if used else "", note)
        else:
            yield _trimmed(line)
            yield from wrapped(note, indent + _INDENT)


def wrapped(text: str | Text, indent: int = 0, first: str | Text = "") -> Iterator[Text]:
    """A text in lines broken between words, each of them indented, the first one by `first`."""
    most = width()
    line, began = _text(first) or Text(" " * indent), False
    for word in _words(_text(text)):
        if began and most is not None and line.cell_len + 1 + word.cell_len > most:
            yield _trimmed(line)
            line, began = Text(" " * indent), False
        line = Text.assemble(line, " " if began else "", word)
        began = True
    yield _trimmed(line)


def _words(text: Text) -> Iterator[Text]:
    begin = 0
    for word in text.plain.split(" "):
        yield text[begin : begin + len(word)]
        begin += len(word) + 1


def _text(value: str | Text) -> Text:
    """A copy in one line: what steers a terminal, or ends the line, is a blank."""
    text = value.copy() if isinstance(value, Text) else Text(value)
    if not text.plain.isprintable():
        text.plain = "".join(char if char.isprintable() else " " for char in text.plain)
    return text


def _trimmed(line: Text) -> Text:
    line.rstrip()
    return line
