"""What people may do by what their provider says of them, and how long cookies hold."""

from typing import Any

import pytest

from pipeline.settings import Settings
from schemas.errors import Misconfigured
from web.api.keys import PER_MINUTE, Scope
from web.login.attempt import LIFE, begin, challenge_of, read_attempt
from web.login.metadata import Unusable, read_metadata
from web.login.rights import Mapped, Rights
from web.login.session import begin_session, read_session, seal, session_key

NOW = 1_753_000_000
KEY = session_key(b"k" * 32, "https://id.example.com", "tocsin")
RIGHTS = {"oncall": ("operate", "read"), "support": ("read",), "*": ("send",)}


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"groups": ["oncall"]}, "operate read send"),
        ({"groups": "support"}, "read send"),
        ({"groups": ["support", 7, None, "unknown"]}, "read send"),
        ({"groups": ["Support"]}, "send"),
        ({"groups": {"oncall": True}}, "send"),
        ({}, "send"),
    ],
)
def test_scopes_are_those_of_all_values_of_the_claim(claims: Any, scopes: str) -> None:
    found = Mapped(Settings(oidc_rights=RIGHTS)).rights({"sub": "7", **claims})
    assert " ".join(sorted(found.scopes)) == scopes


def test_nobody_is_everybody_by_a_group_of_that_name() -> None:
    mapped = Mapped(Settings(oidc_rights={"oncall": ("operate",)}))
    assert mapped.rights({"sub": "7", "groups": ["*"]}).scopes == frozenset()


@pytest.mark.parametrize(
    ("claim", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["support"]}}),  # as Keycloak has it
        ("https://example.com/roles", {"https://example.com/roles": ["support"]}),  # as Auth0 does
    ],
)
def test_a_claim_is_a_name_or_a_path(claim: str, claims: Any) -> None:
    mapped = Mapped(Settings(oidc_rights=RIGHTS, oidc_claim=claim))
    assert Scope.READ in mapped.rights({"sub": "7", **claims}).scopes
    assert Scope.READ not in mapped.rights({"sub": "7", "realm_access": "support"}).scopes


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"email": "ada@example.com"}, "ada@example.com"),
        ({"email": "ada@example.com", "email_verified": True}, "ada@example.com"),
        ({"email": "boss@example.com", "email_verified": False}, "7"),
        ({"email": ["ada@example.com"]}, "7"),
        ({"email": "ada\n"}, "7"),
        ({"email": "a" * 195}, "7"),
        ({}, "7"),
    ],
)
def test_somebody_is_on_record_by_a_name_that_somebody_has_checked(claims: Any, name: str) -> None:
    assert Mapped(Settings(oidc_rights=RIGHTS)).rights({"sub": "7", **claims}).name == name


def test_a_person_of_no_tenant_may_nothing() -> None:
    mapped = Mapped(Settings(oidc_rights=RIGHTS, oidc_tenant_claim="org"))
    found = mapped.rights({"sub": "7", "org": "acme", "groups": ["support"]})
    assert found.tenant == "acme"
    assert found.scopes == {Scope.READ, Scope.SEND}
    for org in ({}, {"org": ""}, {"org": ["acme"]}):
        assert mapped.rights({"sub": "7", "groups": ["support"], **org}).scopes == frozenset()


def test_a_scope_that_there_is_not_is_refused_at_start() -> None:
    with pytest.raises(Misconfigured, match=r"TOCSIN_OIDC_RIGHTS .*'oncall', 'opperate'"):
        Mapped(Settings(oidc_rights={"oncall": ("opperate",)}))


def test_a_session_is_read_until_its_end_by_the_same_key_alone() -> None:
    rights = Rights("7", "ada", "acme", frozenset({Scope.READ}))
    session = begin_session(rights, NOW, 10)
    cookie = seal(session, KEY)
    assert read_session(cookie, KEY, NOW + 599) == session
    assert read_session(cookie, KEY, NOW + 600) is None
    assert (session.key.name, session.key.tenant) == ("login:ada", "acme")
    assert session.key.scopes == {Scope.READ}
    assert session.key.per_minute == PER_MINUTE
    for issuer, client in (
        ("https://other.example.com", "tocsin"),
        ("https://id.example.com", "x"),
    ):
        assert read_session(cookie, session_key(b"k" * 32, issuer, client), NOW) is None
    assert read_session(cookie[:-4] + "AAAA", KEY, NOW) is None
    assert read_session("", KEY, NOW) is None
    # Nor is what a browser keeps of a log-in that is under way.
    assert read_session(begin("/operator", KEY, NOW).cookie, KEY, NOW) is None
    assert session.proof(KEY) != begin_session(rights, NOW, 10).proof(KEY)


def test_a_log_in_that_is_under_way_is_one_browsers_and_has_an_end() -> None:
    attempt = begin("/operator", KEY, NOW)
    read = read_attempt(attempt.cookie, attempt.state, KEY, NOW + LIFE - 1)
    assert read == attempt
    assert read_attempt(attempt.cookie, attempt.state, KEY, NOW + LIFE) is None
    assert read_attempt(attempt.cookie, "", KEY, NOW) is None
    assert read_attempt(attempt.cookie, begin("/", KEY, NOW).state, KEY, NOW) is None
    assert read_attempt(attempt.cookie, attempt.state, b"o" * 32, NOW) is None
    assert len({attempt.state, attempt.nonce, attempt.verifier, attempt.challenge}) == 4
    assert attempt.verifier not in attempt.cookie


def test_the_challenge_of_the_rfc() -> None:
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


METADATA = (
    '{"issuer":"https://id.example.com","authorization_endpoint":"https://id.example.com/a",'
    '"token_endpoint":"https://id.example.com/t","jwks_uri":"https://id.example.com/k"}'
)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"issuer":"https://id', '"issuer":"https://evil', "calls itself"),
        ("https://id.example.com/t", "http://id.example.com/t", "no https URL"),
        ("https://id.example.com/k", "http://127.0.0.2:1/k", ""),
        ("https://id.example.com/k", "ftp://127.0.0.1/k", "no https URL"),
        ("https://id.example.com/k", "https:///k", "no https URL"),
        ('"jwks_uri"', '"other"', "jwks_uri"),
        ("{", "<html>", "can't be read"),
    ],
)
def test_what_a_provider_says_of_itself(old: str, new: str, why: str) -> None:
    body = METADATA.replace(old, new, 1).encode()
    if not why:
        assert read_metadata(body, "https://id.example.com").id_token_signing_alg_values_supported
        return
    with pytest.raises(Unusable, match=why):
        read_metadata(body, "https://id.example.com")
