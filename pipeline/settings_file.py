"""A file of settings beside variables: TOML, with the names of variables in small letters.

It is what many processes have in common, and is no place for secrets: those stand in files of
their own, which it names.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.errors import Misconfigured

VARIABLE = "TOCSIN_SETTINGS"
"""Names the file."""


def read_settings_file(path: Path) -> dict[str, Any]:
    """Its keys and values as they stand there, whatever they are; raises Misconfigured."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured(
            f"{VARIABLE} can't be used: {path} can't be read ({error.strerror}). "
            "Nothing was started."
        ) from error
    except ValueError as error:
        raise Misconfigured(
            f"{VARIABLE} can't be used: {path} is not TOML ({error}). Nothing was started."
        ) from error


def file_of(environment: Mapping[str, str]) -> dict[str, Any]:
    """What the file says that these variables name; nothing where they name none."""
    name = environment.get(VARIABLE, "")
    return read_settings_file(Path(name)) if name else {}
