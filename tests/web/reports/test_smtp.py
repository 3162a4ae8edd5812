"""What bounces say: in the forms of RFC 3464 and 5965, with diagnoses as servers have written them.

Diagnoses are of the bounces in https://github.com/sisimai/set-of-emails (maildir/bsd).
"""

import re
from pathlib import Path

import pytest

from policy.tracking.bounce_token import read_token
from policy.tracking.provider_report import Kind, Report
from policy.tracking.ticket import Purpose, read_ticket
from tests.web.dsn import complaint, dsn, failed, piped
from tests.web.signing import SETTINGS
from web.reports.smtp import SmtpReports

NOW = 1_795_700_000_000
AT = 1_795_676_400_000  # Thu, 26 Nov 2026 08:00:00 +0100
TICKET = "A-ticket_" * 12
TOKEN = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstu"
BACK = f"From: shop@example.com\nX-Tocsin-Ticket: {TICKET}\nSubject: Shipped"


def parsed(mail: str | bytes) -> list[Report]:
    return list(SmtpReports(SETTINGS).parse(piped(mail), NOW))


def test_a_bounce_brings_back_the_ticket() -> None:
    said = "smtp; 550 5.1.1 <ann@example.com>... User\n    Unknown"
    expected = Report(
        kind=Kind.BOUNCED,
        at=AT,
        ticket=TICKET,
        address="ann@example.com",
        detail="550 5.1.1 <ann@example.com>... User Unknown",
        hard=True,
    )
    assert parsed(dsn(failed(said), returned=BACK)) == [expected]
    whole = dsn(failed(said), returned=f"{BACK}\n\nHi", returned_type="message/rfc822")
    assert parsed(whole) == [expected]
    # Whoever passes a mail on may fold its headers.
    folded = BACK.replace(TICKET, f"{TICKET[:40]}\n {TICKET[40:]}")
    assert parsed(dsn(failed(said), returned=folded)) == [expected]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_bounce_about_addresses_with_other_letters(end: str) -> None:
    """RFC 6533."""
    said = failed("smtp; 550 5.1.1 x").replace("rfc822; ann@", "utf-8; jürgen@")
    said = said.replace("Original-Recipient: rfc822;ann@example.com\n", "")
    written = dsn(said, failed("smtp; 552 5.2.2 x"), report_type="global-delivery-status")
    found = parsed(written.replace("\n", end))
    assert [(report.hard, report.detail) for report in found] == [
        (True, "550 5.1.1 x"),
        (False, "552 5.2.2 x"),
    ]


@pytest.mark.parametrize(
    "mail",
    [
        dsn(failed("smtp; 550 x"), to=f"bounce+{TOKEN}@b.example.com"),
        dsn(failed("smtp; 550 x"), to=f"<bounce+{TOKEN.upper()}@B.EXAMPLE.COM>"),
        dsn(failed("smtp; 550 x"), envelope=TOKEN),
        dsn(failed("smtp; 550 x"), returned=f"Return-Path: <bounce+{TOKEN}@b.example.com>"),
        f"Delivered-To: bounce+{TOKEN}@b.example.com\n" + dsn(failed("smtp; 550 x")),
    ],
)
def test_a_bounce_is_known_by_where_it_goes(mail: str) -> None:
    (report,) = parsed(mail)
    assert (report.reference, report.ticket, report.hard) == (TOKEN, "", False)


@pytest.mark.parametrize(
    ("diagnosis", "status", "hard"),
    [
        ("smtp; 550 5.1.1 <x@example.com>... User Unknown", "5.1.1", True),
        ("smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", "5.1.10", True),
        ("smtp;550 5.1.351 Remote server returned unknown recipient -> 550", "5.1.351", True),
        ("smtp; 550 5.2.1 <filtered@example.co.jp>... User Unknown", "5.2.1", True),
        ('X-Postfix; unknown user: "kijitora"', "5.1.1", True),
        ("smtp; 550-5.1.1 The email account that you tried to reach", "5.1.1", True),
        ("", "5.1.1", True),
        ("smtp; 550 Unknown user kijitora@example.net", "5.0.0", True),
        ("smtp; 550 5.2.1 The email account that you tried to reach is disabled.", "5.2.1", False),
        ("smtp; 550 5.2.2 <kijitora@example.jp>... Mailbox Full", "5.2.2", False),
        ("smtp; 554 4.4.7 Message expired: unable to deliver in 840 minutes.", "4.4.7", False),
        ("X-Postfix; connect to example.org[192.0.2.1]:25: Connection timed out", "4.4.1", False),
        ("smtp; 554 5.7.1 <kijitora@example.com>: Relay access denied", "5.7.1", False),
        ("smtp; 550 5.4.1 <x@example.br>: Recipient address rejected", "5.4.1", False),
        ("smtp; 553 http://www.spamhaus.org/query/bl?ip=192.0.2.222", "5.1.1", False),
        ("smtp; 550 5.7.606 Access denied, banned sending IP [198.51.100.222].", "5.7.606", False),
        ("smtp; 450 4.1.1 <x@y.z>: Recipient address rejected: User unknown", "4.1.1", False),
        ("", "5.0.0", False),
        ("", "", False),
    ],
)  # fmt: skip
def test_what_says_that_nobody_is_there(diagnosis: str, status: str, hard: bool) -> None:
    (report,) = parsed(dsn(failed(diagnosis, status), returned=BACK))
    assert (report.kind, report.hard) == (Kind.BOUNCED, hard)


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("failed", Kind.BOUNCED),
        ("Failed (user unknown)", Kind.BOUNCED),
        ("delivered", Kind.DELIVERED),
        ("delayed", None),
        ("relayed", None),
        ("expanded", None),
        ("", None),
    ],
)
def test_what_became_of_it(action: str, kind: Kind | None) -> None:
    found = parsed(dsn(failed("smtp; 550 5.1.1 x", "5.1.1", action), returned=BACK))
    assert [(report.kind, report.hard) for report in found] == (
        [] if kind is None else [(kind, kind is Kind.BOUNCED)]
    )


def test_each_recipient_has_a_report_by_the_address_that_we_know() -> None:
    passed_on = failed("smtp; 550 5.1.1 x").replace(
        "Final-Recipient: rfc822; ann@", "Final-Recipient: rfc822; <elsewhere@"
    )
    alone = "Final-Recipient: RFC822; bob@example.com\nAction: failed\nStatus: 5.0.0 (permanent)"
    found = parsed(dsn(passed_on, alone, returned=BACK))
    assert [(report.address, report.hard, report.detail) for report in found] == [
        ("ann@example.com", True, "550 5.1.1 x"),
        ("bob@example.com", False, "5.0.0 (permanent)"),
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("abuse", [Kind.COMPLAINED]),
        ("fraud", [Kind.COMPLAINED]),
        ("opt-out", [Kind.UNSUBSCRIBED]),
        ("not-spam", []),
        ("", []),
    ],
)
def test_complaints(kind: str, expected: list[Kind]) -> None:
    found = parsed(complaint(kind, BACK))
    assert [report.kind for report in found] == expected
    for report in found:
        assert (report.ticket, report.address, report.at) == (TICKET, "ann@example.com", AT)


@pytest.mark.parametrize(
    "mail",
    [
        "",
        "{}",
        "Subject: I am on holiday\n\nUntil Monday.",
        "Content-Type: multipart/report; report-type=delivery-status\n\nnothing",
        "Content-Type: message/delivery-status\n\n",
        b"\xff\xfe\x00",
        dsn(returned=BACK),
        f"Content-Type: message/rfc822\n\n{dsn(failed('smtp; 550 5.1.1 x'), returned=BACK)}",
    ],
)
def test_what_is_no_report_tells_nothing(mail: str | bytes) -> None:
    assert parsed(mail) == []


@pytest.mark.parametrize(
    ("date", "at"),
    [
        ("Thu, 26 Nov 2026 08:00:00 +0100", AT),
        ("Thu, 26 Nov 2099 08:00:00 +0100", NOW),
        ("yesterday", NOW),
        ("", NOW),
        ("Thu, 26 Nov 99999999999 08:00:00 +0100", NOW),
    ],
)
def test_when_it_was_written(date: str, at: int) -> None:
    written = dsn(failed("smtp; 550 5.1.1 x"), returned=BACK)
    mail = written.replace("Date: Thu, 26 Nov 2026 08:00:00 +0100 (CET)", f"Date: {date}", 1)
    assert [report.at for report in parsed(mail)] == [at]


def test_parts_within_parts_without_an_end_break_nothing() -> None:
    lines = [f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}' for n in range(3000)]
    try:
        assert parsed("\n".join(lines)) == []
    except Exception as error:
        assert type(error).__name__ == "Malformed"


def test_a_bounce_that_exim_wrote() -> None:
    """By Exim 4.96, to which a mail of ours was handed, and whose peer knew no such user.

    It brings back the token in its own address, in the envelope's id and in the mail's headers, and
    the ticket; one of them is enough.
    """
    mail = (Path(__file__).parent / "bounces" / "exim.eml").read_text()
    key = SETTINGS.signing_key.get_secret_value().encode()
    (report,) = parsed(mail)
    assert (report.kind, report.hard, report.address) == (Kind.BOUNCED, True, "gone@remote.example")
    assert report.detail.startswith("550 5.1.1 <gone@remote.example>: Recipient address rejected")
    ticket = read_ticket(report.ticket, Purpose.REPORT, key)
    assert ticket is not None
    assert (ticket.user, ticket.event_id) == ("ada", "order-7-shipped")
    named = read_token(report.reference, key)
    assert named is not None
    assert named.delivery_id == ticket.delivery_id.hex()
    head, _, returned = mail.partition("Content-type: text/rfc822-headers")
    (bare,) = parsed(re.sub(r"bounce\+[a-z0-9]*", "bounces", head) + "\n\n" + returned[-40:])
    assert (bare.reference, bare.ticket) == (report.reference, "")
