"""Who is logged in: a signed cookie, which every web process can read, with an end."""

import hmac
import secrets

import jwt
from msgspec import Struct

from web.api.keys import PER_MINUTE, ApiKey, Scope
from web.login.rights import PREFIX, Rights
from web.login.signed_cookie import derived, read, sign

AUDIENCE = "tocsin-session"


class Session(Struct, frozen=True):
    """Somebody's, until `ends` (epoch seconds). It can't be taken back before: log-out removes the
    cookie, and a copy of that counts until the end."""

    id: str
    subject: str
    name: str
    tenant: str
    scopes: frozenset[Scope]
    ends: int

    @property
    def key(self) -> ApiKey:
        """What the API takes it for."""
        name = f"{PREFIX}{self.name}"
        return ApiKey(
            name=name, sha256="", tenant=self.tenant, scopes=self.scopes, per_minute=PER_MINUTE
        )

    def proof(self, key: bytes) -> str:
        """What a page sends with what it changes: no other site's page can read it."""
        return derived(key, f"proof:{self.id}")


def session_key(signing_key: bytes, issuer: str, client_id: str) -> bytes:
    """What signs cookies: those of another provider or client count no more."""
    return hmac.digest(signing_key, f"login:{issuer} {client_id}".encode(), "sha256")


def begin_session(rights: Rights, now: int, minutes: int) -> Session:
    """Of somebody who may do this, from `now` (epoch seconds) on."""
    return Session(secrets.token_urlsafe(16), *rights, now + 60 * minutes)


def seal(session: Session, key: bytes) -> str:
    """The cookie."""
    claims = {
        "jti": session.id,
        "sub": session.subject,
        "name": session.name,
        "tenant": session.tenant,
        "scopes": sorted(session.scopes),
    }
    return sign(claims, AUDIENCE, session.ends, key)


def read_session(cookie: str, key: bytes, now: int) -> Session | None:
    """Whose it is at `now` (epoch seconds); None for what is forged or has ended."""
    try:
        claims = read(cookie, AUDIENCE, ("jti", "sub", "name", "tenant", "scopes"), key)
        found = Session(
            id=claims["jti"],
            subject=claims["sub"],
            name=claims["name"],
            tenant=claims["tenant"],
            # A scope that a newer process knows is nothing to this one.
            scopes=frozenset(Scope(each) for each in claims["scopes"] if each in list(Scope)),
            ends=int(claims["exp"]),
        )
    except (jwt.InvalidTokenError, TypeError, ValueError):
        return None
    return found if now < found.ends else None
