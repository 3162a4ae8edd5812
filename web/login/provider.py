"""A company's OpenID provider: what it says of itself, its keys, and whom it has logged in."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp

from pipeline.basic_auth import basic
from pipeline.clock import Clock
from pipeline.settings import Settings
from pipeline.tls import trusting
from schemas.errors import Unavailable
from web.login.attempt import Attempt
from web.login.id_token import Claims, Expected, Jwk, NotBelieved, UnknownKey, claims_of
from web.login.metadata import PATH, Metadata, Unusable, read_metadata
from web.login.rights import claim_of

TIMEOUT_SECONDS = 10.0
"""For one answer of the provider's."""
MOST_BYTES = 1 << 20
"""Of one answer."""
KEPT_SECONDS = 3600.0
"""For which its metadata and keys are used: a key that it has withdrawn counts no longer."""


class NotLoggedIn(Exception):
    """The provider, or its answer, lets this person not in; the reason, for a person to read."""


class Provider:
    """Asked over HTTP. What it said is kept for KEPT_SECONDS."""

    def __init__(
        self, settings: Settings, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Raises Misconfigured for authorities that can't be used."""
        self._issuer = settings.oidc_issuer
        self._client_id = settings.oidc_client_id
        self._client_secret = settings.oidc_client_secret
        self._scope = settings.oidc_scope
        self._tls = trusting("TOCSIN_OIDC_CA_FILE", settings.oidc_ca_file)
        self._clock = clock
        self._monotonic = monotonic
        self._session: aiohttp.ClientSession | None = None
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, list[Jwk]] | None = None
        self._reading = asyncio.Lock()

    async def close(self) -> None:
        """End its connections."""
        if self._session is not None:
            await self._session.close()

    async def begin_url(self, attempt: Attempt, redirect: str) -> str:
        """Where somebody logs in (RFC 6749, 4.1.1); raises Unavailable."""
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect,
            "scope": self._scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return _with((await self.metadata()).authorization_endpoint, query)

    async def end_url(self, back: str) -> str:
        """Where somebody logs out of the provider too; `back` where it has no such place."""
        try:
            place = (await self.metadata()).end_session_endpoint
        except Unavailable:
            return back
        query = {"client_id": self._client_id, "post_logout_redirect_uri": back}
        return _with(place, query) if place else back

    async def logged_in(
        self, answer: Mapping[str, str], attempt: Attempt, redirect: str, wanted: Iterable[str]
    ) -> Claims:
        """What the provider says of who comes back with this answer, at `wanted` claims at least.

        What the ID token leaves out is asked for. Raises NotLoggedIn and Unavailable.
        """
        metadata = await self.metadata()
        self._require_ours(answer, metadata)
        given = await self._exchanged(metadata, answer.get("code", ""), attempt, redirect)
        claims = await self._believed(metadata, given.get("id_token"), attempt)
        missing = any(claim_of(claims, each) is None for each in wanted)
        if missing and metadata.userinfo_endpoint:
            claims = await self._completed(metadata, claims, given.get("access_token"))
        return claims

    async def metadata(self) -> Metadata:
        """What it says of itself; raises Unavailable."""
        async with self._reading:
            now = self._monotonic()
            if self._metadata is None or now - self._metadata[0] >= KEPT_SECONDS:
                _, body = await self._answer("GET", self._issuer.rstrip("/") + PATH)
                try:
                    self._metadata = now, read_metadata(body, self._issuer)
                except Unusable as error:
                    raise Unavailable(f"Nobody can log in by {self._issuer}: {error}.") from None
            return self._metadata[1]

    async def key_count(self) -> int:
        """How many keys it shows; raises Unavailable."""
        return len(await self._read_keys(await self.metadata(), 0))

    def _require_ours(self, answer: Mapping[str, str], metadata: Metadata) -> None:
        said = answer.get("iss")
        # RFC 9207: or the answer of another provider could be passed off as this one's.
        if said is None and metadata.authorization_response_iss_parameter_supported:
            raise NotLoggedIn("the answer does not say which provider it is of")
        if said is not None and said != metadata.issuer:
            raise NotLoggedIn("the answer is of another provider")
        if "error" in answer:
            why = answer.get("error_description") or answer["error"]
            raise NotLoggedIn(f"the provider says: {why[:200]}")
        if not answer.get("code"):
            raise NotLoggedIn("the provider's answer has no code")

    async def _exchanged(
        self, metadata: Metadata, code: str, attempt: Attempt, redirect: str
    ) -> Mapping[str, Any]:
        secret = self._client_secret.get_secret_value()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": attempt.verifier,
        }
        headers = {}
        methods = metadata.token_endpoint_auth_methods_supported
        if not secret:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in methods or "client_secret_post" not in methods:
            # Each is a form's value first (RFC 6749, 2.3.1).
            pair = (quote(each, safe="") for each in (self._client_id, secret))
            headers["Authorization"] = basic(*pair)
        else:
            form |= {"client_id": self._client_id, "client_secret": secret}
        status, body = await self._answer(
            "POST", metadata.token_endpoint, urlencode(form), headers, also=(400, 401)
        )
        given = _object(body, "The provider's token")
        if status != 200:
            why = given.get("error_description") or given.get("error") or status
            raise NotLoggedIn(f"the provider gives no token: {str(why)[:200]}")
        return given

    async def _believed(self, metadata: Metadata, token: Any, attempt: Attempt) -> Claims:
        if not isinstance(token, str):
            raise NotLoggedIn("the provider gives no ID token; is openid in TOCSIN_OIDC_SCOPE?")
        expected = Expected(self._issuer, self._client_id, attempt.nonce)
        algorithms = metadata.id_token_signing_alg_values_supported
        # Of now, not of when the browser came back: what is asked above may take seconds.
        now = self._clock.now() // 1000
        try:
            keys = await self._read_keys(metadata, KEPT_SECONDS)
            try:
                return claims_of(token, keys, expected, now, algorithms)
            except UnknownKey:
                # Nobody but the provider could have us look: the token comes from there.
                keys = await self._read_keys(metadata, 0)
                return claims_of(token, keys, expected, now, algorithms)
        except NotBelieved as error:
            raise NotLoggedIn(f"the ID token is not believed: {error}") from None

    async def _read_keys(self, metadata: Metadata, oldest_seconds: float) -> list[Jwk]:
        async with self._reading:
            now = self._monotonic()
            if self._keys is None or now - self._keys[0] >= oldest_seconds:
                _, body = await self._answer("GET", metadata.jwks_uri)
                keys = _object(body, "The provider's keys").get("keys")
                found = keys if isinstance(keys, list) else []
                self._keys = now, [each for each in found if isinstance(each, dict)]
            return self._keys[1]

    async def _completed(self, metadata: Metadata, claims: Claims, token: Any) -> Claims:
        headers = {"Authorization": f"Bearer {token}"}
        _, body = await self._answer("GET", metadata.userinfo_endpoint, headers=headers)
        more = _object(body, "What the provider says of a person")
        # Core 1.0, 5.3.2: or it may be about somebody else.
        if more.get("sub") != claims["sub"]:
            raise NotLoggedIn("what the provider adds is about another person")
        return {**more, **claims}

    async def _answer(
        self,
        method: str,
        url: str,
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        also: tuple[int, ...] = (),
    ) -> tuple[int, bytes]:
        form = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        headers = {"Accept": "application/json", **form, **(headers or {})}
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, ssl=self._tls, allow_redirects=False
            ) as reply:
                if reply.status not in (200, *also):
                    raise Unavailable(f"The provider answers {reply.status} at {url}.")
                read = b""
                async for some in reply.content.iter_any():
                    read += some
                    if len(read) > MOST_BYTES:
                        raise Unavailable(f"The provider's answer at {url} is too long.")
                return reply.status, read
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = str(error) or "no answer in time"
            raise Unavailable(f"The provider can't be asked at {url}: {why}.") from error


def _object(body: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable(f"{what} can't be read.")
    return found


def _with(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
