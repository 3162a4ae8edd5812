"""What a provider says of itself (OpenID Connect Discovery 1.0)."""

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from pipeline.private_urls import is_unreadable

PATH = "/.well-known/openid-configuration"


class Metadata(Struct, frozen=True):
    """Where it is asked for what, and what it can do."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False

    @property
    def endpoints(self) -> Iterator[str]:
        """All that it names."""
        yield from (self.authorization_endpoint, self.token_endpoint, self.jwks_uri)
        yield from filter(None, (self.userinfo_endpoint, self.end_session_endpoint))


class Unusable(Exception):
    """Nobody can be logged in by such a provider, with the reason."""


def read_metadata(body: bytes, issuer: str) -> Metadata:
    """What the provider of this name says; raises Unusable.

    It must have that very name, or one provider could speak for another.
    """
    try:
        found = msgspec.json.decode(body, type=Metadata)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"its metadata can't be read ({error})") from None
    if found.issuer != issuer:
        raise Unusable(f"it calls itself {found.issuer!r}, and not {issuer!r} as the setting does")
    for each in found.endpoints:
        if not is_unreadable(each):
            raise Unusable(f"{each} is no https URL")
    return found
