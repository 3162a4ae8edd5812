"""Replies that are nearly a provider's: text that is no UTF-8, and brackets without an end."""

from collections.abc import Callable
from typing import Any

import pytest

from sinks.chat import slack_app, telegram
from sinks.email import mailgun, postmark, resend, sendgrid, ses
from sinks.http.client import Reply
from sinks.provider import Sent, TransientFailure
from sinks.push import apns, fcm
from sinks.sms import plivo, twilio, vonage
from sinks.sms.sms_provider import Text
from sinks.twilio import outcome_of as by_twilio
from sinks.vonage import outcome_of as by_vonage

TEXT = Text(
    to="+4930123456", sender="Shop", body="Hi", is_gsm=True, segments=1, cost=0.0, callback=""
)
Meaning = Callable[[Reply], Any]
MEANINGS: dict[str, tuple[Meaning, bytes]] = {
    "apns": (apns.outcome_of, b'{"reason": "%b"}'),
    "fcm": (fcm.outcome_of, b'{"name": "%b", "error": {"message": ""}}'),
    "mailgun": (mailgun.outcome_of, b'{"message": "%b"}'),
    "plivo": (lambda reply: plivo.outcome_of(reply, TEXT), b'{"message_uuid": ["%b"]}'),
    "postmark": (
        lambda reply: postmark.outcomes_of(reply, 1)[0],
        b'[{"ErrorCode": 0, "Message": "%b"}]',
    ),
    "resend": (lambda reply: resend.outcomes_of(reply, 1)[0], b'{"data": [{"id": "%b"}]}'),
    "sendgrid": (lambda reply: sendgrid.outcome_of(reply, 1), b'{"errors": [{"message": "%b"}]}'),
    "ses": (ses.outcome_of, b'{"MessageId": "%b"}'),
    "slackapp": (slack_app.outcome_of, b'{"ok": true, "ts": "%b"}'),
    "telegram": (telegram.outcome_of, b'{"result": "%b"}'),
    "twilio": (lambda reply: twilio.outcome_of(reply, TEXT), b'{"sid": "%b"}'),
    "twiliowhatsapp": (lambda reply: by_twilio(reply, Sent), b'{"sid": "%b"}'),
    "vonagemessages": (lambda reply: by_vonage(reply, Sent), b'{"message_uuid": "%b"}'),
    "vonage": (lambda reply: vonage.outcome_of(reply, TEXT), b'{"messages": [{"status": "%b"}]}'),
}
"""By provider, what a reply means to it, and one with room for a text."""
STATUSES = {"apns": 500, "sendgrid": 500}


@pytest.mark.parametrize("name", MEANINGS)
def test_what_can_not_be_decoded_is_tried_again(name: str) -> None:
    """And ends no sink: whoever stands between may have garbled it."""
    meaning, form = MEANINGS[name]
    for body in (form % b"\xff", b'{"other": ' + b"[" * 100_000):
        reply = Reply(STATUSES.get(name, 200), {}, body, 0.0)
        assert isinstance(meaning(reply), TransientFailure)
