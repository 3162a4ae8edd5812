"""`tocsin webhooks secret` tells what the receiver needs, and nothing of the key it comes from."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result
from standardwebhooks.webhooks import Webhook

from cli.main import tocsin
from schemas.errors import Misconfigured, TocsinError, WrongUsage
from sinks.webhook.secret import signer

KEY, OLD = "k" * 32, "o" * 32
URL = "https://hooks.example.com/tocsin"


def run(*arguments: str, keys: str = KEY) -> Result:
    return CliRunner(env={"TOCSIN_WEBHOOK_KEYS": keys}).invoke(
        tocsin, ["webhooks", "secret", *arguments]
    )


def test_the_secret_verifies_what_is_signed_for_this_tenant_and_url() -> None:
    told = json.loads(run("--url", URL, "--tenant", "acme", "--json").output)
    now = datetime.now(UTC)
    signature = signer(KEY.encode(), "acme", URL).sign("m1", now, "{}")
    assert Webhook(told["secret"]).sign("m1", now, "{}") == signature
    assert told == {"tenant": "acme", "url": URL, "secret": told["secret"]}
    assert run("--url", URL, "--tenant", "acme").output.strip() == told["secret"]
    assert run("--url", URL).output.strip() != told["secret"]


def test_of_two_keys_the_first_counts() -> None:
    both = run("--url", URL, keys=f"{KEY}, {OLD}").output
    assert both == run("--url", URL).output != run("--url", URL, keys=OLD).output


@pytest.mark.parametrize(
    ("url", "keys", "kind", "said"),
    [
        ("https://10.0.0.1/x", KEY, WrongUsage, "10.0.0.1, which is not public"),
        ("http://hooks.example.com", KEY, WrongUsage, "without TLS"),
        (URL, "", Misconfigured, "TOCSIN_WEBHOOK_KEYS"),
        (URL, "short", Misconfigured, "TOCSIN_WEBHOOK_KEYS"),
    ],
)
def test_what_can_not_be(url: str, keys: str, kind: type[TocsinError], said: str) -> None:
    error = run("--url", url, keys=keys).exception
    assert isinstance(error, kind)
    assert said in str(error)
