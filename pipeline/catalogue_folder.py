"""The catalogue in a folder of TOML files, and where handlers find it."""

from pathlib import Path
from typing import Protocol

from policy.catalogue.catalogue import EXAMPLES, Catalogue, parse
from schemas.errors import BadCatalogue

Signature = tuple[tuple[str, int, int, int], ...]


class Catalogues(Protocol):
    """Where handlers find the catalogue; each turn keeps to the one it began with."""

    @property
    def current(self) -> Catalogue:
        """The newest that can be used."""
        ...

    async def refresh(self) -> None:
        """Have `current` be what the files say by now, before what is unknown is refused."""
        ...


class FixedCatalogue:
    """A catalogue that stays what it is."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.current = catalogue

    async def refresh(self) -> None:
        """There is nothing newer."""


def read_files(folder: Path) -> dict[str, str]:
    """The folder's TOML files by name, and the JSON of examples beside them.

    Raises BadCatalogue if one can't be read or none is there. Files whose name begins with a dot
    belong to somebody's editor.
    """
    files = {}
    paths = _paths(folder)
    if all(path.suffix == EXAMPLES for path in paths):
        paths = []
    for path in paths:
        try:
            files[path.name] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadCatalogue(f"{path.name} in {folder} can't be read: {error}.") from error
    if not files:
        raise BadCatalogue(
            f"There is no *.toml file in {folder}. Run this in Tocsin's own folder or in that of "
            "`tocsin up`, or set TOCSIN_CATALOGUE to the catalogue's folder."
        )
    return files


def read_catalogue(folder: Path) -> Catalogue:
    """The catalogue in the folder's TOML files; raises BadCatalogue, naming file and line."""
    return parse(read_files(folder))


def signature_of(folder: Path) -> Signature:
    """What is another when a file is; empty if it can't be told, which reading will explain."""
    try:
        stats = [(path.name, path.stat()) for path in _paths(folder)]
    except OSError:
        return ()
    return tuple((name, stat.st_mtime_ns, stat.st_size, stat.st_ino) for name, stat in stats)


def _paths(folder: Path) -> list[Path]:
    found = [*folder.glob("*.toml"), *folder.glob(f"*{EXAMPLES}")]
    return sorted(path for path in found if not path.name.startswith("."))
