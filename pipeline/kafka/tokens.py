"""Tokens with which a client logs in to Kafka, fetched or signed again before they expire."""

import asyncio
import base64
import json
import ssl
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import OAuthAuthenticator
from aiokafka.errors import AuthenticationFailedError, KafkaError
from pydantic import SecretStr

from pipeline.basic_auth import basic

TIMEOUT = 10.0
"""Seconds for a token; each connection waits for it."""
SPARE = 0.2
"""Share of a token's life before whose end the next one is fetched."""
LEAST_LIFE = 60.0
"""Seconds that count where it is not said how long a token lives."""
MOST_SAID = 200
"""Bytes of what a broker says of a token that it refuses."""
MSK_LIFE = 900
"""Seconds for which a signature of AWS counts; MSK takes no longer one."""


def heed_refused_tokens() -> None:
    """Have all of this process's clients know when a broker refuses a token; more calls change
    nothing.

    The broker says so in place of an empty answer (RFC 7628, 3.2.2). Kafka's client doesn't read
    it, takes itself for logged in and asks for ever.
    """
    step = OAuthAuthenticator.step
    if getattr(step, "heeds", False):
        return

    async def step_and_heed(authenticator: OAuthAuthenticator, payload: bytes | None) -> Any:
        if payload:
            raise AuthenticationFailedError(payload[:MOST_SAID].decode(errors="replace"))
        return await step(authenticator, payload)

    step_and_heed.heeds = True  # type: ignore[attr-defined]
    OAuthAuthenticator.step = step_and_heed


class NoToken(KafkaError):
    """No token can be had, so that nobody can log in."""


class Tokens(AbstractTokenProvider):
    """Of an authorization server, for a client's id and secret (RFC 6749, 4.4).

    One token serves all connections until it is about to end.
    """

    def __init__(
        self, url: str, user: str, secret: SecretStr, scope: str, ca_file: Path | None
    ) -> None:
        self._url, self._scope = url, scope
        parts = urlsplit(url)
        # Without what may be secret in it.
        self._shown = f"{parts.scheme}://{parts.hostname}:{parts.port or ''}{parts.path}"
        self._user, self._secret = user, secret
        self._ca_file = ca_file
        self._token = ""
        self._until = 0.0
        self._fetching = asyncio.Lock()

    async def token(self) -> str:
        """One that still lives for a while; raises NoToken."""
        async with self._fetching:
            if time.monotonic() >= self._until:
                begin = time.monotonic()
                self._token, life = await asyncio.to_thread(self._fetch)
                self._until = begin + life * (1 - SPARE)
            return self._token

    def _fetch(self) -> tuple[str, float]:
        form = {"grant_type": "client_credentials"} | (
            {"scope": self._scope} if self._scope else {}
        )
        authorization = basic(self._user, self._secret.get_secret_value())
        request = urllib.request.Request(  # noqa: S310 - settings take https and loopback only
            self._url,
            urlencode(form).encode(),
            {"Authorization": authorization, "Accept": "application/json"},
        )
        # Whom this system trusts, besides: who gives tokens to all of a company often has a
        # certificate for the web, and its brokers one of the company's own.
        context = ssl.create_default_context()
        if self._ca_file is not None:
            context.load_verify_locations(self._ca_file)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT, context=context) as reply:  # noqa: S310
                found: dict[str, Any] = json.load(reply)
            token = found["access_token"]
            if not isinstance(token, str) or not token:
                raise ValueError("access_token is no text")
            return token, float(found.get("expires_in") or LEAST_LIFE)
        except urllib.error.HTTPError as error:
            raise NoToken(f"{self._shown} gives no token: it answers {error.code}") from error
        except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
            raise NoToken(f"{self._shown} gives no token: {error!r}") from error


class MskTokens(AbstractTokenProvider):
    """For Amazon MSK: a signed request to connect, made with AWS credentials and sent as a token.

    The form is that of AWS's own signers (github.com/aws/aws-msk-iam-sasl-signer-python).
    """

    def __init__(self, region: str, access_key_id: str = "", secret_access_key: str = "") -> None:
        self._region = region
        self._keys = access_key_id, secret_access_key

    async def token(self) -> str:
        """A signature of this moment; raises NoToken where there are no credentials."""
        return await asyncio.to_thread(self._sign)

    def _sign(self) -> str:
        # Imported late: it takes a quarter of a second, and only those on MSK need it.
        from botocore.auth import SigV4QueryAuth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        from botocore.session import get_session

        found = Credentials(*self._keys) if all(self._keys) else get_session().get_credentials()
        if found is None:
            raise NoToken("there are no AWS credentials, in the settings or on this machine")
        host = f"kafka.{self._region}.amazonaws.com"
        request = AWSRequest("GET", f"https://{host}/", params={"Action": "kafka-cluster:Connect"})
        SigV4QueryAuth(found, "kafka-cluster", self._region, expires=MSK_LIFE).add_auth(request)
        url = f"{request.url}&{urlencode({'User-Agent': 'tocsin'})}"
        return base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
