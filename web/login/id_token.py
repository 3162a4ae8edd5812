"""ID tokens: which are believed (OpenID Connect Core 1.0, 3.1.3.7), by keys and a time as given."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import jwt

ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""By a key pair alone: what a shared secret signs, anybody who has that may have made."""
LEEWAY = 60
"""Seconds that the provider's clock may differ from ours."""
Jwk = Mapping[str, Any]
Claims = Mapping[str, Any]


class NotBelieved(Exception):
    """An ID token that proves nothing, with the reason."""


class UnknownKey(NotBelieved):
    """Its key is not among these; a provider that has changed its keys has others."""


class Expected(NamedTuple):
    """What the token has to say: who made it, for whom and in answer to what."""

    issuer: str
    client_id: str
    nonce: str


def claims_of(
    token: str, keys: Sequence[Jwk], expected: Expected, now: int, algorithms: Iterable[str]
) -> Claims:
    """What a token says at `now` (epoch seconds) by one of these keys; raises NotBelieved.

    `algorithms` are those that the provider says it signs with.
    """
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise NotBelieved(f"it is no token ({error})") from None
    algorithm = header["alg"]
    if algorithm not in ALGORITHMS or algorithm not in algorithms:
        raise NotBelieved(f"it is signed by {algorithm!r}, which is not taken")
    claims = _verified(token, _keys(keys, header.get("kid"), algorithm), algorithm, expected)
    _require_times(claims, now)
    _require_recipient(claims, expected)
    return claims


def _keys(keys: Sequence[Jwk], kid: Any, algorithm: str) -> list[jwt.PyJWK]:
    found = []
    for each in keys:
        is_named = kid is None or each.get("kid") == kid
        is_for_this = each.get("use", "sig") == "sig" and each.get("alg", algorithm) == algorithm
        if is_named and is_for_this:
            try:
                found.append(jwt.PyJWK(dict(each), algorithm))
            except (jwt.PyJWTError, ValueError, TypeError):
                continue  # of another kind than this algorithm's
    if not found:
        raise UnknownKey(f"its key {kid!r} is none of the provider's")
    if len(found) > 1:
        raise NotBelieved("it does not say by which of the provider's keys it is signed")
    return found


def _verified(token: str, keys: Sequence[jwt.PyJWK], algorithm: str, expected: Expected) -> Claims:
    try:
        return jwt.decode(
            token,
            keys[0],
            [algorithm],
            audience=expected.client_id,
            issuer=expected.issuer,
            options={
                "require": ["iss", "sub", "aud", "exp", "iat"],
                # By our clock.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.InvalidTokenError as error:
        raise NotBelieved(str(error)) from None


def _require_times(claims: Claims, now: int) -> None:
    try:
        is_over = now - LEEWAY >= float(claims["exp"])
        begins = max(float(claims["iat"]), float(claims.get("nbf", 0)))
    except (TypeError, ValueError):
        raise NotBelieved("its times are no numbers") from None
    if is_over:
        raise NotBelieved("it has ended")
    if begins > now + LEEWAY:
        raise NotBelieved("it is of a time to come: compare the clocks")


def _require_recipient(claims: Claims, expected: Expected) -> None:
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode(), expected.nonce.encode()
    ):
        raise NotBelieved("it answers another log-in")
    audience, party = claims["aud"], claims.get("azp")
    is_shared = isinstance(audience, list) and len(audience) > 1
    if party != expected.client_id and (is_shared or party is not None):
        raise NotBelieved("it was made for another client")
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise NotBelieved("it names nobody")
