"""What is said of settings for getting in that are ignored, missing or of no use."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import SecretStr

from pipeline.kafka.brokers import Access
from pipeline.variables import settings_of
from schemas.errors import Misconfigured
from tests.certificates import Authority, private_pem
from tests.pipeline.test_access import authority as authority


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"USER": "alice"}, "KAFKA_USER can't be used: the security protocol is PLAINTEXT"),
        ({"CA_FILE": "ca.pem"}, "KAFKA_CA_FILE can't be used: the security protocol is PLAINTEXT"),
        ({"SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_USER can't be used: .* nobody is named"),
        ({"SECURITY_PROTOCOL": "sasl"}, "KAFKA_SECURITY_PROTOCOL can't be used: .*'SASL_SSL'"),
        (
            {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "OAUTHBEARER", "USER": "a"},
            "KAFKA_TOKEN_URL can't be used: it has to be a URL with https",
        ),
        (
            {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "AWS_MSK_IAM"},
            "KAFKA_SASL_MECHANISM can't be used: AWS_MSK_IAM takes TOCSIN_AWS_REGION",
        ),
        ({"SECURITY_PROTOCOL": "SSL", "KEY_FILE": "k"}, "KAFKA_KEY_FILE can't be used: it comes"),
        *(
            (
                {
                    "SECURITY_PROTOCOL": "SASL_SSL",
                    "SASL_MECHANISM": "OAUTHBEARER",
                    "USER": "a",
                    "TOKEN_URL": url,
                },
                "KAFKA_TOKEN_URL can't be used: it has to be a URL",
            )
            for url in (
                "https://[bad/",
                "https://h:port/x",
                "https://h/a b",
                "http://h/",
                "https://",
            )
        ),
    ],
)
def test_what_would_be_ignored_or_is_missing_is_said(given: dict[str, str], said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        settings_of({f"TOCSIN_KAFKA_{name}": text for name, text in given.items()})


def test_files_that_can_not_be_used(tmp_path: Path, authority: Authority) -> None:
    missing, empty = tmp_path / "missing.pem", tmp_path / "empty.pem"
    empty.touch()
    for file in (missing, empty):
        with pytest.raises(Misconfigured, match="TOCSIN_KAFKA_CA_FILE can't be used"):
            _ = Access(protocol="SSL", ca_file=file).options
        with pytest.raises(Misconfigured, match="TOCSIN_KAFKA_CERTIFICATE_FILE and"):
            _ = Access(protocol="SSL", ca_file=authority.file, certificate_file=file).options


def test_a_key_behind_a_password(tmp_path: Path, authority: Authority) -> None:
    own = authority.issue("erin")
    key = serialization.load_pem_private_key(own.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(private_pem(key, b"open"))  # type: ignore[arg-type]
    access = Access(
        protocol="SSL", ca_file=authority.file, certificate_file=own, key_file=locked,
        key_password=SecretStr("open"),
    )  # fmt: skip
    assert access.options["ssl_context"]
    with pytest.raises(Misconfigured, match="TOCSIN_KAFKA_KEY_FILE can't be used"):
        _ = replace(access, key_password=SecretStr("shut")).options
