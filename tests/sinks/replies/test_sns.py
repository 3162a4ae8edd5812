"""SNS's replies to Publish: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and
https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html.

What it says of a number is as in https://github.com/aws/aws-sdk-js/issues/1368.
"""

import pytest

from sinks.provider import Outcome, Sent
from sinks.sms.sns import outcome_of
from tests.sinks.replies.table import (
    HTML,
    PROXIES,
    TEXT,
    Row,
    down,
    each,
    gone,
    invalid,
    ours,
    rejected,
    reply,
    throttled,
    unread,
)

BAD = "Invalid parameter: PhoneNumber Reason: +166 is not valid to publish to"
LONG = "Invalid parameter: Message too long"
OUT = "Phone number is opted out"


def error(code: str, message: str, kind: str = "Sender") -> str:
    return (
        '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>'
        f"<Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId></ErrorResponse>"
    )


TAKEN = (
    '<PublishResponse xmlns="https://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
    "<MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult>"
    "<ResponseMetadata><RequestId>d74b8436</RequestId></ResponseMetadata></PublishResponse>"
)
CODES: dict[tuple[int, str, str], Outcome] = {
    (400, "IncompleteSignature", "no"): ours("IncompleteSignature: no"),
    (400, "InvalidSecurity", "no"): ours("InvalidSecurity: no"),
    (400, "UserError", "no SMS for this account"): ours("UserError: no SMS for this account"),
    (403, "AuthorizationError", "no"): ours("AuthorizationError: no"),
    (403, "InvalidClientTokenId", "no"): ours("InvalidClientTokenId: no"),
    (403, "MissingAuthenticationToken", "no"): ours("MissingAuthenticationToken: no"),
    (403, "SignatureDoesNotMatch", "no"): ours("SignatureDoesNotMatch: no"),
    (400, "Throttling", "Rate exceeded"): throttled("Throttling: Rate exceeded", 3.0),
    (400, "ThrottledException", "Rate exceeded"): throttled(
        "ThrottledException: Rate exceeded", 3.0
    ),
    (429, "Throttled", "Rate exceeded"): throttled("Throttled: Rate exceeded", 3.0),
    (400, "OptedOut", OUT): gone(f"OptedOut: {OUT}"),
    (400, "OptedOutException", "no"): gone("OptedOutException: no"),
    (400, "InvalidParameter", "+1 is opted out"): gone("InvalidParameter: +1 is opted out"),
    (400, "InvalidParameter", BAD): invalid(f"InvalidParameter: {BAD}"),
    (400, "InvalidParameterValue", BAD): invalid(f"InvalidParameterValue: {BAD}"),
    (400, "ParameterValueInvalid", BAD): invalid(f"ParameterValueInvalid: {BAD}"),
    (400, "InvalidParameter", LONG): rejected(f"HTTP 400: InvalidParameter: {LONG}"),
    (400, "ValidationError", BAD): rejected(f"HTTP 400: ValidationError: {BAD}"),
    (404, "NotFound", "Topic"): rejected("HTTP 404: NotFound: Topic"),
    (500, "InternalError", "no"): down("HTTP 500: InternalError: no", 3.0),
    (503, "ServiceUnavailable", "no"): down("HTTP 503: ServiceUnavailable: no", 3.0),
}
ROWS = [
    Row(200, TAKEN, Sent("567910cd-659e-55d4-8ccb-5aaf14679dc0", 2, 0.15)),
    unread(200, "<PublishResponse/>"),
    unread(200, HTML),
    unread(202, TAKEN),
    Row(200, b"\xff" + TAKEN.encode(), Sent("567910cd-659e-55d4-8ccb-5aaf14679dc0", 2, 0.15)),
    *PROXIES,
]


@pytest.mark.parametrize(("status", "code", "message"), CODES)
def test_what_each_code_means(status: int, code: str, message: str) -> None:
    said = reply(status, error(code, message), {"retry-after": "3"})
    assert outcome_of(said, TEXT) == CODES[status, code, message]


@each(ROWS)
def test_what_each_reply_means(row: Row) -> None:
    assert outcome_of(row.reply, TEXT) == row.outcome
