"""Google's token endpoint: a signed claim of a service account becomes a bearer token."""

import secrets
import time
from urllib.parse import parse_qsl

import jwt
from aiohttp import web

from embedded.simulators.credentials import ServiceAccount
from embedded.simulators.reply import json_reply

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# Google's libraries claim this audience whatever token_uri the account names.
AUDIENCE = "https://oauth2.googleapis.com/token"
MESSAGING = {
    "https://www.googleapis.com/auth/firebase.messaging",
    "https://www.googleapis.com/auth/firebase",
    "https://www.googleapis.com/auth/cloud-platform",
}


class TokenIssuer:
    """Issues access tokens for one service account and knows which are good."""

    def __init__(self, account: ServiceAccount, lifetime: float = 3600.0) -> None:
        self.lifetime = lifetime
        self.issued = 0
        self._account = account
        self._key = account.public_key()
        self._expiry: dict[str, float] = {}

    def accepts(self, authorization: str) -> bool:
        """Whether an Authorization header carries a token that was issued and is not over."""
        scheme, _, token = authorization.partition(" ")
        return scheme == "Bearer" and self._expiry.get(token, 0.0) > time.time()

    def revoke(self) -> None:
        """Make every token issued so far invalid."""
        self._expiry.clear()

    async def grant(self, request: web.Request) -> web.Response:
        """`POST /token`: RFC 7523, answering errors as RFC 6749 has them."""
        form = dict(parse_qsl((await request.read()).decode()))
        if form.get("grant_type") != GRANT:
            return _denied("unsupported_grant_type", f"Invalid grant_type: must be {GRANT}")
        try:
            claim = jwt.decode(
                form.get("assertion", ""),
                self._key,
                algorithms=["RS256"],
                audience=[AUDIENCE, self._account.token_uri],
                issuer=self._account.client_email,
                options={"require": ["iat", "exp"]},
            )
        except jwt.InvalidTokenError:
            return _denied("invalid_grant", "Invalid JWT Signature.")
        if MESSAGING.isdisjoint(str(claim.get("scope", "")).split()):
            return _denied("invalid_scope", "No scope that may send messages was asked for.")
        return json_reply(self._issue())

    def _issue(self) -> dict[str, object]:
        token = f"ya29.{secrets.token_urlsafe(48)}"
        self.issued += 1
        self._expiry[token] = time.time() + self.lifetime
        return {"access_token": token, "expires_in": int(self.lifetime), "token_type": "Bearer"}


def denied(status: int) -> web.Response:
    """The endpoint out of order, or below 500 an account that was disabled."""
    if status < 500:
        return json_reply(
            {"error": "invalid_grant", "error_description": "Account disabled."}, status
        )
    return json_reply({"error": "internal_failure", "error_description": "Try later."}, status)


def _denied(error: str, description: str) -> web.Response:
    return json_reply({"error": error, "error_description": description}, 400)
