"""Settings from variables of the environment, `TOCSIN_…`, and from files that these name."""

import json
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_origin

from pydantic import SecretStr, ValidationError

from pipeline.errors import Misconfigured
from pipeline.settings import Settings
from pipeline.topics import RESERVED

PREFIX = "TOCSIN_"
FROM_FILE = "_file"
"""After a secret's name: it is in the file that the variable names, as Docker and Kubernetes have
it."""
_SERVICE_LINK = re.compile(
    r"TOCSIN_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_\w+)?)?)"
)
_LINK_PORT = re.compile(r"(tcp|udp|sctp)://\S+")


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The settings that a process with these variables has.

    Raises Misconfigured with the variable's name, also for one that is no setting: what is
    misspelt would be ignored in silence.
    """
    values: dict[str, Any] = {}
    for name, text in environment.items():
        if not name.startswith(PREFIX) or _is_service_link(name, text):
            continue
        field = name.removeprefix(PREFIX).lower()
        if field in Settings.model_fields:
            values[field] = _value(field, text)
        elif _is_secret(field.removesuffix(FROM_FILE)) and field.endswith(FROM_FILE):
            secret = field.removesuffix(FROM_FILE)
            if f"{PREFIX}{secret.upper()}" in environment:
                raise _unusable(field, f"{PREFIX}{secret.upper()} is set, too")
            values[secret] = _content(field, Path(text))
        else:
            raise _unusable(field, _unknown(field))
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise _unusable(str(first["loc"][0]), first["msg"]) from None
    if settings.prefix.endswith(tuple(RESERVED)):
        raise _unusable("prefix", "with it, a topic would have the name that another has without")
    for why in settings.brokers.contradictions():
        raise _unusable("kafka", why)
    for name, why in settings.brokers.access.contradictions():
        raise _unusable(f"kafka_{name}", why)
    return settings


def _is_service_link(name: str, text: str) -> bool:
    """Whether Kubernetes put it there for a service whose name begins with `tocsin`.

    It does so in each container unless told not to (`enableServiceLinks`), and a service
    `tocsin-web` has a TOCSIN_WEB_PORT that is no setting of ours.
    """
    if not _SERVICE_LINK.fullmatch(name):
        return False
    field = name.removeprefix(PREFIX).lower()
    return field not in Settings.model_fields or _LINK_PORT.fullmatch(text) is not None


def _is_secret(field: str) -> bool:
    known = Settings.model_fields.get(field)
    return known is not None and known.annotation is SecretStr


def _content(field: str, file: Path) -> str:
    try:
        return file.read_text().rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise _unusable(field, f"{file} can't be read ({error})") from error


def _value(field: str, text: str) -> Any:
    """Lists and tables are written as JSON; everything else is the text itself."""
    if get_origin(Settings.model_fields[field].annotation) not in (tuple, dict):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise _unusable(field, f"it is not JSON ({error})") from None


def _unknown(field: str) -> str:
    near = get_close_matches(field, Settings.model_fields, 1)
    meant = f"; do you mean {PREFIX}{near[0].upper()}?" if near else ""
    return f"there is no such setting{meant}"


def _unusable(field: str, why: str) -> Misconfigured:
    return Misconfigured(f"{PREFIX}{field.upper()} can't be used: {why}. Nothing was started.")
