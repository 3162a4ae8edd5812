"""What the providers' SDKs for Node make of too many calls: each has a word for it."""

from typing import Any, NamedTuple

import pytest

from tests.embedded.conftest import Bench
from tests.sdks.node import RUNS, outcomes
from tests.sdks.test_email import ADDRESS, MAIL
from tests.sdks.test_push import DEVICE
from tests.sdks.test_texts import NUMBER, TEXT

pytestmark = RUNS

SIMPLE = {"Subject": {"Data": "Shipped"}, "Body": {"Text": {"Data": TEXT}}}


class Row(NamedTuple):
    """A client's call, and what it makes of 429."""

    client: str
    call: dict[str, Any]
    error: dict[str, Any]
    provider: str = ""


ROWS = [
    Row("fcm", {"token": "t"}, {"code": "messaging/message-rate-exceeded"}),
    Row("sendgrid", {**MAIL, "to": ADDRESS}, {"type": "ResponseError", "code": 429}),
    Row(
        "ses",
        {
            "FromEmailAddress": "shop@example.com",
            "Destination": {"ToAddresses": [ADDRESS]},
            "Content": {"Simple": SIMPLE},
        },
        {"type": "TooManyRequestsException"},
    ),
    Row("postmark", {"mails": []}, {"type": "RateLimitExceededError", "statusCode": 429}),
    Row("mailgun", {**MAIL, "to": ADDRESS}, {"status": 429}),
    Row(
        "twilio",
        {"from": "+14155550199", "to": NUMBER, "body": TEXT},
        {"type": "RestException", "code": 20429, "status": 429},
    ),
    Row("sns", {"PhoneNumber": NUMBER, "Message": TEXT}, {"type": "ThrottledException"}),
    Row(
        "plivo",
        {"src": "Shop", "dst": NUMBER, "text": TEXT},
        {"message": "AxiosError: Request failed with status code 429"},
    ),
    Row(
        "vonage",
        {"from": "Shop", "to": NUMBER.removeprefix("+"), "text": TEXT},
        {"type": "MessageSendPartialFailure"},
    ),
    Row(
        "vonage",
        {"api": "messages", "channel": "sms", "messageType": "text", "from": "Shop", "to": NUMBER},
        {"type": "VetchError", "message": "Request failed with status code 429"},
        "vonagemessages",
    ),
    Row(
        "slack",
        {"channel": "C012", "text": TEXT},
        {"code": "slack_webapi_rate_limited_error", "retryAfter": 7},
        "slackapp",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.provider or row.client)
async def test_too_many_calls(bench: Bench, row: Row) -> None:
    provider = row.provider or row.client
    bench.fault(provider, error_rate=1.0, status=429, retry_after=7)
    before = bench.count()
    (refused,) = await outcomes(row.client, bench.running, row.call)
    assert {name: refused.error.get(name) for name in row.error} == row.error
    assert bench.count() == before


async def test_too_many_calls_where_errors_are_answers(bench: Bench) -> None:
    for provider in ("resend", "apns"):
        bench.fault(provider, error_rate=1.0, status=429)
    (mail,) = await outcomes("resend", bench.running, {"mails": [{**MAIL, "to": ADDRESS}]})
    assert mail.answer["error"]["name"] == "rate_limit_exceeded"
    (push,) = await outcomes("apns", bench.running, {"device": DEVICE, "alert": TEXT})
    (failed,) = push.answer["failed"]
    assert (failed["status"], failed["response"]["reason"]) == (429, "TooManyRequests")
