"""Reading the catalogue's files."""

from pathlib import Path

from pipeline.errors import BadCatalogue
from policy.catalogue import Catalogue, parse


def read_catalogue(folder: Path) -> Catalogue:
    """The catalogue in the folder's TOML files; raises BadCatalogue, naming file and field."""
    try:
        files = {path.name: path.read_text() for path in sorted(folder.glob("*.toml"))}
    except (OSError, UnicodeDecodeError) as error:
        raise BadCatalogue(f"The catalogue in {folder} can't be read: {error}.") from error
    if not files:
        raise BadCatalogue(
            f"There is no *.toml file in {folder}. Set TOCSIN_CATALOGUE to the catalogue's folder."
        )
    return parse(files)
