"""How whoever calls a webhook proves that they are who they say, by a secret that both know."""

import hmac
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256

TOLERANCE_MS = 300_000
"""How old a signed request may be, either way; clocks differ, and what is older is sent again."""
Check = Callable[[bytes, Mapping[str, str], bytes, int], bool]


def _github(secret: bytes, headers: Mapping[str, str], body: bytes, now: int) -> bool:
    scheme, _, given = headers.get("x-hub-signature-256", "").partition("=")
    return scheme == "sha256" and _is(given, secret, body)


def _stripe(secret: bytes, headers: Mapping[str, str], body: bytes, now: int) -> bool:
    pairs = [each.strip().partition("=") for each in headers.get("stripe-signature", "").split(",")]
    moments = [text for name, _, text in pairs if name == "t"]
    if len(moments) != 1 or not (moments[0].isascii() and moments[0].isdigit()):
        return False
    if len(moments[0]) > 12 or abs(int(moments[0]) * 1000 - now) > TOLERANCE_MS:
        return False
    signed = moments[0].encode() + b"." + body
    return any(_is(text, secret, signed) for name, _, text in pairs if name == "v1")


def _is(given: str, secret: bytes, signed: bytes) -> bool:
    expected = hmac.new(secret, signed, sha256).hexdigest()
    return given.isascii() and hmac.compare_digest(expected, given)


_SCHEMES: Mapping[str, Check] = {"github": _github, "stripe": _stripe}


def is_signed(
    scheme: str, secrets: Iterable[str], headers: Mapping[str, str], body: bytes, now: int
) -> bool:
    """Whether one of the secrets has signed it, at `now` (epoch ms); names of headers are small."""
    check = _SCHEMES[scheme]
    return any(check(secret.encode(), headers, body, now) for secret in secrets)
