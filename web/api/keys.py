"""API keys: whose they are and what they may do. A file holds their hashes, never the keys."""

import hashlib
import json
import logging
import secrets
import time
import tomllib
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from schemas.errors import Misconfigured
from schemas.event import Name

PREFIX = "tocsin_"
"""By which a key that got lost is known as one of ours."""
PER_MINUTE = 6000
SETTLED_SECONDS = 2.0
"""For which a file must not change before a key that is no longer in it stops to count."""
log = logging.getLogger(__name__)


class Scope(StrEnum):
    """What a key may do."""

    SEND = "send"  # events, notifications, cancellations
    USERS = "users"  # contacts, preferences, follows, inboxes
    READ = "read"  # explain, timelines, exports
    ERASE = "erase"
    OPERATE = "operate"  # dead letters and lag, of every tenant


class ApiKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key of a tenant's: `per_minute` requests, in all web processes together."""

    name: str = ""
    sha256: str
    tenant: Name
    scopes: frozenset[Scope]
    per_minute: Annotated[int, Meta(ge=1)] = PER_MINUTE


class SourceKey(ApiKey, frozen=True, kw_only=True):
    """In place of a key: a signature, by the secret of a source of the catalogue."""


class Keys:
    """The keys of a file; it is looked at again when it changes.

    A key that is added counts at once. One that is missing from the file counts until the file
    has stayed as it is for SETTLED_SECONDS: editors empty a file before they write it, or put
    another in its place, and in between nobody must be shut out.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Raises Misconfigured for a file that can't be used; one that is absent has no keys."""
        self._path = path
        self._monotonic = monotonic
        self._seen: tuple[int, int] | None = None
        self._by_hash: dict[str, ApiKey] = {}
        self._unsettled: dict[str, ApiKey] | None = None
        self._changed_at = 0.0
        self._read()
        self._settle()

    def find(self, key: str) -> ApiKey | None:
        """The key of this text, if it is one, also if it was added a moment ago."""
        # By its hash: how long a look-up takes says nothing about any key.
        sha256 = hashlib.sha256(key.encode()).hexdigest()
        if sha256 not in self._by_hash:
            self.refresh_or_keep()
        return self._by_hash.get(sha256)

    def refresh(self) -> None:
        """Take up a changed file; one that can't be used changes nothing and raises."""
        if self._signature() != self._seen:
            self._read()
        elif self._monotonic() - self._changed_at >= SETTLED_SECONDS:
            self._settle()

    def refresh_or_keep(self) -> None:
        """Take up a changed file; one that can't be used changes nothing and is logged."""
        try:
            self.refresh()
        except Misconfigured as error:
            log.error("%s Those of before stay in use.", error)

    def _signature(self) -> tuple[int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size

    def _read(self) -> None:
        self._seen, self._unsettled = self._signature(), None
        found = {key.sha256: key for key in read_keys(self._path)}
        self._by_hash = {**self._by_hash, **found}
        self._unsettled, self._changed_at = found, self._monotonic()

    def _settle(self) -> None:
        """Let go of the keys that the file no longer has."""
        if self._unsettled is not None:
            self._by_hash, self._unsettled = self._unsettled, None


def read_keys(path: Path) -> list[ApiKey]:
    """The keys of a file, none if it is absent; raises Misconfigured, naming the key."""
    try:
        tables = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise Misconfigured(f"The API keys in {path} can't be read: {error}.") from None
    keys = []
    for name, table in tables.items():
        try:
            keys.append(msgspec.convert({**table, "name": name}, ApiKey))
        except (msgspec.ValidationError, TypeError) as error:
            raise Misconfigured(f"The API key {name!r} in {path} can't be used: {error}.") from None
    return keys


def new_key() -> tuple[str, str]:
    """A key to hand out, and its hash to keep."""
    key = PREFIX + secrets.token_urlsafe(32)
    return key, hashlib.sha256(key.encode()).hexdigest()


def table_of(key: ApiKey) -> str:
    """A key as it stands in the file."""
    scopes = ", ".join(f'"{scope}"' for scope in sorted(key.scopes))
    # What JSON escapes in a text, TOML escapes alike.
    tenant = json.dumps(key.tenant, ensure_ascii=False)
    return (
        f'\n[{key.name}]\nsha256 = "{key.sha256}"\ntenant = {tenant}\n'
        f"scopes = [{scopes}]\nper_minute = {key.per_minute}\n"
    )
