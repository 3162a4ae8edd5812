"""The login of Amazon's Kafka, as its own library has it."""

import base64
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
from botocore.credentials import CredentialProvider, Credentials

from pipeline.kafka.tokens import MskTokens, NoToken


async def test_msk_is_asked_as_its_own_library_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle is AWS's signer for Kafka clients in Python."""
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    for module in ("botocore.auth", "botocore.compat"):
        monkeypatch.setattr(f"{module}.get_current_datetime", lambda **_: now, raising=False)
    ours = await MskTokens("eu-west-1", "AKIDEXAMPLE", "secret").token()
    theirs, _ = MSKAuthTokenProvider.generate_auth_token_from_credentials_provider(
        "eu-west-1", Static()
    )
    assert asked(ours) == asked(theirs)


class Static(CredentialProvider):
    """The same credentials for theirs."""

    def load(self) -> Credentials:
        return Credentials("AKIDEXAMPLE", "secret")


def asked(token: str) -> tuple[str, dict[str, list[str]]]:
    """The request in a token; who sends it is no part of what is signed."""
    url = urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    query = parse_qs(url.query)
    del query["User-Agent"]
    return url.netloc + url.path, query


async def test_no_credentials_for_msk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.session.Session.get_credentials", lambda _: None)
    with pytest.raises(NoToken, match="no AWS credentials"):
        await MskTokens("eu-west-1").token()
