"""Reports with fields that hold something else than documented: each is still told.

What providers really sent is in rows with their sources; below them, every field of every provider
holds whatever JSON can.
"""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from policy.tracking.provider_report import Kind, Report
from policy.tracking.ticket import LIFE_MS
from tests.odd_json import changed
from tests.web.signing import SCHEMES, SETTINGS
from web.reports.incoming import AHEAD_MS, Incoming, Malformed, at_of, plausible

NOW = 1_795_000_000_000
SECONDS = 1_794_999_999
ISO = "2026-11-18T11:06:39Z"  # is SECONDS
TICKET, ANN = "a-ticket", "ann@example.com"

SENDGRID = {
    "email": ANN,
    "timestamp": SECONDS,
    "event": "bounce",
    "type": "bounce",
    "reason": "550 5.1.10 Recipient not found",
    "sg_machine_open": False,
    "useragent": "Mozilla",
    "ticket": TICKET,
}
MAILGUN = {
    "event": "failed",
    "timestamp": float(SECONDS),
    "severity": "permanent",
    "reason": "bounce",
    "recipient": ANN,
    "user-variables": {"ticket": TICKET},
    "client-info": {"bot": "", "user-agent": "Mozilla"},
    "delivery-status": {"message": "no", "description": "no such user"},
}
POSTMARK = {
    "RecordType": "Bounce",
    "Type": "HardBounce",
    "Email": ANN,
    "Recipient": ANN,
    "Metadata": {"ticket": TICKET},
    "Description": "unknown",
    "UserAgent": "Mozilla",
    "SuppressSending": False,
    "SuppressionReason": None,
    "Origin": None,
    "BouncedAt": ISO,
    "DeliveredAt": None,
    "ReceivedAt": None,
    "ChangedAt": None,
}
RESEND = {
    "type": "email.bounced",
    "created_at": ISO,
    "data": {
        "to": [ANN],
        "tags": {"ticket": TICKET},
        "bounce": {"type": "Permanent", "subType": "General", "message": "no such user"},
        "open": None,
    },
}
SES = {
    "eventType": "Bounce",
    "mail": {"destination": [ANN], "tags": {"ticket": [TICKET]}},
    "bounce": {
        "timestamp": ISO,
        "bounceType": "Permanent",
        "bouncedRecipients": [{"emailAddress": ANN, "diagnosticCode": "550 5.1.1"}],
        "userAgent": "Mozilla",
        "reason": "",
        "complaintFeedbackType": None,
    },
}
VONAGE = {
    "channel": "sms",
    "status": "undeliverable",
    "client_ref": TICKET,
    "timestamp": ISO,
    "error": {"type": "https://developer.vonage.com/api-errors/messages#1300", "title": 1300},
    "from": "4930123456",
    "text": "",
}
REPORTS: dict[str, Any] = {
    "sendgrid": SENDGRID,
    "mailgun": MAILGUN,
    "postmark": POSTMARK,
    "resend": RESEND,
    "ses": SES,
    "vonagemessages": VONAGE,
}
DECISIVE = {
    "sendgrid": {"event"},
    "mailgun": {"event", "reason"},
    "postmark": {"RecordType"},
    "resend": {"type"},
    "ses": {"eventType", "complaintFeedbackType"},
    "vonagemessages": {"status", "error", "type", "title", "channel"},
}
"""Of which it depends what is told, by their names."""


def parsed(provider: str, values: Any) -> list[Report]:
    if provider == "sendgrid":
        values = [values]
    elif provider == "mailgun":
        signature = {"timestamp": "1", "token": "t", "signature": "s"}
        values = {"signature": signature, "event-data": values}
    elif provider == "ses":
        message = msgspec.json.encode(values).decode()
        named = {"Type": "Notification", "TopicArn": "", "Signature": "", "Message": message}
        values = named
    body = msgspec.json.encode(values)
    incoming = Incoming(method="POST", url="https://n/x", headers={}, body=body)
    return list(SCHEMES[provider].reporter(SETTINGS).parse(incoming, NOW))


TOLD = Report(
    kind=Kind.BOUNCED, at=1000 * SECONDS, ticket=TICKET, address=ANN, detail="", hard=True
)


@pytest.mark.parametrize(
    ("provider", "values", "told"),
    [
        # https://github.com/mailgun/mailgun-go/issues/211
        (
            "mailgun",
            MAILGUN | {"user-variables": "Could not load user-variables. They were truncated"},
            replace(TOLD, ticket="", detail="no such user"),
        ),
        # https://github.com/mirajavora/sendgrid-webhooks/pull/4
        (
            "sendgrid",
            SENDGRID | {"sg_message_id": None, "status": "5.1.10", "useragent": None, "ip": None},
            replace(TOLD, detail="550 5.1.10 Recipient not found"),
        ),
        # https://github.com/cacheplane/threadplane/pull/989, and the code of
        # https://github.com/resend/resend-go/pull/134.
        (
            "resend",
            {
                "type": "email.bounced",
                "created_at": ISO,
                "data": {
                    "to": [ANN],
                    "tags": {"ticket": TICKET},
                    "message_id": "m",
                    "broadcast_id": None,
                    "template_id": None,
                    "bounce": {
                        "type": "Permanent",
                        "message": None,
                        "diagnosticCode": ["smtp; 550 5.5.0 mailbox unavailable"],
                    },
                },
            },
            TOLD,
        ),
        # What no JSON of .NET's leaves out: a first day, and null for each that is not there.
        (
            "postmark",
            POSTMARK | {"BouncedAt": "0001-01-01T00:00:00Z", "Description": None},
            replace(TOLD, at=-62_135_596_800_000),
        ),
    ],
)
def test_what_providers_sent(provider: str, values: Any, told: Report) -> None:
    assert parsed(provider, values) == [told]


@pytest.mark.parametrize("provider", REPORTS)
def test_no_odd_field_costs_a_report(provider: str) -> None:
    (good,) = parsed(provider, REPORTS[provider])
    assert good.kind is Kind.BOUNCED
    cases = list(changed(REPORTS[provider]))
    assert len(cases) > 60
    for name, values in cases:
        if name in DECISIVE[provider]:
            with suppress(Malformed):
                parsed(provider, values)
            continue
        found = parsed(provider, values)
        assert [each.kind for each in found] in ([Kind.BOUNCED], [Kind.FAILED]), (name, values)
        assert all(abs(each.at) < 1e18 for each in found)


@pytest.mark.parametrize(
    ("at", "is_kept"),
    [
        (NOW, True),
        (NOW - LIFE_MS, True),
        (NOW - LIFE_MS - 1, False),
        (NOW + AHEAD_MS, True),
        (NOW + AHEAD_MS + 1, False),
        (-62_135_596_800_000, False),
        (0, False),
    ],
)
def test_a_time_that_can_not_be_is_now(at: int, is_kept: bool) -> None:
    found = plausible(replace(TOLD, at=at), NOW)
    assert found == replace(TOLD, at=at if is_kept else NOW)


@pytest.mark.parametrize(
    ("seconds", "at"),
    [(1.5, 1500), (-1, -1000), (None, NOW), (1e12, NOW), (1e300, NOW), (float("nan"), NOW)],
)
def test_seconds_beyond_all_counting_are_none(seconds: float | None, at: int) -> None:
    assert at_of(seconds, NOW) == at
