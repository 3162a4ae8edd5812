"""One mutant: a single small change of one file, under a name that survives shifted lines."""

from difflib import unified_diff

from msgspec import Struct


class Mutant(Struct, frozen=True, kw_only=True):
    """A change of `before` to `after` somewhere inside `where`.

    `where` is the qualified name of a function, class or SQL view, and empty for the rest of a
    file. `number` tells equal changes of one place apart, in the order of the file. `lines` are
    those of the statement that is changed, first and last.
    """

    path: str
    where: str
    before: str
    after: str
    number: int
    lines: tuple[int, int]
    source: str
    """The whole file with the change."""
    in_body: bool = False
    """Whether the change lies in a function's body, so that it acts only when that is called."""

    @property
    def key(self) -> str:
        """What names it over edits of other lines and over runs."""
        return "\t".join((self.path, self.where, self.before, self.after, str(self.number)))

    def diff(self, original: str) -> str:
        """The change as a unified diff against the original text of the file."""
        lines = unified_diff(
            original.splitlines(), self.source.splitlines(), self.path, self.path, "", "", 2, ""
        )
        return "\n".join(lines) + "\n"
