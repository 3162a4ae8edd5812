"""VAPID (RFC 8292): who we are, told to each push service in a signed token of its own."""

import base64
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from pipeline.clock import Clock
from schemas.errors import Misconfigured

LIFE = 12 * 3600  # seconds; RFC 8292 allows a day
RENEW_BEFORE = 3600


def decoded(text: str) -> bytes:
    """Unpadded base64url, as browsers write keys; raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(value: bytes) -> str:
    """The same without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


class Vapid:
    """Authorizations of one key, kept per push service until shortly before their end."""

    def __init__(self, key: str, subject: str, clock: Clock) -> None:
        self._text = key
        self._subject = subject
        self._clock = clock
        self._key: ec.EllipticCurvePrivateKey | None = None
        self._public = ""
        self._kept: dict[str, tuple[float, str]] = {}

    def check(self) -> None:
        """Raise Misconfigured for a key or a subject that push services would not take."""
        if not self._text:
            raise Misconfigured("TOCSIN_VAPID_PRIVATE_KEY is not set.")
        if not self._subject.startswith(("mailto:", "https:")):
            raise Misconfigured("TOCSIN_VAPID_SUBJECT is neither a mailto: nor an https: URL.")
        self._load()

    def authorization(self, endpoint: str) -> str:
        """The Authorization header for the push service of this endpoint."""
        parts = urlsplit(endpoint)
        origin = f"{parts.scheme}://{parts.netloc}"
        now = self._clock.now() / 1000
        until, header = self._kept.get(origin, (0.0, ""))
        if now >= until:
            key = self._load()
            claims = {"aud": origin, "exp": int(now) + LIFE, "sub": self._subject}
            header = f"vapid t={jwt.encode(claims, key, algorithm='ES256')}, k={self._public}"
            self._kept[origin] = now + LIFE - RENEW_BEFORE, header
        return header

    def _load(self) -> ec.EllipticCurvePrivateKey:
        if self._key is None:
            self._key = _read(self._text)
            point = self._key.public_key().public_bytes(
                Encoding.X962, PublicFormat.UncompressedPoint
            )
            self._public = encoded(point)
        return self._key


def _read(text: str) -> ec.EllipticCurvePrivateKey:
    try:
        if "BEGIN" in text:
            key = load_pem_private_key(text.replace("\\n", "\n").encode(), password=None)
        else:
            key = ec.derive_private_key(int.from_bytes(decoded(text)), ec.SECP256R1())
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise Misconfigured(
            "TOCSIN_VAPID_PRIVATE_KEY is no P-256 key, neither PEM nor its 32 bytes in base64url."
        )
    return key
