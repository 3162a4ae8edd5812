"""One log-in that is under way, from the page that asks for it until the provider sends it back."""

import hashlib
import hmac
import secrets

import jwt
from msgspec import Struct

from web.login.signed_cookie import derived, read, sign, unpadded

LIFE = 600
"""Seconds that somebody may take to log in at the provider."""
AUDIENCE = "tocsin-login"


class Attempt(Struct, frozen=True):
    """All secrets of one log-in follow from its seed and our key.

    So the browser keeps a cookie with the seed alone, and whoever reads that knows no verifier.
    `page` is where it began, `ends` its end (epoch seconds).
    """

    seed: str
    page: str
    ends: int
    key: bytes

    @property
    def state(self) -> str:
        """What the provider brings back, which shows that this browser began it."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the provider puts into the ID token, so that it counts for this log-in alone."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """By which the code is exchanged (RFC 7636, 4.1)."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier."""
        return challenge_of(self.verifier)

    @property
    def cookie(self) -> str:
        """What the browser keeps of it, signed."""
        return sign({"seed": self.seed, "page": self.page}, AUDIENCE, self.ends, self.key)

    def _derived(self, what: str) -> str:
        return derived(self.key, f"{what}:{self.seed}")


def begin(page: str, key: bytes, now: int) -> Attempt:
    """A log-in that begins at `now` (epoch seconds) on this page."""
    return Attempt(secrets.token_urlsafe(16), page, now + LIFE, key)


def read_attempt(cookie: str, state: str, key: bytes, now: int) -> Attempt | None:
    """The log-in of this cookie that `state` belongs to; None if forged, ended or another's."""
    try:
        claims = read(cookie, AUDIENCE, ("seed", "page"), key)
        found = Attempt(str(claims["seed"]), str(claims["page"]), int(claims["exp"]), key)
    except (jwt.InvalidTokenError, TypeError, ValueError):
        return None
    is_ours = hmac.compare_digest(found.state.encode(), state.encode(errors="replace"))
    return found if is_ours and now < found.ends else None


def challenge_of(verifier: str) -> str:
    """By the method S256 (RFC 7636, 4.2)."""
    return unpadded(hashlib.sha256(verifier.encode()).digest())
