"""The text of a digest whose type has none: what its events say, line by line."""

from collections.abc import Callable, Iterable

MOST = 50
"""Events that are listed in full."""


def gathered(
    bodies: Iterable[str], count: int, holds: Callable[[str], bool], between: str
) -> tuple[str, str]:
    """The bodies of as many of the newest as the channel holds, and a tail for the others.

    `bodies` are `count`, the newest first, and are read only as far as needed; the text has
    them in the order in which things happened. The tail is "" or, on its own line, "+12". The
    newest is always there, even if the channel does not hold it.
    """
    kept: list[str] = []
    for body in bodies:
        longer = [body.strip(), *kept]
        if kept and (len(kept) == MOST or not holds(between.join(longer) + _tail(count, longer))):
            break
        kept = longer
    return between.join(kept), _tail(count, kept)


def _tail(count: int, kept: list[str]) -> str:
    left = count - len(kept)
    return f"\n+{left}" if left else ""
