"""What each reply of a mail relay means for the mail that it was given for."""

from enum import IntEnum

from policy.tracking.mail_status import Cause, cause_of, is_full, pause_of, status_of
from schemas.vocabulary import Reason
from sinks.http.client import MAX_DETAIL
from sinks.provider import Fault, PermanentFailure, TransientFailure

FULL_AFTER = 1800.0
"""Seconds until a mailbox without room is tried again: somebody has to read and delete."""
BUSY_AFTER = 300.0
"""Seconds where it gets too much, or has yet to know us: the usual time of greylists."""
THROTTLED = ("too many", "rate", "throttl", "busy", "unexpected volume", "unusual")
"""How servers word that they get more than they take."""


class Stage(IntEnum):
    """What was asked last."""

    GREETING = 0  # to serve us at all: its greeting, EHLO, STARTTLS
    LOGIN = 1
    SENDER = 2  # MAIL FROM
    RECIPIENT = 3  # RCPT TO
    DATA = 4
    MAIL = 5  # to take what ended with the final dot


def outcome_of(stage: Stage, code: int, text: str) -> TransientFailure | PermanentFailure:
    """What a reply of 400 or above means; `text` is its lines without their codes."""
    said = _on_one_line(text)
    status = status_of(said)
    detail = f"{code} {said}"[:MAX_DETAIL]
    if stage is Stage.LOGIN:
        # Some repeat what they were sent.
        detail = f"{code} {'.'.join(map(str, status))}" if status else f"{code}"
        return TransientFailure(
            Reason.UNAUTHORIZED if code >= 500 else Reason.PROVIDER_ERROR, detail
        )
    cause = cause_of(code, said, status, of_recipient=stage is Stage.RECIPIENT)
    if stage is Stage.GREETING and code >= 500:
        cause = Cause.SENDER
    elif stage is Stage.SENDER and cause in (Cause.NOBODY, Cause.MAILBOX, Cause.BUSY):
        cause = Cause.SENDER if code >= 500 else Cause.SERVER
    elif stage is Stage.SENDER and cause is Cause.MESSAGE and not _is_too_large(code, said):
        cause = Cause.SENDER
    after = pause_of(said) if code < 500 else None
    match cause:
        case Cause.NOBODY:
            is_none = status is not None and status[1:] == (1, 3)
            return PermanentFailure(
                Reason.INVALID_ADDRESS if is_none else Reason.UNREGISTERED, detail
            )
        case Cause.MAILBOX:
            return PermanentFailure(Reason.UNREGISTERED, detail, lasting=False)
        case Cause.BUSY:
            usual = FULL_AFTER if is_full(said, status) else BUSY_AFTER
            return TransientFailure(Reason.THROTTLED, detail, after or usual, fault=Fault.ADDRESS)
        case Cause.MESSAGE:
            return PermanentFailure(Reason.REJECTED, detail)
        case Cause.SENDER if code >= 500:
            return TransientFailure(Reason.UNAUTHORIZED, detail)
        case Cause.SENDER:
            # Of one recipient's server or of all: which it is shows when others are served.
            return TransientFailure(Reason.THROTTLED, detail, after, fault=Fault.CREDENTIALS)
    is_too_much = any(word in said.lower() for word in THROTTLED)
    return TransientFailure(
        Reason.THROTTLED if is_too_much else Reason.PROVIDER_ERROR, detail, after
    )


def unreadable(stage: Stage) -> TransientFailure:
    """A reply that is none of a mail server's; its text is kept out of the detail."""
    uncertain = stage is Stage.MAIL
    return TransientFailure(Reason.UNREADABLE_REPLY, "a reply that is no SMTP", uncertain=uncertain)


def _is_too_large(code: int, said: str) -> bool:
    status = status_of(said)
    return code == 552 or (status is not None and status[1:] in ((2, 3), (3, 4)))


def _on_one_line(text: str) -> str:
    """Without the status, which each further line repeats, and without what is not printable."""
    first, *others = text.split("\n")
    status = status_of(first)
    again = ".".join(map(str, status)) if status else ""
    lines = [first, *(line.removeprefix(again).strip() for line in others)]
    joined = " ".join(line.strip() for line in lines if line.strip())
    return "".join(sign if sign.isprintable() else " " for sign in joined)
