"""Provider tokens for Apple: who we are, signed with the key that Apple gave us."""

from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pipeline.clock import Clock
from pipeline.settings import Settings
from schemas.errors import Misconfigured

RENEW_MS = 40 * 60_000
"""Apple wants a token to be at least 20 minutes old when it is replaced, and at most 60."""


class ProviderTokens:
    """The token of one key, made anew when it grows old; signing takes no call."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._path = settings.apns_key
        self._key_id = settings.apns_key_id
        self._team_id = settings.apns_team_id
        self._clock = clock
        self._key: ec.EllipticCurvePrivateKey | None = None
        self._header = ""
        self._made_at = 0

    def check(self) -> None:
        """Raise Misconfigured for ids that are missing and a file that holds no such key."""
        if not self._key_id:
            raise Misconfigured("TOCSIN_APNS_KEY_ID is not set.")
        if not self._team_id:
            raise Misconfigured("TOCSIN_APNS_TEAM_ID is not set.")
        self._load()

    def authorization(self) -> str:
        """An Authorization header with a token that is good for now."""
        now = self._clock.now()
        if not self._header or now - self._made_at >= RENEW_MS:
            claims = {"iss": self._team_id, "iat": now // 1000}
            headers = {"kid": self._key_id}
            token = jwt.encode(claims, self._load(), algorithm="ES256", headers=headers)
            self._header = f"bearer {token}"
            self._made_at = now
        return self._header

    def discard(self, header: str) -> None:
        """Apple does not take this one any more: the next is made anew."""
        if header == self._header:
            self._header = ""

    def _load(self) -> ec.EllipticCurvePrivateKey:
        if self._key is None:
            self._key = _read(self._path)
        return self._key


def _read(path: Path | None) -> ec.EllipticCurvePrivateKey:
    if path is None:
        raise Misconfigured("TOCSIN_APNS_KEY is not set; it is the .p8 file that Apple hands out.")
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise Misconfigured(f"TOCSIN_APNS_KEY: {path} is not a .p8 key file.") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise Misconfigured(f"TOCSIN_APNS_KEY: {path} holds no P-256 key.")
    return key
