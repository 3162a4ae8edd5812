"""Which ID tokens are believed: the specification's own example, and all that must not be."""

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from web.login.id_token import Expected, Jwk, NotBelieved, UnknownKey, claims_of

EXAMPLE = (
    "eyJraWQiOiIxZTlnZGs3IiwiYWxnIjoiUlMyNTYifQ.ewogImlzcyI6ICJodHRwczovL3NlcnZlci5leGFtcGxlLmNvbSIs"
    "CiAic3ViIjogIjI0ODI4OTc2MTAwMSIsCiAiYXVkIjogInM2QmhkUmtxdDMiLAogIm5vbmNlIjogIm4tMFM2X1d6QTJNaiIs"
    "CiAiZXhwIjogMTMxMTI4MTk3MCwKICJpYXQiOiAxMzExMjgwOTcwLAogImF0X2hhc2giOiAiNzdRbVVQdGpQZnpXdEYyQW5w"
    "SzlSUSIKfQ.kdqTmftlaXg5WBYBr1wkxhkqCGZPc0k8vTiV5g2jj67jQ7XkrDamYx2bOkZLdZrpMPIzkdYB1nZI_G8vQGQua"
    "mRhJcEIt21kblGPZ-yhEhdkAiZIZLu38rChalDS2Mh0glE_rke5XXRhmqqoEFFdziFdnO3p61-7y51co84OEAZvARSINQaOW"
    "IzvioRfs4zwIFOaT33Vpxfqr8HDyh31zo9eBW2dSQuCa071z0ENWChWoPliK1JCo_Bk9eDg2uwo2ZwhsvHzj6TMQ0lYOTzuf"
    "SlSmXIKfjlOsb3nftQeR697_hA-nMZyAdL8_NRfaC37XnAbW8WB9wCfECp7cuNuOg"
)
"""OpenID Connect Core 1.0, appendix A.3."""
MODULUS = (
    "w7Zdfmece8iaB0kiTY8pCtiBtzbptJmP28nSWwtdjRu0f2GFpajvWE4VhfJAjEsOcwYzay7XGN0b-X84BfC8hmCT"
    "Oj2b2eHT7NsZegFPKRUQzJ9wW8ipn_aDJWMGDuB1XyqT1E7DYqjUCEOD1b4FLpy_xPn6oV_TYOfQ9fZdbE5HGxJU"
    "zekuGcOKqOQ8M7wfYHhHHLxGpQVgL0apWuP2gDDOdTtpuld4D2LK1MZK99s9gaSjRHE8JDb1Z4IGhEcEyzkxswVd"
    "PndUWzfvWBBWXWxtSUvQGBRkuy1BHOa4sP6FKjWEeeF7gm7UMs2Nm2QUgNZw6xvEDGaLk4KASdIxRQ"
)
EXAMPLE_KEY = {
    "kty": "RSA",
    "kid": "1e9gdk7",
    "n": MODULUS,
    "e": "AQAB",
}
"""The same, appendix A.7."""
NOW = 1_753_000_000
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
EXPECTED = Expected("https://id.example.com", "tocsin", "n-1")
TRUE = {
    "iss": EXPECTED.issuer,
    "sub": "ada",
    "aud": "tocsin",
    "nonce": "n-1",
    "iat": NOW,
    "exp": NOW + 60,
}
ALL = ("RS256", "PS256", "ES256", "HS256", "none")


def public(key: Any, **fields: str) -> Jwk:
    """As a provider shows it."""
    kind: Any = jwt.algorithms.RSAAlgorithm if key is KEY else jwt.algorithms.ECAlgorithm
    return {**kind.to_jwk(key.public_key(), as_dict=True), **fields}


KEYS = [public(KEY, kid="a", use="sig"), public(CURVE, kid="b")]


def token(key: Any = KEY, algorithm: str = "RS256", kid: str | None = "a", **claims: Any) -> str:
    """Of somebody who says all that is true, but for this; None is left out."""
    said = {name: value for name, value in {**TRUE, **claims}.items() if value is not None}
    return jwt.encode(said, key, algorithm, {"kid": kid} if kid else None)


def test_the_example_of_the_specification() -> None:
    expected = Expected("https://server.example.com", "s6BhdRkqt3", "n-0S6_WzA2Mj")
    claims = claims_of(EXAMPLE, [EXAMPLE_KEY], expected, 1_311_281_000, ["RS256"])
    assert claims["sub"] == "248289761001"
    with pytest.raises(NotBelieved, match="it has ended"):
        claims_of(EXAMPLE, [EXAMPLE_KEY], expected, NOW, ["RS256"])
    with pytest.raises(NotBelieved, match="Signature"):
        head, _, signature = EXAMPLE.split(".")
        other = token().split(".")[1]
        claims_of(f"{head}.{other}.{signature}", [EXAMPLE_KEY], expected, NOW, ["RS256"])


@pytest.mark.parametrize(
    "made",
    [
        token(),
        token(CURVE, "ES256", "b"),
        token(KEY, "PS256"),
        token(kid=None),
        token(aud=["tocsin"]),
        token(aud=["tocsin", "other"], azp="tocsin"),
        token(exp=NOW - 59),
        token(iat=NOW + 59),
    ],
)
def test_what_is_believed(made: str) -> None:
    assert claims_of(made, KEYS, EXPECTED, NOW, ALL)["sub"] == "ada"


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ("", "no token"),
        ("a.b.c", "no token"),
        (token("", "none"), "'none', which is not taken"),
        (token("a secret of thirty-two bytes, or so", "HS256"), "'HS256', which is not taken"),
        (token(rsa.generate_private_key(public_exponent=65537, key_size=2048)), "Signature"),
        (token(CURVE, "ES256", "a"), "none of the provider's"),  # by a key of another kind
        (token(kid="c"), "'c' is none of the provider's"),
        (token(iss="https://other.example.com"), "issuer"),
        (token(aud="other"), "udience"),
        (token(aud=["tocsin", "other"]), "another client"),
        (token(azp="other"), "another client"),
        (token(nonce="n-2"), "another log-in"),
        (token(nonce=None), "another log-in"),
        (token(exp=NOW - 60), "it has ended"),
        (token(iat=NOW + 61), "of a time to come"),
        (token(nbf=NOW + 61), "of a time to come"),
        (token(sub=None), "sub"),
        (token(exp=None), "exp"),
        (token(sub=""), "names nobody"),
        (token(exp="soon"), "no numbers"),
    ],
)
def test_what_is_not(made: str, why: str) -> None:
    with pytest.raises(NotBelieved, match=why):
        claims_of(made, KEYS, EXPECTED, NOW, ALL)


def test_a_provider_signs_by_what_it_says_it_does() -> None:
    with pytest.raises(NotBelieved, match="'ES256', which is not taken"):
        claims_of(token(CURVE, "ES256", "b"), KEYS, EXPECTED, NOW, ["RS256"])


def test_keys_for_other_uses_and_algorithms_are_passed_over() -> None:
    for field in ({"use": "enc"}, {"alg": "RS512"}):
        with pytest.raises(UnknownKey):
            claims_of(token(), [public(KEY, kid="a", **field)], EXPECTED, NOW, ALL)
    two = [public(KEY, kid="a"), public(KEY, kid="c")]
    with pytest.raises(NotBelieved, match="by which"):
        claims_of(token(kid=None), two, EXPECTED, NOW, ALL)
    # What we can't read is no obstacle to what we can.
    odd: list[Jwk] = [{"kty": "RSA", "kid": "a"}, {"kty": "odd", "kid": "a"}, *KEYS]
    assert claims_of(token(), odd, EXPECTED, NOW, ALL)["sub"] == "ada"
