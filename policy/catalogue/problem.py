"""What is wrong in a catalogue, and where."""

from collections.abc import Iterable, Iterator

from schemas.allowed import Path

Problem = tuple[Path, str]
"""The path to a field, and what is wrong with it."""


def repeated(path: Path, values: Iterable[str]) -> Iterator[Problem]:
    """Each value that is listed more than once under this path."""
    listed = list(values)
    for value in dict.fromkeys(listed):
        if listed.count(value) > 1:
            yield path, f"names {value} more than once"


def shown(path: Path) -> str:
    """The path as people write it: `types.thing.channels[3]`; numbers count from 0."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            is_plain = step.replace("-", "_").isidentifier() or step.isalnum()
            name = step if is_plain else repr(step)
            text += f".{name}" if text else name
    return text
