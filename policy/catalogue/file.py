"""One file of the catalogue, and what is wrong in it."""

import ast
import re
import tomllib
from typing import Any, TypeVar

from msgspec import Struct

from policy.catalogue.entry import PlainName
from policy.catalogue.problem import shown
from policy.catalogue.toml_conversion import ConversionError, convert, misfits
from policy.catalogue.toml_lines import excess_of, line_of, lines_of
from policy.message import MESSAGE
from schemas.allowed import Path
from schemas.event import Name

_T = TypeVar("_T")
_TOML_ERROR = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_OVERWRITTEN = "Cannot overwrite a value"
_DECLARED = re.compile(r"Cannot (mutate immutable namespace|declare) (\(.*\))(?: twice)?")
_KEY = re.compile(r"\s*([^=\[\]]*[^=\[\]\s])\s*=")
_BYTE_ORDER_MARK = "\ufeff"
"""Some editors of Windows begin a file with it."""


class Sections(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file may hold: an event with its types, and what all files share."""

    event: Name | None = None
    types: dict[PlainName, dict[str, Any]] = {}
    categories: dict[PlainName, dict[str, Any]] = {}
    tenants: dict[Name, dict[str, Any]] = {}
    layouts: dict[PlainName, dict[str, Any]] = {}
    segments: dict[PlainName, dict[str, Any]] = {}
    sources: dict[PlainName, dict[str, Any]] = {}
    holdout: dict[str, Any] | None = None


class CatalogueFile:
    """A file by name, with its text parsed; `problems` are lines and sentences, and so are
    `doubts`, which nothing is refused for.

    Of a file that is not TOML, or has unknown sections, only that is reported.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.problems: list[tuple[int, str]] = []
        self.doubts: list[tuple[int, str]] = []
        self._text = text.removeprefix(_BYTE_ORDER_MARK)
        self._amiss: set[Path] = set()
        self._lines: dict[Path, int] | None = None
        self.sections = self.convert((), self._parsed(), Sections) or Sections()
        self._check_event()

    def complain(self, path: Path, complaint: str, place: Path | None = None) -> None:
        """Note what is wrong at this path; with `place`, that is the line to look at."""
        self.problems.append(self._placed(path, complaint, path if place is None else place))
        self._amiss.add(path[:2])

    def doubt(self, path: Path, said: str) -> None:
        """Note what is allowed at this path, and hardly meant."""
        self.doubts.append(self._placed(path, said, path))

    def is_amiss(self, path: Path) -> bool:
        """Whether there is a complaint about this entry, by its section and name."""
        return path in self._amiss

    def convert(self, path: Path, table: dict[str, Any], kind: type[_T]) -> _T | None:
        """The table at this path as that kind, or None, with all that does not fit."""
        try:
            return convert(table, kind)
        except ConversionError:
            for misfit in misfits(table, kind):
                place = (*path, *misfit.place)
                self.complain((*path, *misfit.path), misfit.complaint, place)
            return None

    def told(self) -> list[str]:
        """The problems by line, each with the file and the line in front."""
        return self._by_line(self.problems)

    def doubted(self) -> list[str]:
        """The doubts, likewise."""
        return self._by_line(self.doubts)

    def _by_line(self, noted: list[tuple[int, str]]) -> list[str]:
        return [f"{self.name}:{line}: {said}." for line, said in sorted(noted)]

    def _placed(self, path: Path, said: str, place: Path) -> tuple[int, str]:
        if self._lines is None:
            self._lines = lines_of(self._text)
        field = f"{shown(path)}: " if path else ""
        return line_of(self._lines, place), f"{field}{said}"

    def _parsed(self) -> dict[str, Any]:
        excess = excess_of(self._text)
        if excess is not None:
            self.problems.append(excess)
            return {}
        try:
            return tomllib.loads(self._text)
        except ValueError as error:
            found = _TOML_ERROR.fullmatch(str(error))
            said, line, column = found.groups() if found else (str(error), "1", None)
            place = f"in column {column}" if column else "at its end"
            number = int(line) if line else max(1, len(self._text.splitlines()))
            said += self._twice(said, number)
            self.problems.append((number, f"is not TOML: {said}, {place}"))
            return {}

    def _twice(self, said: str, number: int) -> str:
        """What of this line is there twice, where that is the complaint."""
        declared = _DECLARED.fullmatch(said)
        if declared:
            is_value = declared[1] != "declare"
            name = shown(ast.literal_eval(declared[2]))
            return f": {name} is there already{', with all of its value' if is_value else ''}"
        key = _KEY.match(self._text.splitlines()[number - 1])
        return f": {key[1]} is there already" if said == _OVERWRITTEN and key else ""

    def _check_event(self) -> None:
        sections = self.sections
        if self.problems:
            return
        if sections == Sections():
            self.complain((), "the file declares nothing")
        elif sections.types and sections.event is None:
            self.complain(("event",), "is missing, so nothing sets off the types")
        elif sections.event is not None and not sections.types:
            self.complain(("event",), "sets off no types")
        elif sections.event == MESSAGE:
            self.complain(("event",), "is built in: it sets off messages with texts of their own")
