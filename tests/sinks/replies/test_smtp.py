"""Replies of mail relays, by what was asked last; more are in test_mail_status.py.

Gmail: https://support.google.com/a/answer/3726730. Amazon SES:
https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html. Postfix: the words of its smtpd,
as in https://www.postfix.org/SMTPD_ACCESS_README.html. Exim:
https://www.exim.org/exim-html-current/doc/html/spec_html. By code alone: RFC 4954 and 5321.
"""

import pytest

from schemas.vocabulary import Reason
from sinks.email.smtp_outcomes import BUSY_AFTER, FULL_AFTER, Stage, outcome_of
from sinks.provider import Fault, Outcome, PermanentFailure, TransientFailure
from tests.sinks.replies.table import down, gone, invalid, ours, rejected, throttled
from tests.sinks.replies.table import throttled_alone as alone
from tests.sinks.replies.table import throttled_or_alone as maybe_alone

GREETING, LOGIN, SENDER = Stage.GREETING, Stage.LOGIN, Stage.SENDER
RECIPIENT, DATA, MAIL = Stage.RECIPIENT, Stage.DATA, Stage.MAIL


def closed(detail: str) -> PermanentFailure:
    """It does not get through now; the address may be good."""
    return PermanentFailure(Reason.UNREGISTERED, detail, lasting=False)


SAME = "the detail is code and text"
ROWS: list[tuple[Stage, int, str, Outcome]] = [
    # Who may not use the relay at all, or not now.
    (GREETING, 554, "5.7.1 Service unavailable; Client host [x] blocked using zen", ours(SAME)),
    (GREETING, 554, "No SMTP service here", ours(SAME)),
    (GREETING, 521, "relay.example.com does not accept mail", ours(SAME)),
    (GREETING, 421, "4.3.2 Service shutting down", down(SAME)),
    (GREETING, 421, "Too many concurrent SMTP connections", throttled(SAME)),  # Amazon
    (GREETING, 454, "4.7.0 TLS not available due to local problem", down(SAME)),
    # The password. Some repeat what they were sent, so no text is kept.
    (LOGIN, 535, "5.7.8 Username and Password not accepted. AHVzZXIAcGFzcw==", ours("535 5.7.8")),
    (LOGIN, 535, "Authentication Credentials Invalid", ours("535")),  # Amazon
    (LOGIN, 534, "5.7.9 Application-specific password required", ours("534 5.7.9")),
    (LOGIN, 538, "5.7.11 Encryption required", ours("538 5.7.11")),
    (LOGIN, 503, "AUTH command used when not advertised", ours("503")),  # Exim
    (LOGIN, 500, "what?", ours("500")),
    (LOGIN, 499, "what?", down("499")),
    (LOGIN, 454, "4.7.0 Temporary authentication failure", down("454 4.7.0")),
    # The sender.
    (SENDER, 530, "5.7.0 Authentication Required.", ours(SAME)),
    (SENDER, 553, "5.7.1 <a@b>: Sender address rejected: not owned by user", ours(SAME)),
    (SENDER, 550, "5.1.0 bad sender", ours(SAME)),
    (SENDER, 501, "5.1.7 Bad sender address syntax", ours(SAME)),
    (SENDER, 550, "no such user here", ours(SAME)),
    (SENDER, 552, "5.3.4 Message size exceeds fixed limit", rejected(SAME)),
    (SENDER, 552, "Message size exceeds fixed limit", rejected(SAME)),
    (SENDER, 554, "5.3.4 Message too large", rejected(SAME)),
    (SENDER, 554, "5.2.3 Message too large", rejected(SAME)),
    (SENDER, 554, "5.3.3 no such thing here", ours(SAME)),
    (SENDER, 554, "5.6.0 x", ours(SAME)),
    (SENDER, 503, "5.5.1 Error: nested MAIL command", down(SAME)),
    (SENDER, 452, "4.3.1 Insufficient system storage", down(SAME)),
    (SENDER, 450, "4.1.8 <a@b>: Sender address rejected: Domain not found", maybe_alone(SAME)),
    (SENDER, 451, "4.2.0 later", down(SAME)),
    (SENDER, 421, "too many messages in this connection", throttled(SAME)),  # Exim
    # The recipient.
    (RECIPIENT, 550, "5.1.1 User unknown in virtual mailbox table", gone(SAME)),
    (RECIPIENT, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound", gone(SAME)),
    (RECIPIENT, 550, "Unrouteable address", gone(SAME)),
    (RECIPIENT, 501, "5.1.3 Bad recipient address syntax", invalid(SAME)),
    (RECIPIENT, 550, "5.2.1 The email account is disabled.", closed(SAME)),
    (RECIPIENT, 550, "5.4.1 Recipient address rejected: Access denied", closed(SAME)),
    (RECIPIENT, 552, "5.2.2 over quota", alone(SAME, FULL_AFTER)),
    (RECIPIENT, 452, "4.2.2 The email account is over quota.", alone(SAME, FULL_AFTER)),
    (RECIPIENT, 450, "4.2.1 is receiving mail too quickly", alone(SAME, BUSY_AFTER)),
    (RECIPIENT, 450, "4.2.0 Recipient address rejected: Greylisted", alone(SAME, BUSY_AFTER)),
    (RECIPIENT, 451, "4.7.1 Greylisting, come back in 00:02:00", alone(SAME, 120.0)),
    (RECIPIENT, 451, "4.3.0 Temporary lookup failure", down(SAME)),
    (RECIPIENT, 450, "4.7.1 Client host rejected: cannot find your hostname", maybe_alone(SAME)),
    (RECIPIENT, 554, "5.7.1 <x@y.z>: Relay access denied", ours(SAME)),
    (RECIPIENT, 550, "relay not permitted", ours(SAME)),  # Exim
    (RECIPIENT, 550, "5.7.1 Denied by policy", rejected(SAME)),
    (RECIPIENT, 421, "4.4.5 Server busy, try again later.", throttled(SAME)),
    (RECIPIENT, 452, "4.5.3 Your message has too many recipients.", throttled(SAME)),
    (RECIPIENT, 421, "4.7.0 Too many messages, try again in 30 seconds", throttled(SAME, 30.0)),
    # What comes of the mail.
    (DATA, 451, "4.3.5 Server configuration error", down(SAME)),
    (DATA, 554, "5.5.1 Error: no valid recipients", rejected(SAME)),
    (MAIL, 554, "5.6.0 scored as spam", rejected(SAME)),
    (MAIL, 550, "5.7.1 this message is likely unsolicited mail", rejected(SAME)),
    (MAIL, 550, "5.7.26 the sender is unauthenticated.", ours(SAME)),
    (MAIL, 554, "Message rejected: Email address is not verified.", ours(SAME)),  # Amazon
    (MAIL, 454, "Throttling failure: Maximum sending rate exceeded.", throttled(SAME)),  # Amazon
    (MAIL, 454, "Throttling failure: Daily message quota exceeded.", throttled(SAME)),  # Amazon
    (MAIL, 451, "Temporary service failure", down(SAME)),
    (MAIL, 451, "4.3.0 Error: queue file write error", down(SAME)),
    (MAIL, 452, "4.3.1 Insufficient system storage", down(SAME)),
    (MAIL, 552, "5.2.3 Message length exceeds the limit", rejected(SAME)),
    (MAIL, 550, "5.1.1 no such user", gone(SAME)),
    (MAIL, 500, "5.7.26 x", ours(SAME)),
    (MAIL, 499, "4.7.1 x", maybe_alone(SAME)),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "code", "said", "expected"), ROWS)
def test_what_each_reply_means(stage: Stage, code: int, said: str, expected: Outcome) -> None:
    found = outcome_of(stage, code, said)
    assert not isinstance(expected, TransientFailure) or not expected.uncertain
    if isinstance(expected, TransientFailure | PermanentFailure) and expected.detail == SAME:
        assert found.detail == f"{code} {said}"
        assert type(found) is type(expected)
        assert found.reason is expected.reason
        assert found.whose is expected.whose
        if isinstance(found, TransientFailure) and isinstance(expected, TransientFailure):
            assert (found.after, found.uncertain) == (expected.after, False)
        if isinstance(found, PermanentFailure) and isinstance(expected, PermanentFailure):
            assert found.lasting is expected.lasting
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("stage", "code", "said", "whose"),
    [
        (RECIPIENT, 550, "5.1.1 x", Fault.ADDRESS),
        (RECIPIENT, 452, "4.2.2 x", Fault.ADDRESS),
        (RECIPIENT, 552, "5.2.2 x", Fault.ADDRESS),
        (MAIL, 554, "5.6.0 x", Fault.MESSAGE),
        (LOGIN, 535, "5.7.8 x", Fault.CREDENTIALS),
        (RECIPIENT, 450, "4.7.1 x", Fault.CREDENTIALS),
        (GREETING, 421, "x", Fault.PROVIDER),
        (SENDER, 452, "4.3.1 x", Fault.PROVIDER),
    ],
)
def test_whose_fault_it_is(stage: Stage, code: int, said: str, whose: Fault) -> None:
    assert outcome_of(stage, code, said).whose is whose


def test_each_line_repeats_the_status_and_the_detail_does_not() -> None:
    said = "5.1.1 The email account that you tried\n5.1.1 to reach does not exist.\n5.1.1 x - gsmtp"
    detail = "550 5.1.1 The email account that you tried to reach does not exist. x - gsmtp"
    assert outcome_of(RECIPIENT, 550, said) == gone(detail)


def test_a_detail_is_short_and_can_be_printed() -> None:
    found = outcome_of(MAIL, 554, "5.6.0 \x1b[31m" + "x" * 1000)
    assert found.detail.isprintable()
    assert len(found.detail) == 200


def test_what_somebody_asks_of_one_address_for_ever_is_asked_again_in_two_hours() -> None:
    found = outcome_of(RECIPIENT, 450, "4.2.0 Greylisted for 999999 hours")
    assert isinstance(found, TransientFailure)
    assert found.after == 7200.0
