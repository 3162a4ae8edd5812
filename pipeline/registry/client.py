"""A schema registry by Confluent's API, which Karapace, Apicurio and Redpanda have as well."""

import asyncio
import ssl
import time
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from pydantic import SecretStr

from pipeline.basic_auth import basic
from pipeline.expiring import Expiring
from pipeline.kafka.brokers import NO_SECRET
from pipeline.settings import Settings
from pipeline.tls import RenewedContext, trust
from policy.source.decoding import RegistryUnavailable, Undecodable
from schemas.errors import Misconfigured

Kind = Literal["AVRO", "PROTOBUF", "JSON"]
Version = int | Literal["latest"]

TIMEOUT = 5.0
"""Seconds for one answer."""
WHOLE_TIMEOUT = 9.0
"""Seconds for a schema with all that it refers to."""
QUIET = 1.0
"""Seconds after a failure for which nobody else asks: all that wait would do so at once."""
MOST_BYTES = 2 << 20
"""Of a schema with all that it refers to, as JSON; Confluent's cloud takes half of that."""
MOST_REFERENCES = 256
MOST_CACHED = 64 << 20
"""Characters of schemas that are kept; of more, those that were asked for last."""
UNKNOWN_MS = 10_000
"""For which an id counts as unknown. It may be registered since, or be on its way to a replica."""
AGAIN = 1.0
"""Seconds after which the first unknown one is asked for again, but for those that come while it
counts: a replica may not have heard yet of what was just registered."""
UNKNOWN = frozenset({40401, 40402, 40403})
"""What a registry says of a subject, version or schema that it doesn't have. Another 404 is that of
a server which is no registry, or not at this path."""
MOST_SAID = 200
"""Characters of others' words in ours."""
ACCEPT = "application/vnd.schemaregistry.v1+json, application/json"


class Schema(msgspec.Struct, frozen=True):
    """A schema as it is registered, with all that it refers to, near or far, by name.

    What a reference refers to itself stands before it.
    """

    kind: Kind
    text: str
    references: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """Characters of it."""
        return len(self.text) + sum(len(name) + len(text) for name, text in self.references)


class _Reference(msgspec.Struct, frozen=True):
    name: str
    subject: str
    version: int


class _Answer(msgspec.Struct, frozen=True):
    schema: str
    kind: str = msgspec.field(default="AVRO", name="schemaType")
    references: tuple[_Reference, ...] | None = None


class _Refusal(msgspec.Struct, frozen=True):
    error_code: int
    message: str = ""


class _Unregistered(Undecodable):
    """The registry says that it has no such schema."""


class Registry:
    """The registry at one or several URLs, separated by commas, of which any may answer.

    What is registered under an id or a version never changes, so it is asked for once.
    """

    def __init__(
        self,
        url: str,
        user: str = "",
        password: SecretStr = NO_SECRET,
        ca_file: Path | None = None,
        certificate_file: Path | None = None,
        key_file: Path | None = None,
    ) -> None:
        """Raises Misconfigured."""
        self._urls = [_checked(each.strip().rstrip("/")) for each in url.split(",")]
        self._user, self._password = user, password
        self._ca_file = ca_file
        self._certificate = certificate_file, key_file
        self._tls: RenewedContext | None = None
        self._session: aiohttp.ClientSession | None = None
        self._known: dict[str, Schema] = {}
        self._size = 0
        self._unknown = Expiring[str]()
        self._unknown_until = 0.0
        self._asking = asyncio.Lock()
        self._failed: tuple[float, str] | None = None

    async def by_id(self, number: int) -> Schema:
        """The schema with this id.

        Raises Undecodable where there is none, or it is nothing that we take; RegistryUnavailable
        where that can't be known now.
        """
        return await self._kept(f"schemas/ids/{number}", f"schema {number}")

    async def by_version(self, subject: str, version: Version) -> Schema:
        """What is registered under a subject; raises as `by_id` does. The latest one is what it
        was when it was first asked for.
        """
        return await self._kept(_path(subject, version), f"version {version} of {subject}")

    async def close(self) -> None:
        """Close every connection; more calls change nothing."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _kept(self, path: str, what: str) -> Schema:
        if (known := self._known.get(path)) is not None:
            return known
        async with self._asking:
            # Whoever had the lock may have asked for the same.
            if (known := self._known.get(path)) is not None:
                return known
            now = time.monotonic() * 1000
            if (said := self._unknown.get(path, now)) is not None:
                raise Undecodable(said)
            try:
                known = await self._found_in_time(path, what, now)
            except Undecodable as error:
                self._unknown_until = now + UNKNOWN_MS
                self._unknown.put(path, str(error), ends=now + UNKNOWN_MS, now=now)
                raise
            self._known[path] = known
            self._size += known.size
            while self._size > MOST_CACHED and len(self._known) > 1:
                self._size -= self._known.pop(next(iter(self._known))).size
            return known

    async def _found_in_time(self, path: str, what: str, now: float) -> Schema:
        try:
            async with asyncio.timeout(WHOLE_TIMEOUT):
                try:
                    return await self._found(path, what)
                except _Unregistered:
                    if now < self._unknown_until:
                        raise
                await asyncio.sleep(AGAIN)
                return await self._found(path, what)
        except TimeoutError:
            raise self._failure(what, f"no answer within {WHOLE_TIMEOUT:g} s") from None

    async def _found(self, path: str, what: str) -> Schema:
        left = MOST_BYTES
        texts: dict[str, str] = {}
        """Of references, once all that they refer to is there."""
        places: dict[str, tuple[str, int]] = {}

        async def with_references(path: str, what: str) -> _Answer:
            nonlocal left
            answer = await self._asked(path, what, left)
            left -= len(answer.schema.encode())
            for each in answer.references or ():
                place = (each.subject, each.version)
                if places.setdefault(each.name, place) != place:
                    raise Undecodable(f"{what} refers to two different schemas as {each.name!r}")
                if each.name in texts:
                    continue
                if len(places) > MOST_REFERENCES:
                    raise Undecodable(f"{what} refers to more than {MOST_REFERENCES} schemas")
                texts[each.name] = ""
                # Also where it was deleted since, as long as the registry keeps it.
                found = await with_references(
                    f"{_path(*place)}?deleted=true", f"{each.name}, version {each.version}"
                )
                del texts[each.name]
                texts[each.name] = found.schema
            return answer

        try:
            answer = await with_references(path, what)
        except RecursionError:
            raise Undecodable(f"{what} refers to schemas too many levels deep") from None
        if answer.kind not in ("AVRO", "PROTOBUF", "JSON"):
            raise Undecodable(f"{what} is of type {answer.kind[:40]!r}")
        return Schema(answer.kind, answer.schema, tuple(texts.items()))  # type: ignore[arg-type]

    async def _asked(self, path: str, what: str, most: int) -> _Answer:
        if self._failed is not None and time.monotonic() - self._failed[0] < QUIET:
            raise RegistryUnavailable(self._failed[1])
        said = []
        for url in self._urls:
            try:
                status, body = await self._get(f"{url}/{path}", most)
            except RegistryUnavailable as error:
                said.append(str(error))
                continue
            if status == 200:
                if len(body) > most:
                    raise Undecodable(f"{what} has more than {MOST_BYTES} bytes")
                try:
                    return msgspec.json.decode(body, type=_Answer)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    said.append(f"{_shown(url)} answers with something else than a schema")
            elif status == 404 and (refusal := _refusal(body)).error_code in UNKNOWN:
                raise _Unregistered(f"the registry has no {what} ({refusal.error_code})")
            else:
                said.append(_why(status, _shown(url), body))
        raise self._failure(what, "; ".join(said))

    def _failure(self, what: str, said: str) -> RegistryUnavailable:
        message = f"The schema registry can't be asked for {what}: {said}. Records wait in Kafka."
        self._failed = (time.monotonic(), message)
        return RegistryUnavailable(message)

    async def _get(self, url: str, most: int) -> tuple[int, bytes]:
        """Status and body, cut soon after `most` bytes of it."""
        try:
            session = self._connected()
            async with session.get(url, headers=self._login(), allow_redirects=False) as answer:
                body = b""
                while len(body) <= most and (part := await answer.content.read(most + 1)):
                    body += part
                return answer.status, body
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise RegistryUnavailable(f"{_shown(url)}: {_reason(error)}") from error

    def _login(self) -> dict[str, str]:
        if not self._user:
            return {}
        return {"Authorization": basic(self._user, self._password.get_secret_value())}

    def _connected(self) -> aiohttp.ClientSession:
        if self._tls is None:
            try:
                self._tls = RenewedContext.of(
                    "schema_registry_certificate_file",
                    self._load_files,
                    self._ca_file,
                    *self._certificate,
                )
            except Misconfigured as error:
                raise RegistryUnavailable(str(error)) from error
        self._tls.renew()
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls, limit=4),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT),
                headers={"Accept": ACCEPT, "Accept-Encoding": "identity"},
                # What is packed could be of any size once it is unpacked, and none is asked for.
                auto_decompress=False,
            )
        return self._session

    def _load_files(self, tls: ssl.SSLContext) -> None:
        setting = "CA_FILE"
        try:
            trust(tls, self._ca_file)
            certificate, key = self._certificate
            if certificate is not None:
                setting = "CERTIFICATE_FILE, or _KEY_FILE,"
                # Without a password it would ask the terminal for that of an encrypted key.
                tls.load_cert_chain(certificate, key, "")
        except (OSError, ssl.SSLError) as error:
            raise Misconfigured(
                f"TOCSIN_SCHEMA_REGISTRY_{setting} can't be used ({error})"
            ) from error


def registry_of(settings: Settings) -> Registry | None:
    """The registry that these settings name, if they do; raises Misconfigured."""
    if not settings.schema_registry:
        return None
    return Registry(
        settings.schema_registry,
        settings.schema_registry_user,
        settings.schema_registry_password,
        settings.schema_registry_ca_file,
        settings.schema_registry_certificate_file,
        settings.schema_registry_key_file,
    )


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise Misconfigured("TOCSIN_SCHEMA_REGISTRY is not an http or https URL.") from None
    if not is_usable or parts.query or parts.fragment:
        raise Misconfigured("TOCSIN_SCHEMA_REGISTRY is not an http or https URL.")
    if parts.username is not None:
        # It would be shown wherever the URL is.
        raise Misconfigured(
            "TOCSIN_SCHEMA_REGISTRY has a user in its URL. Set TOCSIN_SCHEMA_REGISTRY_USER and "
            "TOCSIN_SCHEMA_REGISTRY_PASSWORD instead."
        )
    return url


def _path(subject: str, version: Version) -> str:
    return f"subjects/{quote(subject, safe='')}/versions/{version}"


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _refusal(body: bytes) -> _Refusal:
    try:
        return msgspec.json.decode(body, type=_Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Refusal(0)


def _why(status: int, shown: str, body: bytes) -> str:
    if status in (401, 403):
        return (
            f"{shown} answers {status}: set TOCSIN_SCHEMA_REGISTRY_USER and _PASSWORD to those of "
            "an account that may read schemas"
        )
    if status == 404:
        return (
            f"{shown} answers 404 and not as a registry does: TOCSIN_SCHEMA_REGISTRY needs the "
            "path of its API as well, such as Apicurio's /apis/ccompat/v7"
        )
    said = _refusal(body).message[:MOST_SAID]
    return f"{shown} answers {status}" + (f" ({said})" if said else "")


def _reason(error: Exception) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            "nobody known vouches for its certificate; TOCSIN_SCHEMA_REGISTRY_CA_FILE names who may"
        )
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT:g} s"
    return f"{type(error).__name__}: {error}"[:MOST_SAID]
