"""Markdown that a generated reference is put together from."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a row's cells are single lines, and may hold Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(cell, line))} |\n" for line in lines)


def cell(text: str) -> str:
    """A text as it may stand in a cell."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """As code; nothing for an empty text."""
    return f"`{text}`" if str(text) else ""


def generated(title: str, about: str) -> str:
    """How a generated page begins."""
    return f"# {title}\n\n{about.strip()}\n\n*Generated from the code by `make docs`.*\n\n"
