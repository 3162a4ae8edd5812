"""The settings of a command: its own variables, and those of the `tocsin up` of this folder."""

import os
import sys
from collections.abc import Mapping

from cli.environment import FILE, PLACES, found
from pipeline.settings import Settings
from pipeline.settings_file import file_of
from pipeline.variables import PREFIX, settings_of
from schemas.errors import Unavailable

USED = f"tocsin: using `tocsin up` of this folder ({FILE})\n"
LEFT = (
    f"tocsin: {FILE} is not used: its `tocsin up` has ended without removing it. "
    "Start it again, or delete the file.\n"
)
STARTING = "`tocsin up` of this folder is starting or stopping; nothing was done. Try again soon."


def read_settings() -> Settings:
    """The settings of this command; call it once. Says on standard error where they come from.

    Variables that are set win over the file's. If they say that Kafka or ClickHouse is somewhere
    else, or the settings file says so, nothing is taken from it. Raises Misconfigured and
    Unavailable.
    """
    return settings_of({**_of_up(os.environ), **os.environ})


def _of_up(own: Mapping[str, str]) -> Mapping[str, str]:
    variables = found()
    if variables is None:
        if FILE.exists():
            sys.stderr.write(LEFT)
        return {}
    by_file = {f"{PREFIX}{key.upper()}": str(value) for key, value in file_of(own).items()}
    given = {name: text for name, text in {**by_file, **own}.items() if name in PLACES}
    if any(variables.get(name) != text for name, text in given.items()):
        return {}
    if not variables:
        raise Unavailable(STARTING)
    sys.stderr.write(USED)
    return variables
