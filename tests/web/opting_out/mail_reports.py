"""What providers of mail report, each in its own words."""

from typing import Any

from tests.policy.samples import NOON
from tests.web.dsn import dsn, failed


def sendgrid(event: str, ticket: str, **fields: Any) -> list[dict[str, Any]]:
    at = NOON // 1000 + 120
    return [
        {"event": event, "email": "ann@example.com", "timestamp": at, "ticket": ticket, **fields}
    ]


def mailgun(event: str, ticket: str, **fields: Any) -> dict[str, Any]:
    variables = {"user-variables": {"ticket": ticket}}
    at = NOON / 1000 + 120
    return {"event": event, "recipient": "ann@example.com", "timestamp": at, **variables, **fields}


def ses(kind: str, ticket: str, **fields: Any) -> dict[str, Any]:
    mail = {"destination": ["ann@example.com"], "tags": {"ticket": [ticket]}}
    return {"eventType": kind, "mail": mail, kind.lower(): fields}


def postmark(kind: str, ticket: str, **fields: Any) -> dict[str, Any]:
    pieces = {f"ticket{n}": ticket[80 * n : 80 * n + 80] for n in range(-(-len(ticket) // 80))}
    who = {"Recipient": "ann@example.com"}
    return {"RecordType": kind, "Metadata": pieces, **who, **fields}


def resend(kind: str, ticket: str, **fields: Any) -> dict[str, Any]:
    data = {"to": ["ann@example.com"], "tags": {"ticket": ticket}, **fields}
    return {"type": f"email.{kind}", "created_at": "2026-03-01T12:02:00Z", "data": data}


def smtp(said: str, ticket: str, action: str = "failed") -> str:
    back = f"From: shop@example.com\nX-Tocsin-Ticket: {ticket}"
    return dsn(failed(f"smtp; {said}", said[4:9], action), returned=back)
