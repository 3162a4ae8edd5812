"""Replies with a field of another form than documented: they end no sink, and prove no success.

Each reply of the tables beside this one is taken, and each of its fields holds whatever JSON can.
"""

import importlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec
import pytest

from pipeline.settings import Settings
from schemas.vocabulary import Reason
from sinks.chat import slack_app, telegram
from sinks.chat.discord import Discord
from sinks.chat.hooks import Hooks
from sinks.chat.slack import Slack
from sinks.chat.teams import Teams
from sinks.email import mailgun, postmark, resend, sendgrid, ses
from sinks.email.sendgrid import Blame
from sinks.http.client import HttpClient, Reply
from sinks.provider import Fault, Outcome, PermanentFailure, Sent, TransientFailure
from sinks.push import apns, fcm, webpush
from sinks.sms import plivo, sns, vonage
from sinks.twilio import outcome_of as by_twilio
from sinks.vonage import outcome_of as by_vonage
from tests.odd_json import changed
from tests.sinks.replies import test_bots, test_chat
from tests.sinks.replies.table import TEXT, Row

Outcomes = Callable[[Reply], list[Outcome | Blame]]


def one(meaning: Callable[[Reply], Outcome | Blame]) -> Outcomes:
    """What one message has of a reply."""
    return lambda reply: [meaning(reply)]


def by_hook(kind: type[Hooks]) -> Outcomes:
    """What a platform's hooks make of a reply."""
    hooks = cache(lambda: kind(Settings(), HttpClient(1, 1)))
    return lambda reply: [hooks().outcome_of(reply, "the delivery's id")]


MEANINGS: dict[str, Outcomes] = {
    "apns": one(apns.outcome_of),
    "fcm": one(fcm.outcome_of),
    "webpush": one(webpush.outcome_of),
    "mailgun": one(mailgun.outcome_of),
    "postmark": lambda reply: list(postmark.outcomes_of(reply, 2)),
    "resend": lambda reply: list(resend.outcomes_of(reply, 2)),
    "sendgrid": one(lambda reply: sendgrid.outcome_of(reply, 2)),
    "ses": one(ses.outcome_of),
    "plivo": one(lambda reply: plivo.outcome_of(reply, TEXT)),
    "sns": one(lambda reply: sns.outcome_of(reply, TEXT)),
    "twilio": one(lambda reply: by_twilio(reply, Sent)),
    "vonage": one(lambda reply: vonage.outcome_of(reply, TEXT)),
    "vonage_messages": one(lambda reply: by_vonage(reply, Sent)),
    "telegram": one(telegram.outcome_of),
    "slackapp": one(slack_app.outcome_of),
    "slack": by_hook(Slack),
    "discord": by_hook(Discord),
    "teams": by_hook(Teams),
}
OTHERS = {
    "telegram": test_bots.TELEGRAM,
    "slackapp": test_bots.SLACK,
    "slack": test_chat.SLACK,
    "discord": test_chat.DISCORD,
    "teams": test_chat.TEAMS,
}
SUCCESS = {"ok", "status", "ErrorCode", "index", "errors", "data"}
"""Fields that say by themselves, in a 200, whether a message was taken."""


def rows(provider: str) -> list[Row]:
    """The documented replies, and those of public reports."""
    if provider in OTHERS:
        return OTHERS[provider]
    found: list[Row] = importlib.import_module(f"tests.sinks.replies.test_{provider}").ROWS
    return found


def odd_replies(provider: str) -> Iterator[tuple[Row, str, Reply]]:
    """A row, the field of it that is changed, and the reply."""
    for row in rows(provider):
        if isinstance(row.body, dict | list):
            for name, body in changed(msgspec.to_builtins(row.body)):
                yield row, name, Reply(row.status, row.headers, msgspec.json.encode(body), 0.0)


@pytest.mark.parametrize("provider", MEANINGS)
def test_no_odd_field_ends_a_sink_or_proves_a_success(provider: str) -> None:
    meaning, count = MEANINGS[provider], 0
    for row, name, reply in odd_replies(provider):
        outcomes, count = meaning(reply), count + 1
        for outcome in outcomes:
            assert isinstance(outcome, Sent | TransientFailure | PermanentFailure | Blame)
            if isinstance(outcome, Sent) and not isinstance(row.outcome, Sent):
                assert row.status == 200 and name in SUCCESS, (row, name, reply.body)
    assert count > 20 or provider == "sns"  # which answers in XML


SENT = [
    ("twilio", 201, {"sid": "SM1", "error_code": None, "price": None, "num_segments": 2}),
    ("fcm", 200, {"name": "projects/p/messages/1", "error": None}),
    ("ses", 200, {"MessageId": "m", "message": None}),
    ("vonage", 200, {"messages": [{"status": "0", "message-id": None, "error-text": None}]}),
    ("vonage_messages", 202, {"message_uuid": "u", "type": None, "title": None}),
    ("plivo", 202, {"message_uuid": ["u"], "error": None, "message": None}),
    ("telegram", 200, {"ok": True, "result": {"message_id": "7", "chat": None}}),
    ("slackapp", 200, {"ok": True, "ts": 1503435956.000247, "error": None, "needed": None}),
    ("mailgun", 200, {"id": "i", "message": "Queued. Thank you.", "extra": None}),
    ("resend", 200, {"data": [{"id": "a"}, {"id": 2}], "errors": None}),
]
"""Replies to messages that were taken, with null or numbers where nothing depends on them."""


@pytest.mark.parametrize(("provider", "status", "body"), SENT)
def test_what_was_taken_is_not_sent_again_for_an_odd_field(
    provider: str, status: int, body: Any
) -> None:
    reply = Reply(status, {}, msgspec.json.encode(body), 0.0)
    assert all(isinstance(each, Sent) for each in MEANINGS[provider](reply))


REFUSED = [
    ("twilio", 400, {"code": "21211", "message": None}, Reason.INVALID_ADDRESS),
    ("twilio", 400, {"code": 21610, "message": ["x"], "status": None}, Reason.UNREGISTERED),
    ("apns", 410, {"reason": "Unregistered", "timestamp": None}, Reason.UNREGISTERED),
    ("telegram", 403, {"ok": False, "error_code": "403", "description": "Forbidden: bot was "
                       "blocked by the user", "parameters": None}, Reason.UNREGISTERED),
    ("sendgrid", 401, {"errors": ["Maximum credits exceeded"], "message": "error"},
     Reason.UNAUTHORIZED),
    ("slackapp", 200, {"ok": False, "error": "is_archived", "ts": None}, Reason.UNREGISTERED),
    ("vonage_messages", 422, {"type": "https://x/#1300", "title": None}, Reason.INVALID_ADDRESS),
]  # fmt: skip
"""And refusals. That of SendGrid's: https://github.com/openwhyd/openwhyd/issues/178."""


@pytest.mark.parametrize(("provider", "status", "body", "reason"), REFUSED)
def test_a_refusal_is_understood_whatever_stands_beside_it(
    provider: str, status: int, body: Any, reason: Reason
) -> None:
    reply = Reply(status, {}, msgspec.json.encode(body), 0.0)
    (outcome,) = MEANINGS[provider](reply)
    assert isinstance(outcome, TransientFailure | PermanentFailure)
    assert outcome.reason is reason
    assert outcome.whose is (Fault.CREDENTIALS if reason is Reason.UNAUTHORIZED else Fault.ADDRESS)
