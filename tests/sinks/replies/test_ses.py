"""SES's replies: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html and
https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html.

The kind of an error is in a header, its words are those of
https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html, and of an address
those of JavaMail's `InternetAddress`, https://github.com/jakartaee/mail-api.
"""

import pytest

from sinks.email.ses import outcome_of
from sinks.provider import Outcome, Sent
from tests.sinks.replies.table import (
    HTML,
    PROXIES,
    Row,
    down,
    each,
    invalid,
    ours,
    rejected,
    reply,
    throttled,
    unread,
)

KIND = "x-amzn-errortype"
WHERE = ":http://internal.amazon.com/coral/com.amazonaws.sesv2/"
NOT_VERIFIED = (
    "Email address is not verified. The following identities failed the check in region "
    "US-EAST-1: shop@example.com"
)
OUR_SETTINGS = [
    (403, "AccessDeniedException"),
    (400, "AccountSuspendedException"),
    (400, "ConfigurationSetSendingPausedException"),
    (400, "IncompleteSignatureException"),
    (403, "InvalidClientTokenId"),
    (403, "InvalidSignatureException"),
    (400, "LimitExceededException"),
    (400, "MailFromDomainNotVerifiedException"),
    (404, "NotFoundException"),
    (400, "SendingPausedException"),
    (403, "SignatureDoesNotMatch"),
    (403, "UnrecognizedClientException"),
]
SAID = [
    "Domain contains dot-dot",
    "Domain contains illegal character",
    "Domain starts with dot",
    "Illegal address",
    "Invalid domain name: 'x..y'.",
    "Invalid email address.",
    "Local address contains control or whitespace",
    "Local address starts with dot",
    "Missing final '@domain'",
    "Missing local name",
]
OTHERS: dict[tuple[int, str, str], Outcome] = {
    (400, "MessageRejected", NOT_VERIFIED): ours(f"MessageRejected: {NOT_VERIFIED}"),
    (400, "MessageRejected", "Message too large"): rejected(
        "HTTP 400: MessageRejected: Message too large"
    ),
    (400, "BadRequestException", "Header Illegal address"): rejected(
        "HTTP 400: BadRequestException: Header Illegal address"
    ),
    (429, "TooManyRequestsException", "Maximum sending rate exceeded."): throttled(
        "HTTP 429: TooManyRequestsException: Maximum sending rate exceeded.", 4.0
    ),
    # Not the address, though its words begin so.
    (429, "TooManyRequestsException", "Invalid email"): throttled(
        "HTTP 429: TooManyRequestsException: Invalid email", 4.0
    ),
    (500, "InternalServiceErrorException", ""): down(
        "HTTP 500: InternalServiceErrorException: ", 4.0
    ),
}
ROWS = [
    Row(200, {"MessageId": "010001-aa-000000"}, Sent("010001-aa-000000")),
    unread(200, {}),
    unread(200, HTML),
    unread(400, {"message": "Illegal address"}),  # another server says no kind
    *PROXIES,
    *(row._replace(headers={**row.headers, KIND: "MessageRejected"}) for row in PROXIES),
]


@pytest.mark.parametrize(("status", "kind"), OUR_SETTINGS)
def test_what_only_our_account_or_sender_can_mend(status: int, kind: str) -> None:
    said = reply(status, {"message": "no"}, {KIND: kind + WHERE})
    assert outcome_of(said) == ours(f"{kind}: no")


@pytest.mark.parametrize("said", SAID)
def test_an_address_that_is_none(said: str) -> None:
    found = reply(400, {"message": said}, {KIND: "BadRequestException" + WHERE})
    assert outcome_of(found) == invalid(f"BadRequestException: {said}")


@pytest.mark.parametrize(("status", "kind", "message"), OTHERS)
def test_what_other_errors_mean(status: int, kind: str, message: str) -> None:
    said = reply(status, {"message": message}, {KIND: kind, "retry-after": "4"})
    assert outcome_of(said) == OTHERS[status, kind, message]


@each(ROWS)
def test_what_each_reply_means(row: Row) -> None:
    assert outcome_of(row.reply) == row.outcome
