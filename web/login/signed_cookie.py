"""What log-ins put into cookies: signed claims, with an end, that count for one purpose alone."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import jwt

_ALGORITHM = "HS256"


def sign(claims: Mapping[str, Any], audience: str, ends: int, key: bytes) -> str:
    """The cookie: `audience` is its purpose, `ends` its end (epoch seconds)."""
    return jwt.encode({"aud": audience, **claims, "exp": ends}, key, _ALGORITHM)


def read(cookie: str, audience: str, required: Iterable[str], key: bytes) -> dict[str, Any]:
    """Its claims, also after its end (`exp`), which is for the caller to compare with its clock.

    Raises jwt.InvalidTokenError for what is forged, of another purpose, or lacks a claim.
    """
    options: Any = {"require": ["exp", *required], "verify_exp": False}
    claims: dict[str, Any] = jwt.decode(
        cookie, key, [_ALGORITHM], audience=audience, options=options
    )
    return claims


def derived(key: bytes, what: str) -> str:
    """A text that follows from the key, and by which nobody finds it."""
    return unpadded(hmac.digest(key, what.encode(), "sha256"))


def unpadded(value: bytes) -> str:
    """In base64url without padding (RFC 4648, 5)."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()
