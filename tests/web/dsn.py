"""Bounces and complaints as other servers write them, and as a relay pipes them to us."""

import base64

from web.reports.incoming import Incoming

URL = "https://n.example.com/webhooks/smtp"


def piped(mail: str | bytes) -> Incoming:
    """The request of a relay that knows the password."""
    pair = base64.b64encode(b"relay:password").decode()
    body = mail.encode() if isinstance(mail, str) else mail
    headers = {"Authorization": f"Basic {pair}", "Content-Type": "message/rfc822"}
    return Incoming(method="POST", url=URL, headers=headers, body=body)


def dsn(
    *blocks: str,
    returned: str = "",
    to: str = "shop@example.com",
    envelope: str = "",
    returned_type: str = "text/rfc822-headers",
    report_type: str = "delivery-status",
) -> str:
    """A report in the form of RFC 3464, with a block of fields for each recipient."""
    named = f"Original-Envelope-Id: {envelope}\n" if envelope else ""
    fields = "\n".join(f"{block.strip()}\n" for block in blocks)
    return f"""\
Return-Path: <>
Date: Thu, 26 Nov 2026 08:00:00 +0100 (CET)
From: MAILER-DAEMON@relay.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type={report_type};
\tboundary="4RcD8k/relay.example.com"

This is a MIME-encapsulated message.

--4RcD8k/relay.example.com
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--4RcD8k/relay.example.com
Content-Description: Delivery report
Content-Type: message/{report_type}

Reporting-MTA: dns; relay.example.com
{named}Arrival-Date: Thu, 26 Nov 2026 08:00:00 +0100 (CET)

{fields}
--4RcD8k/relay.example.com
Content-Description: Undelivered Message Headers
Content-Type: {returned_type}

{returned}

--4RcD8k/relay.example.com--
"""


def complaint(kind: str, returned: str) -> str:
    """A report in the form of RFC 5965."""
    written = dsn(returned=returned, report_type="feedback-report")
    start, _, rest = written.partition("Reporting-MTA:")
    _, _, end = rest.partition("\n\n")
    fields = f"Feedback-Type: {kind}\nUser-Agent: SomeGenerator/1.0\nVersion: 1\n"
    return f"{start}{fields}Original-Rcpt-To: <ann@example.com>\n\n{end}"


def failed(diagnosis: str, status: str = "5.0.0", action: str = "failed") -> str:
    """What is told of one recipient."""
    return f"""\
Final-Recipient: rfc822; ann@example.com
Original-Recipient: rfc822;ann@example.com
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.com
Diagnostic-Code: {diagnosis}
"""
