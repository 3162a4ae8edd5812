"""The code blocks of a Markdown document, and the commands in a block of shell."""

import itertools
import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

_FENCE = re.compile(r"```(\w*)\s*")
_INLINE = re.compile(r"`(tocsin [^`]+)`")
_URL = re.compile(r"`(http://127\.0\.0\.1:[^`\s]*)`")


class Block(NamedTuple):
    """`text` without its fence or indent, which has no language; `line` counts from 1."""

    line: int
    language: str
    text: str

    @property
    def first(self) -> str:
        """Its first line, by which it is known."""
        return self.text.splitlines()[0].strip()


class Command(NamedTuple):
    """One command of a shell block, over as many lines as it takes."""

    line: int
    text: str


def blocks_of(document: str) -> list[Block]:
    """All blocks, fenced and indented, in order."""
    found: list[Block] = []
    lines = enumerate(document.splitlines(), 1)
    was_blank = True
    for number, line in lines:
        if fence := _FENCE.fullmatch(line):
            body = itertools.takewhile(lambda each: not _FENCE.fullmatch(each[1]), lines)
            text = "\n".join(each for _, each in body)
            found.append(Block(number, fence[1] or "text", text))
        elif line.startswith("    ") and was_blank:
            found.append(Block(number, "", line[4:]))
        elif line.startswith("    ") and found and not found[-1].language:
            found[-1] = found[-1]._replace(text=f"{found[-1].text}\n{line[4:]}")
        was_blank = not line.strip()
    return found


def commands_of(block: Block) -> Iterator[Command]:
    """The commands of a shell block: a line each, or more where a quote or a backslash is open."""
    pending, begin = "", 0
    for number, line in enumerate(block.text.splitlines(), block.line):
        begin = begin if pending else number
        pending = f"{pending}\n{line}" if pending else line
        if _is_complete(pending):
            if pending.strip():
                yield Command(begin, pending)
            pending = ""
    if pending:
        raise ValueError(f"the command from line {begin} on has no end: {pending}")


def inline_commands(document: str) -> list[str]:
    """What the prose says one may run."""
    return [" ".join(text.split()) for text in _INLINE.findall(document)]


def urls(document: str) -> list[str]:
    """What the prose says one may open."""
    return _URL.findall(document)


def _is_complete(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return not text.endswith("\\")
