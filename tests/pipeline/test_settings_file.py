"""A file of settings: what it says, what wins over it, and what of it is refused."""

from pathlib import Path

import pytest
import tomli_w

from pipeline.settings import Settings
from pipeline.variables import settings_of
from schemas.errors import Misconfigured


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tocsin.toml"


def read(file: Path, content: dict[str, object], **variables: str) -> Settings:
    file.write_text(tomli_w.dumps(content))
    return settings_of({"TOCSIN_SETTINGS": str(file), **variables})


def test_what_it_says_is_as_if_variables_said_it(file: Path) -> None:
    content: dict[str, object] = {
        "kafka": "broker:9092",
        "partitions": 24,
        "clickhouse_tls": True,
        "provider_timeout": 2.5,
        "catalogue": "/etc/catalogue",
        "cors_origins": ["https://example.com"],
        "web_proxies": ["10.0.0.0/8"],
        "sms_senders": {"DE": "Shop"},
    }
    assert read(file, content) == settings_of(
        {
            "TOCSIN_KAFKA": "broker:9092",
            "TOCSIN_PARTITIONS": "24",
            "TOCSIN_CLICKHOUSE_TLS": "true",
            "TOCSIN_PROVIDER_TIMEOUT": "2.5",
            "TOCSIN_CATALOGUE": "/etc/catalogue",
            "TOCSIN_CORS_ORIGINS": '["https://example.com"]',
            "TOCSIN_WEB_PROXIES": '["10.0.0.0/8"]',
            "TOCSIN_SMS_SENDERS": '{"DE": "Shop"}',
        }
    )


def test_variables_win(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the file\n")
    content = {"kafka": "broker:9092", "partitions": 24, "signing_key_file": str(secret)}
    found = read(file, content, TOCSIN_PARTITIONS="8", TOCSIN_SIGNING_KEY="of the variable")
    assert (found.kafka, found.partitions) == ("broker:9092", 8)
    assert found.signing_key.get_secret_value() == "of the variable"
    other = tmp_path / "other"
    other.write_text("of the variable's file")
    found = read(file, content, TOCSIN_SIGNING_KEY_FILE=str(other))
    assert found.signing_key.get_secret_value() == "of the variable's file"


def test_secrets_stand_in_files_that_it_names(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("sesame\n")
    found = read(file, {"signing_key_file": str(secret)})
    assert found.signing_key.get_secret_value() == "sesame"
    with pytest.raises(Misconfigured) as refused:
        read(file, {"signing_key": "sesame"})
    said = str(refused.value)
    assert said.startswith(f"signing_key in {file} can't be used: it is a secret; ")
    assert "signing_key_file" in said
    assert "sesame" not in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"kakfa": "a:1"}, "kakfa in FILE can't be used: there is no such setting; "
                           "do you mean kafka?"),
        ({"Kafka": "a:1"}, "Kafka in FILE can't be used: there is no such setting; "
                           "do you mean kafka?"),
        ({"kafka_file": "a"}, "kafka_file in FILE can't be used: there is no such setting"),
        ({"qqqq": 1}, "qqqq in FILE can't be used: there is no such setting. Nothing"),
        ({"kafka": {"user": "a"}}, "kafka in FILE can't be used: Input should be a valid string"),
        ({"partitions": "many"}, "partitions in FILE can't be used: Input should be a valid int"),
        ({"kafka": "nowhere"}, "kafka in FILE can't be used: nowhere is no address"),
        ({"prefix": "delivery-"}, "prefix in FILE can't be used: with it, a topic"),
        ({"kafka_user": "a"}, "kafka_user in FILE can't be used: the security protocol"),
        ({"signing_key_file": "/missing"}, "signing_key_file in FILE can't be used: /missing"),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_said_with_its_key_and_the_file(
    file: Path, content: dict[str, object], said: str
) -> None:
    with pytest.raises(Misconfigured) as refused:
        read(file, content)
    assert str(refused.value).startswith(said.replace("FILE", str(file)))


def test_a_variable_is_named_where_it_is_the_one_that_is_wrong(file: Path) -> None:
    with pytest.raises(Misconfigured, match=r"^TOCSIN_PARTITIONS can't be used"):
        read(file, {"partitions": 8}, TOCSIN_PARTITIONS="0")
    with pytest.raises(Misconfigured, match=r"^TOCSIN_KAFKA can't be used: nowhere is no address"):
        read(file, {"kafka": "a:1"}, TOCSIN_KAFKA="nowhere")


def test_a_file_that_is_none(file: Path) -> None:
    with pytest.raises(Misconfigured, match=r"TOCSIN_SETTINGS can't be used: .* can't be read"):
        settings_of({"TOCSIN_SETTINGS": str(file)})
    file.write_text("kafka: a:1")
    with pytest.raises(Misconfigured, match=r"TOCSIN_SETTINGS can't be used: .* is not TOML"):
        settings_of({"TOCSIN_SETTINGS": str(file)})
    assert settings_of({"TOCSIN_SETTINGS": ""}) == Settings()
