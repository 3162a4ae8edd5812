"""Settings come from the variables that are given, and from nowhere else."""

import pytest

from pipeline.errors import Misconfigured
from pipeline.settings import Settings, settings_of


def test_variables_that_are_not_given_count_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCSIN_KAFKA", "elsewhere:1")
    monkeypatch.setenv("TOCSIN_INBOX_SIZE", "7")
    assert settings_of({}) == Settings()
    assert settings_of({"TOCSIN_PARTITIONS": "3"}).kafka == "127.0.0.1:9092"
    assert Settings(partitions=3).inbox_size == 1000


def test_lists_and_tables_are_json_and_all_else_is_as_it_stands() -> None:
    found = settings_of(
        {
            "TOCSIN_CORS_ORIGINS": '["https://a.example", "*"]',
            "TOCSIN_SMS_PRICES": '{"DE": 0.07}',
            "TOCSIN_CLICKHOUSE_PASSWORD": "[secret",
            "TOCSIN_SIGNING_KEY": '{"not": "a table"}',
            "TOCSIN_TRACK_OPENS": "false",
            "HOME": "/root",
        }
    )
    assert found.cors_origins == ("https://a.example", "*")
    assert found.sms_prices == {"DE": 0.07}
    assert found.clickhouse_password.get_secret_value() == "[secret"
    assert found.signing_key.get_secret_value() == '{"not": "a table"}'
    assert found.track_opens is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOCSIN_CORS_ORIGINS", "https://a.example"),
        ("TOCSIN_CORS_ORIGINS", "[1"),
        ("TOCSIN_CORS_ORIGINS", "{}"),
        ("TOCSIN_SMS_PRICES", '{"DE": "dear"}'),
        ("TOCSIN_SMS_SENDERS", "DE"),
        ("TOCSIN_PARTITIONS", "0"),
        ("TOCSIN_EMAIL_UNCERTAIN", "maybe"),
    ],
)
def test_what_can_not_be_used_is_one_sentence_with_the_name(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=rf"^{name} can't be used: .+\. Nothing was started\.$"):
        settings_of({name: value})
