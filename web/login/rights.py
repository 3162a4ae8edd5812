"""What somebody who has logged in may do, by what the provider says of them."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pipeline.settings import Settings
from schemas.errors import Misconfigured
from schemas.naming import is_name
from web.api.keys import Scope

PREFIX = "login:"
"""Before a person's name, where a key has its own name."""
EVERYBODY = "*"
"""In place of a claim's value: all whom the provider logs in to this client."""


class Rights(NamedTuple):
    """Whom the provider names, and what they may do for which tenant. No scopes: nothing."""

    subject: str
    name: str
    tenant: str
    scopes: frozenset[Scope]


class Mapped:
    """From claims to rights, as the settings say."""

    def __init__(self, settings: Settings) -> None:
        """Raises Misconfigured for a scope that there is not."""
        self._scopes = dict(_scopes(settings.oidc_rights))
        self._claim = settings.oidc_claim
        self._name_claim = settings.oidc_name_claim
        self._tenant, self._tenant_claim = settings.oidc_tenant, settings.oidc_tenant_claim

    @property
    def claims(self) -> Iterator[str]:
        """The claims that it goes by."""
        yield from filter(None, (self._claim, self._name_claim, self._tenant_claim))

    def rights(self, claims: Mapping[str, Any]) -> Rights:
        """Of somebody of whom the provider says this."""
        values = (EVERYBODY, *_texts(claim_of(claims, self._claim)))
        scopes = frozenset[Scope]().union(*(self._scopes.get(each, ()) for each in values))
        tenant = self._tenant
        if self._tenant_claim:
            said = claim_of(claims, self._tenant_claim)
            tenant = said if isinstance(said, str) and is_name(said) else ""
        subject = str(claims["sub"])
        name = self._named(claims) or subject
        # A person without a tenant may nothing, rather than what the default one's may.
        return Rights(
            subject, name, tenant, scopes if tenant and is_name(PREFIX + name) else frozenset()
        )

    def _named(self, claims: Mapping[str, Any]) -> str:
        name = claim_of(claims, self._name_claim)
        # An address that nobody has checked may be anybody's.
        is_unchecked = self._name_claim == "email" and claims.get("email_verified") is False
        return name if isinstance(name, str) and is_name(PREFIX + name) and not is_unchecked else ""


def claim_of(claims: Mapping[str, Any], name: str) -> Any:
    """A claim by its name, or, where none has it, by a path with dots; None for none."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for step in name.split("."):
        if not isinstance(found, Mapping) or step not in found:
            return None
        found = found[step]
    return found


def _texts(value: Any) -> Iterator[str]:
    """One text, or those of a list. `*` is nobody's group."""
    each = value if isinstance(value, list) else [value]
    return (text for text in each if isinstance(text, str) and text != EVERYBODY)


def _scopes(rights: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, frozenset[Scope]]]:
    for value, scopes in rights.items():
        try:
            yield value, frozenset(map(Scope, scopes))
        except ValueError as error:
            known = ", ".join(Scope)
            raise Misconfigured(
                f"TOCSIN_OIDC_RIGHTS can't be used: of {value!r}, {error}; scopes are {known}."
            ) from None
