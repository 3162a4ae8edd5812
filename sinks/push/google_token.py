"""Access tokens of a Google service account, by firebase-admin, without blocking the loop."""

import asyncio
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import Any

from firebase_admin import credentials
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request

from pipeline.clock import Clock
from pipeline.replaced_files import ReplacedFiles, renewed
from schemas.errors import Misconfigured
from schemas.vocabulary import Reason
from sinks.provider import TransientFailure

REFRESH_AHEAD = 300_000  # ms before its end that a token is replaced, while it still serves
MARGIN = 10_000  # ms before its end that a token is no longer used: calls take time
PAUSE = 2_000  # ms between two failed fetches, whatever number of messages asks
MAX_DETAIL = 200  # characters of Google's own words


class AccessTokens:
    """One token at a time for everyone; one fetch at a time, in a thread."""

    def __init__(self, file: Path | None, timeout: float, clock: Clock) -> None:
        """`file` is the service account's; `timeout` is seconds for one fetch."""
        self._file = file
        self._timeout = timeout
        self._clock = clock
        self._certificate: Any = None
        self._replaced = ReplacedFiles(file, monotonic=lambda: clock.now() / 1000)
        self._token = ""
        self._expires_at = 0  # epoch ms
        self._fetching: asyncio.Task[None] | None = None
        self._failure: TransientFailure | None = None
        self._failed_at = 0  # epoch ms

    def load(self) -> str:
        """Read the file, once until it is replaced, and return its project; raises Misconfigured.

        What replaces it and can't be used changes nothing, and is logged.
        """
        if self._certificate is None:
            self._certificate = self._read()
        elif self._replaced.changed():
            new = renewed("fcm_credentials", self._read)
            if new is not None:
                self._certificate, self._expires_at = new, 0
        return str(self._certificate.project_id)

    def _read(self) -> Any:
        if self._file is None:
            raise Misconfigured("TOCSIN_FCM_CREDENTIALS is not set.")
        try:
            return credentials.Certificate(str(self._file))
        except (OSError, ValueError) as error:
            # Not the error's text: a parser may quote the key that it stumbled over.
            raise Misconfigured(
                f"TOCSIN_FCM_CREDENTIALS is not a service account file: {self._file} "
                f"({type(error).__name__})."
            ) from None

    async def token(self) -> str | TransientFailure:
        """A token good for one call, or why there is none now; raises Misconfigured."""
        if self._certificate is not None:
            self.load()
        left = self._expires_at - self._clock.now()
        if left > REFRESH_AHEAD:
            return self._token
        fetching = self._fetch_once()
        if left > MARGIN:
            return self._token
        if fetching is not None:
            # Shielded: one cancelled sender must not take the token from all others.
            await asyncio.shield(fetching)
        if self._expires_at - self._clock.now() > 0:
            return self._token
        return self._failure or TransientFailure(Reason.UNAUTHORIZED, "no access token")

    def discard(self, token: str) -> None:
        """Drop a token that was refused, unless another took its place meanwhile."""
        if token == self._token:
            self._expires_at = 0

    def _fetch_once(self) -> asyncio.Task[None] | None:
        if self._fetching is None or self._fetching.done():
            if self._failure is not None and self._clock.now() - self._failed_at < PAUSE:
                return None
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        self.load()
        google = self._certificate.get_credential()
        request = partial(Request(), timeout=self._timeout)
        try:
            await asyncio.to_thread(google.refresh, request)
        except (GoogleAuthError, TypeError, AttributeError, ValueError) as error:
            # google-auth trips with plain Python errors over a reply that is no JSON object.
            self._failure = _failure_of(error)
            self._failed_at = self._clock.now()
        else:
            self._failure = None
            self._token = google.token
            self._expires_at = int(google.expiry.replace(tzinfo=UTC).timestamp() * 1000)


def _failure_of(error: Exception) -> TransientFailure:
    if isinstance(error, TransportError):
        return TransientFailure(
            Reason.UNREACHABLE, "no access token: the token endpoint can't be reached"
        )
    elif isinstance(error, RefreshError):
        said = f"no access token: {str(error.args[0])[:MAX_DETAIL]}"
        reason = Reason.PROVIDER_ERROR if error.retryable else Reason.UNAUTHORIZED
        return TransientFailure(reason, said)
    return TransientFailure(
        Reason.UNREADABLE_REPLY, "no access token: the token endpoint's reply is odd"
    )
