"""The secret by which one receiver knows our webhooks, made from the key of the installation.

So none has to be stored, and whoever knows one receiver's secret knows no other's.
"""

import hmac
from base64 import b64encode

from standardwebhooks.webhooks import Webhook

from pipeline.settings import Settings
from schemas.errors import Misconfigured

LEAST = 32
"""Characters of a key."""
PREFIX = "whsec_"
"""By which secrets of Standard Webhooks are known."""


def keys_of(settings: Settings) -> list[bytes]:
    """The keys that secrets are made from, the present one first; raises Misconfigured."""
    return keys_in(settings.webhook_keys.get_secret_value())


def keys_in(text: str) -> list[bytes]:
    """The keys that the setting's text lists, the present one first; raises Misconfigured."""
    keys = [key.strip() for key in text.split(",")]
    if not 1 <= len(keys) <= 2 or any(len(key) < LEAST for key in keys):
        raise Misconfigured(
            f"TOCSIN_WEBHOOK_KEYS is not set to one key of {LEAST} characters or more, or to two "
            "with a comma between."
        )
    return [key.encode() for key in keys]


def secret_of(key: bytes, tenant: str, url: str) -> str:
    """The secret to hand to whoever receives webhooks at a URL for a tenant."""
    return PREFIX + b64encode(_secret(key, tenant, url)).decode()


def signer(key: bytes, tenant: str, url: str) -> Webhook:
    """What signs with that secret."""
    return Webhook(_secret(key, tenant, url))


def _secret(key: bytes, tenant: str, url: str) -> bytes:
    return hmac.digest(key, f"{len(tenant)}:{tenant}{url}".encode(), "sha256")
