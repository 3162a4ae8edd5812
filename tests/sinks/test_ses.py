"""Amazon SES: signed calls, whose fault a refused mail is, what a mail carries."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from policy.tracking.ticket import Purpose, read_ticket
from schemas.vocabulary import Channel, Reason
from sinks.email.ses import Ses
from sinks.provider import TransientFailure
from tests.sinks.rig import Case, Rig

SES = Case(
    kind=Ses,
    channel=Channel.EMAIL,
    address="user{}@example.com",
    invalid="nobody",
    dead=Reason.REJECTED,
    misconfigured=[
        ({"aws_region": ""}, "TOCSIN_AWS_REGION is not set"),
        ({"aws_access_key_id": ""}, "TOCSIN_AWS_ACCESS_KEY_ID is not set"),
        ({"aws_secret_access_key": ""}, "TOCSIN_AWS_SECRET_ACCESS_KEY is not set"),
        ({"ses_url": "ses"}, "TOCSIN_SES_URL"),
        ({"email_from": "me"}, "TOCSIN_EMAIL_FROM"),
    ],
)

alone = pytest.mark.parametrize("rig", ["ses"], indirect=True)


@alone
@pytest.mark.parametrize(
    "update",
    [
        {"aws_secret_access_key": SecretStr("another")},
        {"aws_access_key_id": "AKIAOTHER"},
        {"aws_region": "us-east-1"},
        {"email_from": "me@home"},
    ],
)
async def test_a_refused_setting_loses_nobody(rig: Rig, update: dict[str, object]) -> None:
    settings = rig.settings.model_copy(update=update)
    outcome = await replace(rig, provider=Ses(settings, rig.http)).send()
    assert isinstance(outcome, TransientFailure)
    assert outcome.reason is Reason.UNAUTHORIZED
    assert rig.witnessed() == []


@alone
async def test_tags_and_headers_tell_the_way_back(rig: Rig) -> None:
    assert isinstance(rig.provider, Ses)
    mail = rig.provider.mail_of(rig.delivery(7, type="order shipped!", user="u" * 200))
    tags = {tag.name: tag.value for tag in mail.email_tags}
    assert tags["type"] == "order_shipped_"
    text = tags["ticket0"] + tags["ticket1"]
    key = rig.settings.signing_key.get_secret_value().encode()
    ticket = read_ticket(text, Purpose.REPORT, key)
    assert ticket is not None
    assert ticket.user == "u" * 200
    headers = {header.name: header.value for header in mail.content.simple.headers}
    start, link = f"<{rig.settings.public_url}/unsubscribe/", headers["List-Unsubscribe"]
    assert link.startswith(start)
    leave = read_ticket(link.removeprefix(start)[:-1], Purpose.UNSUBSCRIBE, key)
    assert leave is not None
    assert leave.user == "u" * 200


@alone
def test_the_url_follows_from_the_region(rig: Rig) -> None:
    settings = rig.settings.model_copy(update={"ses_url": "", "aws_region": "eu-west-1"})
    assert Ses(settings, rig.http)._url.startswith("https://email.eu-west-1.amazonaws.com/v2/")
