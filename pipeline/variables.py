"""Settings from variables of the environment, `TOCSIN_…`, and from files that these name.

One of these files may have settings itself (`pipeline.settings_file`).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_origin

from pydantic import SecretStr, ValidationError

from pipeline.private_urls import is_unreadable
from pipeline.secret_file import READ_ONCE, FileSecret, content_of
from pipeline.settings import Settings
from pipeline.settings_file import VARIABLE, file_of
from schemas.errors import Misconfigured
from schemas.topics import RESERVED

PREFIX = "TOCSIN_"
FROM_FILE = "_file"
"""After a secret's name: it is in the file that the variable names, as Docker and Kubernetes have
it."""
_SERVICE_LINK = re.compile(
    r"TOCSIN_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_\w+)?)?)"
)
_LINK_PORT = re.compile(r"(tcp|udp|sctp)://\S+")


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The settings that a process with these variables has, and with the file that they name.

    A variable wins over the file. Raises Misconfigured with the variable's name, or the file's and
    the key, also for one that is no setting: what is misspelt would be ignored in silence.
    """
    said = {
        name.removeprefix(PREFIX).lower(): text
        for name, text in environment.items()
        if name.startswith(PREFIX) and name != VARIABLE and not _is_service_link(name, text)
    }
    by_file = _File(Path(environment.get(VARIABLE, "")), file_of(environment))
    values = by_file.values() | _by_variables(said)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        raise by_file.unusable(field, first["msg"], is_variable=field in said) from None
    for field, why in _contradictions(settings):
        raise by_file.unusable(field, why, is_variable=field in said)
    return settings


def _by_variables(said: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field, text in said.items():
        secret = field.removesuffix(FROM_FILE)
        if field in Settings.model_fields:
            values[field] = _value(field, text)
        elif field.endswith(FROM_FILE) and _is_secret(secret):
            if secret in said:
                raise _unusable(field, f"{_variable(secret)} is set, too")
            try:
                values[secret] = _in_file(secret, Path(text))
            except ValueError as error:
                raise _unusable(field, str(error)) from error
        else:
            raise _unusable(field, _unknown(field, _variable))
    return values


class _File:
    """The settings file of a process; of none, without anything in it."""

    def __init__(self, path: Path, content: Mapping[str, Any]) -> None:
        self._path = path
        self._content = content

    def has(self, field: str) -> bool:
        """Whether it says something of the setting."""
        return field in self._content or f"{field}{FROM_FILE}" in self._content

    def values(self) -> dict[str, Any]:
        """By the setting; raises Misconfigured."""
        values: dict[str, Any] = {}
        for key, value in self._content.items():
            secret = key.removesuffix(FROM_FILE)
            if _is_secret(key):
                raise self.unusable(
                    key, f"it is a secret; write it into a file, and that one's name here, as "
                    f"{key}{FROM_FILE}"
                )  # fmt: skip
            if key in Settings.model_fields:
                values[key] = value
            elif key.endswith(FROM_FILE) and _is_secret(secret):
                try:
                    values[secret] = _in_file(secret, Path(str(value)))
                except ValueError as error:
                    raise self.unusable(key, str(error)) from error
            else:
                raise self.unusable(key, _unknown(key.lower(), str))
        return values

    def unusable(self, key: str, why: str, *, is_variable: bool = False) -> Misconfigured:
        """What to raise of a key, unless a variable is what says it."""
        if is_variable or not (self.has(key) or key in self._content):
            return _unusable(key, why)
        return Misconfigured(f"{key} in {self._path} can't be used: {why}. Nothing was started.")


def _contradictions(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.prefix.endswith(tuple(RESERVED)):
        yield "prefix", "with it, a topic would have the name that another has without"
    for why in settings.brokers.contradictions():
        yield "kafka", why
    for name, why in settings.brokers.access.contradictions():
        yield f"kafka_{name}", why
    yield from _login_contradictions(settings)


def _login_contradictions(settings: Settings) -> Iterator[tuple[str, str]]:
    if not settings.oidc_issuer:
        return
    pages = "pages_url" if settings.pages_url else "public_url"
    for name in ("oidc_issuer", pages):
        url = getattr(settings, name)
        if url and not is_unreadable(url):
            yield name, f"{url} is no https URL, so others could read along who logs in"
    for name, why in (
        (pages, "the provider has to send people back to it"),
        ("signing_key", "it signs who is logged in"),
        ("oidc_client_id", "the provider has to know who asks"),
        ("oidc_rights", "without it nobody who logs in may do anything"),
    ):
        value = getattr(settings, name)
        if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
            yield name, f"it is not set, and TOCSIN_OIDC_ISSUER is: {why}"
    if "openid" not in settings.oidc_scope.split():
        yield "oidc_scope", "without openid no provider says who somebody is"


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


def _in_file(secret: str, file: Path) -> SecretStr:
    """A secret, which is read again if it may change; raises ValueError."""
    return SecretStr(content_of(file)) if secret in READ_ONCE else FileSecret(secret, file)


def _value(field: str, text: str) -> Any:
    """Lists and tables are written as JSON; everything else is the text itself."""
    if get_origin(Settings.model_fields[field].annotation) not in (tuple, dict):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise _unusable(field, f"it is not JSON ({error})") from None


def _unknown(field: str, shown: Callable[[str], str]) -> str:
    near = get_close_matches(field, Settings.model_fields, 1)
    meant = f"; do you mean {shown(near[0])}?" if near else ""
    return f"there is no such setting{meant}"


def _variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"


def _unusable(field: str, why: str) -> Misconfigured:
    return Misconfigured(f"{_variable(field)} can't be used: {why}. Nothing was started.")
