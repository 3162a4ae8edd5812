"""A token opens one user's inbox, for a while, and nothing else."""

import hmac
import time
from base64 import urlsafe_b64encode

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.naming import is_name
from web.gateway.token import (
    AUDIENCE,
    LONGEST,
    Subscriber,
    make_token,
    read_token,
    subscriber_secret,
)

KEY, NOW = b"k" * 32, int(time.time())
ANN = Subscriber("acme", "ann")
names = st.text(min_size=1, max_size=50).filter(is_name)


def test_a_tenants_secret_is_made_of_the_key_and_its_name() -> None:
    """It must stay as it is: tenants keep it in their backends."""
    digest = hmac.digest(KEY, b"subscriber:acme", "sha256")
    assert subscriber_secret(KEY, "acme") == urlsafe_b64encode(digest).decode().rstrip("=")


@given(names, names)
def test_a_token_says_whose_it_is(tenant: str, user: str) -> None:
    whose = Subscriber(tenant, user)
    token = make_token(subscriber_secret(KEY, tenant), whose, NOW)
    assert read_token(token, KEY, NOW) == whose


def signed(algorithm: str = "HS256", tenant: str = "acme", **claims: object) -> str:
    said = {"aud": AUDIENCE, "iss": tenant, "sub": "ann", "exp": NOW + 60, **claims}
    kept = {name: value for name, value in said.items() if value is not None}
    if algorithm == "none":
        return jwt.encode(kept, "", "none")
    # Twice as long, as that algorithm wants it.
    secret = subscriber_secret(KEY, "acme")
    return jwt.encode(kept, secret if algorithm == "HS256" else secret * 2, algorithm)


def test_what_a_backend_signs_itself_is_taken() -> None:
    assert read_token(signed(), KEY, NOW) == ANN


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x.y.z",
        signed(algorithm="none"),
        signed(algorithm="HS512"),
        signed(tenant="globex"),  # with acme's secret
        signed(aud="another"),
        signed(aud=None),
        signed(exp=None),
        signed(exp=NOW),
        signed(exp=NOW - 1),
        signed(exp=NOW + LONGEST + 1),
        signed(exp="soon"),
        signed(sub=None),
        signed(sub=""),
        signed(sub="x" * 201),
        signed(sub="ann\0"),
        signed(iss=None),
        signed()[:-2],
    ],
)
def test_others_are_refused(token: str) -> None:
    assert read_token(token, KEY, NOW) is None


def test_without_a_key_there_are_no_tokens() -> None:
    assert read_token(make_token(subscriber_secret(b"", "acme"), ANN, NOW), b"", NOW) is None


def test_a_changed_claim_breaks_it() -> None:
    head, _, tail = signed().split(".")
    _, body, _ = signed(sub="bob").split(".")
    assert read_token(f"{head}.{body}.{tail}", KEY, NOW) is None
