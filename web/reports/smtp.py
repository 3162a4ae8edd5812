"""Bounces and complaints as mails, which a relay pipes to us: DSN (RFC 3464) and ARF (RFC 5965)."""

import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes, message_from_string
from email.message import Message
from email.utils import parsedate_to_datetime

from pipeline.settings import Settings
from policy.tracking.bounce_token import BOUNCE, LENGTH, TICKET
from policy.tracking.mail_status import Cause, cause_of, status_of
from policy.tracking.provider_report import Kind, Report
from schemas.vocabulary import Channel
from web.reports.basic import BasicPair
from web.reports.incoming import Incoming, Malformed

STATUSES = ("message/delivery-status", "message/global-delivery-status")
RETURNED = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
COMPLAINT = "message/feedback-report"
MOST_PARTS = 100
_TOKEN = re.compile(rf"(?:{re.escape(BOUNCE)}|^)([a-z2-7]{{{LENGTH}}})(?:@|$)", re.IGNORECASE)
_DIAGNOSIS = re.compile(r"\s*[\w-]*\s*;\s*(?:(\d{3})[ -]+)?(.*)", re.DOTALL)
_BLANKS = re.compile(r"\s+")
_EMPTY_LINES = re.compile(r"\r?\n(?:\r?\n)+")


class SmtpReports:
    """What relays and other servers report on mail that went by SMTP."""

    name = "smtp"
    channel = Channel.EMAIL

    def __init__(self, settings: Settings) -> None:
        self._pair = BasicPair(settings.smtp_webhook_user, settings.smtp_webhook_password)
        self.is_set_up = self._pair.is_set

    async def verify(self, incoming: Incoming, now: int) -> None:
        """Check the user and the password of whoever pipes; raises BadSignature.

        Anybody may have written the mail: it counts by the ticket or token in it, which are signed.
        """
        self._pair.check(incoming)

    def parse(self, incoming: Incoming, now: int) -> Sequence[Report]:
        """What the mail says of each recipient; nothing where it is no report."""
        try:
            mail = message_from_bytes(incoming.body)
            parts = _parts_of(mail)
            return list(_reports_of(mail, parts, now))
        except (RecursionError, ValueError, LookupError) as error:
            raise Malformed(type(error).__name__) from None


def _reports_of(mail: Message, parts: Sequence[Message], now: int) -> Iterator[Report]:
    returned = next((_returned(part) for part in parts if _kind(part) in RETURNED), Message())
    blocks = [block for part in parts if _kind(part) in STATUSES for block in _blocks_of(part)]
    ticket = _BLANKS.sub("", _value(returned, TICKET))
    places = [*mail.values(), *returned.values()]
    places += [_value(block, "Original-Envelope-Id") for block in blocks]
    reference = next((f[1].lower() for place in places if (f := _TOKEN.search(str(place)))), "")
    at = _moment(mail, now)
    for block in blocks:
        kind = {"failed": Kind.BOUNCED, "delivered": Kind.DELIVERED}.get(_action(block))
        if kind is not None:
            detail = _value(block, "Diagnostic-Code") or _value(block, "Status")
            yield Report(
                kind=kind,
                at=at,
                ticket=ticket,
                reference=reference,
                address=_address(block, "Original-Recipient") or _address(block, "Final-Recipient"),
                detail=_DIAGNOSIS.sub(r"\1 \2", detail).strip(),
                hard=kind is Kind.BOUNCED and _is_hard(block),
            )
    for part in parts:
        if _kind(part) == COMPLAINT:
            yield from _complaints(part, at, ticket, reference)


def _complaints(part: Message, at: int, ticket: str, reference: str) -> Iterator[Report]:
    for block in _blocks_of(part):
        said = _value(block, "Feedback-Type").lower()
        if not said or said == "not-spam":
            continue
        yield Report(
            kind=Kind.UNSUBSCRIBED if said.startswith("opt-out") else Kind.COMPLAINED,
            at=at,
            ticket=ticket,
            reference=reference,
            address=_value(block, "Original-Rcpt-To").strip("<>"),
            detail=said,
        )


def _is_hard(block: Message) -> bool:
    """Whether nobody can be reached there, however long one waits.

    What the server said counts before the status, which many make up from its code.
    """
    found = _DIAGNOSIS.fullmatch(_value(block, "Diagnostic-Code"))
    code, said = (int(found[1] or 0), found[2]) if found else (0, "")
    status = status_of(said) or status_of(_value(block, "Status"))
    return cause_of(code, said, status, of_recipient=True) is Cause.NOBODY


def _parts_of(mail: Message) -> Sequence[Message]:
    """The parts of the report itself, and not those of the mail that it brings back."""
    if not mail.is_multipart() or mail.get_content_maintype() != "multipart":
        return [mail]
    found: list[Message] = []
    payload = mail.get_payload()
    for part in payload[:MOST_PARTS] if isinstance(payload, list) else ():
        if isinstance(part, Message):
            found += _parts_of(part) if part.get_content_maintype() == "multipart" else [part]
    return found


def _blocks_of(part: Message) -> Sequence[Message]:
    """The groups of fields in a part."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        return []
    blocks = [each for each in payload if isinstance(each, Message)]
    if blocks and _kind(part) == STATUSES[1]:
        # The parser knows no groups where addresses may have other letters (RFC 6533): those
        # after the first are its body.
        rest = str(blocks[0].get_payload())
        blocks += [message_from_string(group) for group in _EMPTY_LINES.split(rest) if group]
    return blocks


def _returned(part: Message) -> Message:
    """The mail that is brought back, or its headers alone."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return payload[0] if payload and isinstance(payload[0], Message) else Message()
    decoded = part.get_payload(decode=True)
    text = decoded.decode(errors="replace") if isinstance(decoded, bytes) else ""
    return message_from_string(text.lstrip())


def _kind(part: Message) -> str:
    return part.get_content_type()


def _value(block: Message, name: str) -> str:
    return _BLANKS.sub(" ", str(block.get(name, ""))).strip()


def _action(block: Message) -> str:
    return _value(block, "Action").partition(" ")[0].lower()


def _address(block: Message, name: str) -> str:
    """`rfc822; ann@example.com`, without the kind, and in brackets at some."""
    return _value(block, name).rpartition(";")[2].strip().strip("<>")


def _moment(mail: Message, now: int) -> int:
    """When the report was written, which is no later than now whatever its clock says."""
    try:
        return min(now, round(parsedate_to_datetime(_value(mail, "Date")).timestamp() * 1000))
    except (ValueError, OverflowError):
        return now
