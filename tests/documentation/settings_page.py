"""The reference of settings."""

import json
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from pipeline.provider_settings import ProviderSettings
from pipeline.server_settings import ServerSettings
from pipeline.settings import Settings
from pipeline.settings_file import VARIABLE
from pipeline.variables import FROM_FILE, PREFIX
from tests.documentation.field_docs import field_docs
from tests.documentation.markdown import code, generated, table

NAMES = {str: "text", bool: "true or false", int: "integer", float: "number", Path: "path"}


def page() -> str:
    """A row for each setting, in the order in which they are declared."""
    about = f"""
Every process reads its settings once, from variables of its environment and from the TOML file that
`{VARIABLE}` names, where they are in small letters and without the prefix; a variable wins over the
file. A secret may stand in a file of its own, which `{PREFIX}NAME{FROM_FILE.upper()}` names. In
variables, lists and tables are written as JSON. A name that is no setting keeps the process from
starting, as does a value that can't be used (exit code 78).
"""
    docs: dict[str, str] = {}
    for kind in (ServerSettings, ProviderSettings, Settings):
        docs |= field_docs(kind)
    rows = (
        (code(f"{PREFIX}{name.upper()}"), kind_of(field), default_of(field), docs[name])
        for name, field in Settings.model_fields.items()
    )
    return generated("Settings", about) + table(("variable", "type", "default", "meaning"), rows)


def kind_of(field: FieldInfo) -> str:
    """A setting's type in a few words, with its bounds."""
    bounds = ", ".join(_bounds(field))
    return _shown(field.annotation) + (f" ({bounds})" if bounds else "")


def default_of(field: FieldInfo) -> str:
    """What holds where a setting is not set; nothing for an empty text or a secret."""
    default = field.default
    match default:
        case None | SecretStr():
            return ""
        case bool():
            return code(str(default).lower())
        case tuple() | dict():
            plain = list(map(str, default)) if isinstance(default, tuple) else default
            return code(json.dumps(plain)) if default else ""
    return code(default)


def _shown(kind: Any) -> str:
    arguments = [each for each in get_args(kind) if each is not types.NoneType]
    match get_origin(kind):
        case types.UnionType:
            return " or ".join(dict.fromkeys(map(_shown, arguments)))
        case origin if origin is Literal:
            return " or ".join(map(code, arguments))
        case origin if origin in (tuple, dict):
            return "list as JSON" if origin is tuple else "table as JSON"
    return "secret" if kind is SecretStr else NAMES[kind]


def _bounds(field: FieldInfo) -> Iterator[str]:
    for each in field.metadata:
        for name, words in (
            ("ge", "at least {:,}"),
            ("gt", "more than {:,}"),
            ("le", "at most {:,}"),
            ("max_length", "at most {} characters"),
            ("pattern", "`{}`"),
        ):
            if (bound := getattr(each, name, None)) is not None:
                yield words.format(bound)
