"""Subscriber tokens: a user's own key to their own inbox, which the tenant's backend hands out."""

import hmac
from base64 import urlsafe_b64encode
from typing import NamedTuple

import jwt

from schemas.naming import is_name

AUDIENCE = "tocsin-inbox"
LIFE = 3600
"""Seconds that a token holds which we made."""
LONGEST = 86_400
"""Seconds ahead that a token may end: one that is lost must not open an inbox for good."""
_ALGORITHM = "HS256"


class Subscriber(NamedTuple):
    """Whose inbox it is."""

    tenant: str
    user: str


def subscriber_secret(key: bytes, tenant: str) -> str:
    """What a tenant's backend signs tokens with; it opens no other tenant's inboxes."""
    digest = hmac.digest(key, b"subscriber:" + tenant.encode(), "sha256")
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def make_token(secret: str, subscriber: Subscriber, now: int, life: int = LIFE) -> str:
    """A token from `now` (epoch seconds) on."""
    claims = {
        "aud": AUDIENCE,
        "iss": subscriber.tenant,
        "sub": subscriber.user,
        "exp": now + life,
    }
    return jwt.encode(claims, secret, _ALGORITHM)


def read_token(token: str, key: bytes, now: int) -> Subscriber | None:
    """Whose token it is at `now` (epoch seconds); None for what is forged, ended or another's."""
    if not key:
        return None
    try:
        # Only to learn whose secret to try: nothing of it is believed before that.
        claimed = jwt.decode(token, options={"verify_signature": False})
        tenant = claimed["iss"]
        claims = jwt.decode(
            token,
            subscriber_secret(key, tenant),
            [_ALGORITHM],
            audience=AUDIENCE,
            # By our clock, below.
            options={"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False},
        )
        user, end = claims["sub"], int(claims["exp"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError, AttributeError):
        return None
    if not isinstance(user, str) or not is_name(user) or not now < end <= now + LONGEST:
        return None
    return Subscriber(tenant, user)
