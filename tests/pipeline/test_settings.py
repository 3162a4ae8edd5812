"""Settings come from the variables that are given, and from nowhere else."""

from collections.abc import Mapping
from ipaddress import ip_address

import pytest
from pydantic import SecretStr, ValidationError

from pipeline.settings import Settings
from pipeline.variables import settings_of
from schemas.errors import Misconfigured


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


def test_settings_can_not_be_changed_while_a_process_runs() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().kafka = "elsewhere:1"


def test_what_a_setting_is_by_default_could_as_well_be_given() -> None:
    """So nobody meets a None where a text is promised, or a number out of its bounds."""
    defaults = {name: getattr(Settings(), name) for name in Settings.model_fields}
    assert Settings.model_validate(defaults) == Settings()


def test_no_secret_is_there_before_one_is_given() -> None:
    plain = Settings()
    secrets = [
        value
        for name in Settings.model_fields
        if isinstance(value := getattr(plain, name), SecretStr)
    ]
    assert len(secrets) > 10
    assert {secret.get_secret_value() for secret in secrets} == {""}


@pytest.mark.parametrize(
    "name",
    [
        "worker_name",
        "clickhouse_cluster",
        "apns_key_id",
        "apns_team_id",
        "apns_topic",
        "vapid_subject",
        "aws_region",
        "aws_access_key_id",
        "ses_configuration_set",
        "ses_url",
        "sns_url",
        "mailgun_domain",
        "smtp_url",
        "smtp_user",
        "smtp_bounce_domain",
        "twilio_account_sid",
        "vonage_api_key",
        "plivo_auth_id",
        "public_url",
        "sendgrid_webhook_key",
        "postmark_webhook_user",
        "smtp_webhook_user",
    ],
)
def test_whose_account_it_is_nobody_guesses(name: str) -> None:
    """Empty is how it is told that it was not set: such a thing is then left out, or refused."""
    assert getattr(Settings(), name) == ""


def test_nothing_is_trusted_or_allowed_that_was_not_said() -> None:
    plain = Settings()
    assert (plain.cors_origins, plain.private_endpoints, plain.ses_topics) == ((), (), ())
    assert (plain.fcm_credentials, plain.apns_key, plain.smtp_ca_file) == (None, None, None)
    assert plain.smtp_starttls is True
    assert (plain.track_opens, plain.track_clicks) == (True, True)
    for host in (plain.web_host, plain.query_host, plain.clickhouse_host):
        assert ip_address(host).is_loopback
    assert ip_address(plain.kafka.partition(":")[0]).is_loopback


def test_without_settings_parts_are_found_where_they_listen_when_nobody_set_them_either() -> None:
    """Kafka on 9092; ClickHouse on 8123, as its user and database `default` with no password."""
    plain = Settings()
    assert plain.kafka == "127.0.0.1:9092"
    assert (plain.clickhouse_host, plain.clickhouse_port) == ("127.0.0.1", 8123)
    assert (plain.clickhouse_user, plain.clickhouse_database) == ("default", "default")


PROVIDERS: Mapping[str, str] = {
    "fcm": "https://fcm.googleapis.com",
    "apns": "https://api.push.apple.com",
    "sendgrid": "https://api.sendgrid.com",
    "mailgun": "https://api.mailgun.net",
    "postmark": "https://api.postmarkapp.com",
    "resend": "https://api.resend.com",
    "twilio": "https://api.twilio.com",
    "vonage": "https://rest.nexmo.com",
    "plivo": "https://api.plivo.com",
    "telegram": "https://api.telegram.org",
    "slackapp": "https://slack.com/api",
}
"""Where these say that their APIs are."""


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_is_called_where_it_says_itself_that_it_is(name: str) -> None:
    assert getattr(Settings(), f"{name}_url") == PROVIDERS[name]


def test_each_channel_has_a_provider_before_one_is_chosen() -> None:
    plain = Settings()
    assert plain.push_providers == "fcm"
    assert plain.email_providers == "sendgrid"
    assert plain.sms_providers == "twilio"
    assert plain.chat_providers == "slack,teams,discord"
    assert plain.webhook_providers == "standard"
    assert (plain.email_uncertain, plain.sms_uncertain) == ("resend", "resend")


DOCUMENTED: Mapping[str, float] = {
    "fan_out_threshold": 1000,
    "inbox_size": 1000,
    "tenant_share": 1000,
    "user_requests_per_minute": 600,
    "tenant_requests_per_minute": 120_000,
    "tenant_erasures_per_minute": 600,
    "web_connections": 10_000,
    "web_connections_per_address": 200,
    "web_idle_seconds": 75,
    "web_body_seconds": 30,
    "report_window": 300,
    "bounce_days": 180,
    "session_timeout": 6,
    "bad_share": 0.5,
}
"""Limits that an installation has which set none, in whose documents and dashboards they stand."""


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_limit_that_nobody_set_stays_what_it_is_from_release_to_release(name: str) -> None:
    assert getattr(Settings(), name) == DOCUMENTED[name]


@pytest.mark.parametrize(
    ("name", "text", "fits"),
    [
        ("worker_name", "rack-7.eu_1", True),
        ("worker_name", "n" * 200, True),
        ("worker_name", "n" * 201, False),
        ("worker_name", "rack 7", False),
        ("partitions", "4096", True),
        ("partitions", "4097", False),
        ("replication", "0", False),
        ("clickhouse_port", "65535", True),
        ("clickhouse_port", "65536", False),
        ("clickhouse_port", "0", False),
        ("query_port", "0", True),
        ("web_port", "65536", False),
        ("metrics_port", "65535", True),
        ("fcm_per_minute", "60", True),
        ("fcm_per_minute", "59", False),
        ("calls_in_flight", "4", True),
        ("calls_in_flight", "3", False),
        ("inbox_size", "10000", True),
        ("inbox_size", "10001", False),
        ("session_timeout", "1", True),
        ("session_timeout", "0.9", False),
        ("bytes_in_flight", "1048576", True),
        ("bytes_in_flight", "1048575", False),
        ("bad_share", "1", True),
        ("bad_share", "1.01", False),
        ("bad_share", "0", False),
        ("provider_timeout", "0", False),
        ("public_url", "u" * 200, True),
        ("public_url", "u" * 201, False),
        ("web_idle_seconds", "0", False),
        ("bounce_days", "0", False),
        ("smtp_connections", "0", False),
    ],
)
def test_what_can_not_work_is_refused_and_what_can_is_not(
    name: str, text: str, *, fits: bool
) -> None:
    variable = {f"TOCSIN_{name.upper()}": text}
    if fits:
        settings_of(variable)
        return
    with pytest.raises(Misconfigured, match=f"TOCSIN_{name.upper()}"):
        settings_of(variable)


LOGIN = {
    "TOCSIN_OIDC_ISSUER": "https://id.example.com",
    "TOCSIN_OIDC_CLIENT_ID": "tocsin",
    "TOCSIN_OIDC_RIGHTS": '{"oncall": ["operate", "read"]}',
    "TOCSIN_PUBLIC_URL": "https://tocsin.example.com",
    "TOCSIN_SIGNING_KEY": "k" * 32,
}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({}, None),
        (
            {"TOCSIN_OIDC_ISSUER": "http://127.0.0.1:9", "TOCSIN_PUBLIC_URL": "http://localhost"},
            None,
        ),
        ({"TOCSIN_PAGES_URL": "https://desk.example.com"}, None),
        ({"TOCSIN_OIDC_ISSUER": "http://id.example.com"}, "OIDC_ISSUER"),
        ({"TOCSIN_PAGES_URL": "http://desk.example.com"}, "PAGES_URL"),
        ({"TOCSIN_PUBLIC_URL": "http://tocsin.example.com"}, "PUBLIC_URL"),
        ({"TOCSIN_PUBLIC_URL": ""}, "PUBLIC_URL"),
        ({"TOCSIN_SIGNING_KEY": ""}, "SIGNING_KEY"),
        ({"TOCSIN_OIDC_CLIENT_ID": ""}, "OIDC_CLIENT_ID"),
        ({"TOCSIN_OIDC_RIGHTS": "{}"}, "OIDC_RIGHTS"),
        ({"TOCSIN_OIDC_SCOPE": "email"}, "OIDC_SCOPE"),
    ],
)
def test_a_log_in_that_can_not_work_is_refused_at_start(
    change: dict[str, str], named: str | None
) -> None:
    if named is None:
        assert settings_of({**LOGIN, **change}).oidc_issuer
        return
    with pytest.raises(Misconfigured, match=f"^TOCSIN_{named} can't be used"):
        settings_of({**LOGIN, **change})
