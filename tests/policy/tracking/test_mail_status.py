"""Whose fault mail servers say it was.

Replies as they were said: those with a file's name are of the bounces in
https://github.com/sisimai/set-of-emails (maildir/bsd), the others of the pages named beside them.
"""

import pytest

from policy.tracking.mail_status import Cause, Status, cause_of, pause_of, status_of

NOBODY, MAILBOX, BUSY = Cause.NOBODY, Cause.MAILBOX, Cause.BUSY
SENDER, MESSAGE, SERVER = Cause.SENDER, Cause.MESSAGE, Cause.SERVER

REPLIES: list[tuple[Cause, int, str]] = [
    # lhost-postfix-02, -16, -31, -32, -35, -52, -76; lhost-office365-04, -13; rhost-apple-04
    (NOBODY, 550, "5.1.1 <userunknown@example.co.jp>... User Unknown"),
    (NOBODY, 550, "5.1.6 recipient no longer on server: kijitora@example.go.jp"),
    (NOBODY, 550, "5.1.1 The email account that you tried to reach does not exist. Please try"),
    (NOBODY, 550, ": User unknown"),
    (NOBODY, 550, "User not found"),
    (NOBODY, 550, "5.1.351 Remote server returned unknown recipient or mailbox unavailable -> 550"),
    (NOBODY, 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address"),
    (NOBODY, 550, "5.1.1 <x@privaterelay.appleid.com>: user not found"),
    (NOBODY, 550, "5.2.1 <filtered@example.co.jp>... User Unknown"),
    (NOBODY, 550, "5.7.1 <x@sfr.fr>: Recipient address rejected: User unknown"),
    (NOBODY, 554, "delivery error: dd This user doesn't have a yahoo.com account (x) [0]"),
    # qmail: https://cr.yp.to/qmail.html
    (NOBODY, 550, "sorry, no mailbox here by that name. (#5.1.1)"),
    # Exim's defaults: https://www.exim.org/exim-html-current/doc/html/spec_html/ch-the_default_configuration_file.html
    (NOBODY, 550, "Unrouteable address"),
    # RFC 7505: https://www.rfc-editor.org/rfc/rfc7505#section-4.2
    (NOBODY, 556, "5.1.10 Recipient address has null MX"),
    (NOBODY, 550, "5.1.2 Host unknown"),
    (NOBODY, 501, "5.1.3 Bad recipient address syntax"),
    # rhost-google-01, -07; lhost-postfix-30, -46, -61; lhost-amazonses-18
    (MAILBOX, 550, "5.2.1 The email account that you tried to reach is disabled."),
    (MAILBOX, 550, "5.4.1 [x@example.org]: Recipient address rejected: Access denied"),
    (MAILBOX, 550, "<neko-nyaan@ne.auone-net.jp>: Recipient address rejected."),
    (MAILBOX, 550, "Mailbox is frozen. See http://mail.i.ua/err/3/"),
    (MAILBOX, 550, "5.4.4 Invalid domain"),
    (MAILBOX, 553, "sorry"),
    (MAILBOX, 551, "not our customer"),
    # lhost-office365-12, lhost-postfix-59, -63; rhost-google-05; rhost-godaddy
    (BUSY, 550, "5.2.2 <kijitora@cr.neko.nyaan.jp>... Mailbox Full"),
    (BUSY, 550, "5.2.1 The user you are trying to contact is receiving mail at a rate that"),
    (BUSY, 552, "5.2.2 <neko@nyaaan.example.org> Quota exceeded (mailbox for user is full)"),
    (BUSY, 552, "5.2.2 The recipient's inbox is out of storage space and inactive."),
    (BUSY, 550, "5.1.1 <x@y.z> - 203.0.113.222 has sent to too many recipients this hour."),
    # https://support.google.com/a/answer/3726730
    (BUSY, 450, "4.2.1 The user you are trying to contact is receiving mail too quickly."),
    (BUSY, 452, "4.2.2 The email account that you tried to reach is over quota."),
    # https://learn.microsoft.com/en-us/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online
    (BUSY, 432, "4.3.2 STOREDRV.Deliver; recipient thread limit exceeded"),
    # Postgrey and milter-greylist: https://postgrey.schweikert.ch, http://hcpnet.free.fr/milter-greylist
    (BUSY, 450, "4.2.0 <x@y.z>: Recipient address rejected: Greylisted, see http://postgrey"),
    (BUSY, 451, "4.7.1 Greylisting in action, please come back in 00:05:00"),
    # lhost-postfix-05; Postfix, https://www.postfix.org/ADDRESS_VERIFICATION_README.html
    (BUSY, 450, "4.1.1 <x@y.z>: Recipient address rejected: User unknown in virtual alias table"),
    (BUSY, 450, "4.1.1 <x@y.z>: Recipient address rejected: unverified address"),
    (BUSY, 450, "Requested mail action not taken: mailbox unavailable"),
    (BUSY, 450, "4.4.1 x@y.z: Recipient address rejected: connection timed out"),
    # lhost-amazonses-14, -16, -21; lhost-office365-03, -05; lhost-postfix-10, -58, -65, -77, -80
    (SENDER, 554, "5.7.1 <x[203.0.113.22]>: Client host rejected: blocked using mail.neko.example"),
    (
        SENDER,
        521,
        "5.7.1 Service unavailable; client [203.0.113.225] blocked using dnsbl.sorbs.net",
    ),
    (SENDER, 554, "5.7.1 <kijitora@example.com>: Relay access denied"),
    (SENDER, 550, "5.1.0 192.0.2.222 is not allowed to send from <example.net> per it's SPF"),
    (SENDER, 501, "5.1.8 Sender address rejected"),
    (SENDER, 553, "5.1.8 <root@x>... Domain of sender address root@x does not exist"),
    (SENDER, 550, "5.7.1 likely suspicious due to the very low reputation of the sending IP"),
    (SENDER, 550, "Unauthenticated senders not allowed"),
    (SENDER, 550, "5.7.26 Unauthenticated email from libsisimai.org is not accepted due to"),
    (SENDER, 554, "Message rejected: Email address is not verified. The following identities"),
    (SENDER, 550, "5.1.0 MXIN506 MailFrom domain is listed in Spamhaus."),
    # rhost-google-06, rhost-microsoft-01, -04, lhost-postfix-71, exim-43
    (SENDER, 550, "5.7.25 [192.0.2.202] The IP address sending this message does not have a"),
    (SENDER, 550, "5.7.606 Access denied, banned sending IP [198.51.100.222]."),
    (SENDER, 550, "5.7.509 Access denied, sending domain [EXAMPLE.JP] does not pass DMARC"),
    (SENDER, 554, "5.7.1 Your message was rejected due to libsisimai.org's DMARC policy."),
    (SENDER, 550, "5.7.1 Fix reverse DNS for 203.0.113.2"),
    # Exchange Online: https://www.easy365manager.com/office-365-ndr-error-codes/
    (SENDER, 530, "5.7.57 SMTP; Client was not authenticated to send anonymous mail"),
    (SENDER, 450, "4.7.1 <x[192.0.2.56]>: Client host rejected: may not be mail exchanger"),
    (SENDER, 451, "4.7.650 The mail server [192.0.2.25] has been temporarily rate limited due to"),
    (SENDER, 451, "4.1.8 Domain of sender address a@b does not resolve"),
    # lhost-postfix-39, -42, -51, -54, -62, -66, -78; RFC 3463
    (MESSAGE, 554, "5.6.0 This message has been scored as spam with a probability of more than"),
    (MESSAGE, 554, "5.7.9 Message not accepted for policy reasons."),
    (MESSAGE, 550, "5.7.0 Local Policy Violation"),
    (MESSAGE, 554, "Transaction failed: Duplicate header 'DKIM-Signature'."),
    (MESSAGE, 552, "5.3.4 Message too large"),
    (MESSAGE, 552, "5.2.3 Message length exceeds limit set by recipient"),
    # lhost-postfix-09, -53, -74; https://support.google.com/a/answer/3726730
    (SERVER, 452, "4.3.2 Connection rate limit exceeded."),
    (SERVER, 504, "Command parameter not implemented"),
    (SERVER, 421, "4.7.0 [TSS04] Messages from 192.0.2.192 temporarily deferred due to unexpected"),
    (SERVER, 421, "4.4.5 Server busy, try again later."),
    (SERVER, 451, "4.3.0 Mail server temporarily rejected message."),
    (SERVER, 452, "4.5.3 Domain policy size per transaction exceeded"),
    (SERVER, 452, "4.3.1 Insufficient system storage"),
    (SERVER, 451, "Temporary local problem - please try later"),
    # https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html
    (SERVER, 421, "Too many concurrent SMTP connections"),
    (SERVER, 454, "Throttling failure: Maximum sending rate exceeded."),
    (SERVER, 503, "5.5.1 Error: need MAIL command"),
]


BY_STATUS_ALONE = [
    *((NOBODY, 550, f"5.1.{detail} x") for detail in (1, 2, 3, 6, 10, 351)),
    *((SENDER, 550, f"5.1.{detail} x") for detail in (7, 8)),
    *((MAILBOX, 550, f"5.1.{detail} x") for detail in (0, 4, 5, 9)),
    *((MAILBOX, 554, f"5.2.{detail} x") for detail in (0, 1, 4)),
    (BUSY, 554, "5.2.2 x"),
    (MESSAGE, 554, "5.2.3 x"),
    (SERVER, 554, "5.3.2 x"),
    (SERVER, 554, "5.3.5 x"),
    (MESSAGE, 554, "5.3.4 x"),
    (MESSAGE, 554, "5.3.0 x"),
    (MAILBOX, 554, "5.4.4 x"),
    (MESSAGE, 554, "5.5.0 x"),
    (MESSAGE, 554, "5.6.1 x"),
    (MAILBOX, 554, "5.6.7 x"),
    *((SENDER, 554, f"5.7.{detail} x") for detail in (8, 11, 14, 20, 30, 57, 60, 64, 500, 708)),
    *((MESSAGE, 554, f"5.7.{detail} x") for detail in (0, 1, 9, 19, 31, 133, 499)),
    *((SENDER, 451, f"4.1.{detail} x") for detail in (7, 8)),
    *((BUSY, 451, f"4.1.{detail} x") for detail in (1, 2)),
    (BUSY, 451, "4.2.1 x"),
    (SERVER, 451, "4.3.2 x"),
    (BUSY, 451, "4.4.1 x"),
    (SERVER, 451, "4.5.3 x"),
    (SERVER, 451, "4.6.1 x"),
    (SENDER, 451, "4.7.1 x"),
    (SERVER, 421, "4.2.1 x"),
]
BY_CODE_ALONE = [
    *((SENDER, code, "x") for code in (521, 530, 534, 535, 538)),
    *((SERVER, code, "x") for code in (500, 502, 503, 504, 555, 421, 451, 452, 454)),
    *((MAILBOX, code, "x") for code in (501, 550, 551, 553)),
    *((BUSY, code, "x") for code in (432, 450, 552)),
    (MESSAGE, 554, "x"),
]
BY_WORDS_ALONE = [
    *(
        (NOBODY, 554, said)
        for said in (
            "Unknown User",
            "unknown mailbox",
            "NO SUCH RECIPIENT",
            "Mailbox not found",
            "The account x does not exist",
            "User doesn't exist",
            "Unroutable address",
            "Invalid recipient",
            "This account has been discontinued",
        )
    ),
    *((BUSY, 554, said) for said in ("Mailbox full", "The INBOX is full", "User is over quota")),
    *((BUSY, 451, said) for said in ("GREYLISTED", "graylisting", "receiving mail too quickly")),
    *(
        (SENDER, 554, said)
        for said in (
            "relaying denied",
            "not permitted",
            "sender domain unknown",
            "on our Blacklist",
            "DKIM failed",
            "bad reverse DNS",
        )
    ),
    (MESSAGE, 554, "<relaying@spf.example> spam from blacklist@dmarc.example"),
]


@pytest.mark.parametrize(
    ("cause", "code", "said"), [*BY_STATUS_ALONE, *BY_CODE_ALONE, *BY_WORDS_ALONE]
)
def test_what_one_part_of_a_reply_says(cause: Cause, code: int, said: str) -> None:
    assert cause_of(code, said, status_of(said), of_recipient=True) is cause


@pytest.mark.parametrize(("cause", "code", "said"), REPLIES)
def test_what_is_said_of_a_recipient(cause: Cause, code: int, said: str) -> None:
    assert cause_of(code, said, status_of(said), of_recipient=True) is cause


@pytest.mark.parametrize(
    ("code", "said", "cause"),
    [
        (550, "Rejected", MESSAGE),  # lhost-exim-49, after the content
        (552, "Exceeded storage allocation", MESSAGE),
        (550, "5.4.1 x", SERVER),
        (450, "4.4.1 x", SERVER),
        (450, "x", SERVER),
        (550, "5.1.1 User unknown", NOBODY),
    ],
)
def test_what_is_said_of_the_content(code: int, said: str, cause: Cause) -> None:
    assert cause_of(code, said, status_of(said), of_recipient=False) is cause


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (Status(5, 1, 1), NOBODY),
        (Status(5, 0, 0), MAILBOX),
        (Status(4, 4, 7), BUSY),
        (Status(4, 2, 2), BUSY),
        (Status(5, 2, 2), BUSY),
        (None, MAILBOX),
    ],
)
def test_a_bounce_may_have_no_more_than_its_status(status: Status | None, cause: Cause) -> None:
    assert cause_of(0, "", status, of_recipient=True) is cause


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("5.1.1 User unknown", Status(5, 1, 1)),
        (" 4.7.650 later", Status(4, 7, 650)),
        ("no mailbox here (#5.1.1)", Status(5, 1, 1)),
        ("4.16.55.1 is an address", None),
        ("2.0.0 Ok", None),
        ("said 5.1.1 within", None),
        ("", None),
    ],
)
def test_where_a_status_stands(said: str, status: Status | None) -> None:
    assert status_of(said) == status


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("please come back in 00:05:00", 300.0),
        ("Greylisted for 60 seconds", 60.0),
        ("try again in 5 minutes", 300.0),
        ("wait 2 hours", 7200.0),
        ("try again in 1 min", 60.0),
        ("in 30s", 30.0),
        ("in 01:01:01", 3661.0),
        ("WAIT 2 MINUTES", 120.0),
        ("unable to deliver in 840 minutes", 7200.0),  # no longer than that
        ("try again later", None),
        ("in 3 recipients", None),
        ("", None),
    ],
)
def test_how_long_a_server_asks_to_be_left_alone(said: str, seconds: float | None) -> None:
    assert pause_of(said) == seconds
