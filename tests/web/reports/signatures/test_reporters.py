"""Whose reports are taken, by which settings, and when."""

import pytest

from pipeline.settings import Settings
from schemas.vocabulary import Channel
from tests.web.reports.signatures.verifying import NOW, verified
from tests.web.signing import (
    SCHEMES,
    SETTINGS,
    URL,
)
from web.reports.incoming import BadSignature, Incoming, require_recent
from web.reports.registry import reporters_of


def test_each_has_a_name_and_a_channel() -> None:
    found = {each.name: (each.channel, each.is_set_up) for each in reporters_of(SETTINGS)}
    assert found == {
        "mailgun": (Channel.EMAIL, True),
        "postmark": (Channel.EMAIL, True),
        "resend": (Channel.EMAIL, True),
        "sendgrid": (Channel.EMAIL, True),
        "smtp": (Channel.EMAIL, True),
        "ses": (Channel.EMAIL, True),
        "plivo": (Channel.SMS, True),
        "twilio": (Channel.SMS, True),
        "twiliowhatsapp": (Channel.CHAT, True),
        "vonage": (Channel.SMS, True),
        "vonagemessages": (Channel.SMS, True),
        "vonagewhatsapp": (Channel.CHAT, True),
    }
    assert not any(each.is_set_up for each in reporters_of(Settings()))


@pytest.mark.parametrize(
    ("user", "password", "is_set_up"),
    [("u", "p", True), ("u", "", False), ("", "p", False)],
)
def test_postmark_takes_a_user_and_a_password(user: str, password: str, is_set_up: bool) -> None:
    secret = type(SETTINGS.postmark_webhook_password)(password)
    update = {"postmark_webhook_user": user, "postmark_webhook_password": secret}
    reporter = SCHEMES["postmark"].reporter(SETTINGS.model_copy(update=update))
    assert reporter.is_set_up is is_set_up


@pytest.mark.parametrize(
    ("user", "password", "is_set_up"),
    [("u", "p", True), ("u", "", False), ("", "p", False)],
)
def test_a_relay_has_a_user_and_a_password(user: str, password: str, is_set_up: bool) -> None:
    secret = type(SETTINGS.smtp_webhook_password)(password)
    update = {"smtp_webhook_user": user, "smtp_webhook_password": secret}
    reporter = SCHEMES["smtp"].reporter(SETTINGS.model_copy(update=update))
    assert reporter.is_set_up is is_set_up


@pytest.mark.parametrize(
    ("ago", "is_recent"),
    [(0, True), (300, True), (-300, True), (300.001, False), (-300.001, False)],
)
def test_what_is_recent(ago: float, is_recent: bool) -> None:
    if is_recent:
        require_recent(NOW / 1000 - ago, NOW, 300)
    else:
        with pytest.raises(BadSignature, match="signed too long ago"):
            require_recent(NOW / 1000 - ago, NOW, 300)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("Basic cG9zdG1hcms6cGFzc3dvcmQ=", ""),  # postmark:password
        ("Basic cG9zdG1hcms6cGFzc3dvcms=", "invalid user or password"),
        ("", "invalid user or password"),
        ("Basic \udcff", "invalid user or password"),
    ],
)
async def test_postmarks_user_and_password(given: str, said: str) -> None:
    headers = {"Authorization": given} if given else {}
    incoming = Incoming(method="POST", url=URL, headers=headers, body=b"{}")
    assert await verified("postmark", incoming) == said


@pytest.mark.parametrize("seconds", ["9" * 400, "9" * 5000, 10**400, float("nan")])
def test_a_time_beyond_all_counting_is_not_recent(seconds: str | float) -> None:
    with pytest.raises(BadSignature, match="signed too long ago"):
        require_recent(seconds, NOW, 300)


@pytest.mark.parametrize("name", ["vonage", "mailgun", "sendgrid", "vonagemessages"])
async def test_what_is_signed_for_such_a_time_is_refused(name: str) -> None:
    scheme = SCHEMES[name]
    signed = scheme.sign(scheme.delivered("t"), 10**400, "t")
    assert await verified(name, signed) == "signed too long ago"
