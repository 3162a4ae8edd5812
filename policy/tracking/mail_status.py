"""What mail servers' replies and bounces say: whose fault it is that a mail was not taken.

By the enhanced status (RFC 3463, 7372, 7505) where there is one. Servers put much under one status
that others keep apart, and some say none: then their words tell.
"""

import re
from enum import StrEnum
from typing import NamedTuple


class Cause(StrEnum):
    """What a mail failed on."""

    NOBODY = "nobody"
    """There is no such mailbox, or no such domain."""
    MAILBOX = "mailbox"
    """It is closed, or out of reach; it may be that only we don't get through."""
    BUSY = "busy"
    """This mailbox takes nothing now: it is full, gets too much, or has yet to know us."""
    SENDER = "sender"
    """Our address, network, rights or name: others' mail is taken."""
    MESSAGE = "message"
    SERVER = "server"
    """It can't now, whatever it is asked."""


class Status(NamedTuple):
    """An enhanced status; `kind` is 4 or 5."""

    kind: int
    subject: int
    detail: int


_STATUS = re.compile(r"\s*([45])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_QMAILS = re.compile(r"\(#([45])\.(\d{1,3})\.(\d{1,3})\)")
_ADDRESSES = re.compile(r"<[^<>]*>|\S+@\S+")
"""They may hold any words."""
_UNKNOWN = re.compile(
    r"\b(?:unknown (?:user|recipient|mailbox|local.part)|user unknown|"
    r"no such (?:user|recipient|mailbox|person|address)|(?:user|recipient|mailbox) not found|"
    r"no mailbox|user not exist|invalid recipient|doesn.t have an? \S+ account|"
    r"(?:user|account|mailbox|recipient|address)\b.{0,30}\bdoes ?n[o']t exist|"
    r"unrout(?:e?)able address|recipient no longer|account has been (?:disabled|discontinued))",
    re.IGNORECASE,
)
_OURS = re.compile(
    r"\b(?:relay access denied|(?:to|not|relay) (?:relay|permitted)|relaying|not verified|"
    r"not authori[sz]ed|not authenticated|(?:un)?authenticat\w+ (?:required|senders?)|"
    r"sender address|sender domain|sending (?:ip|domain)|allowed to send|client host|"
    r"helo command|blocked using|black ?list|block ?list|dnsbl|spamhaus|banned|"
    r"spf|dkim(?!-)|dmarc|reverse dns|ptr|ip reputation|reputation of the sending|client ip)\b",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"\b(?:over ?quota|quota exceeded|(?:mailbox|inbox)(?: is)? full|out of storage)\b",
    re.IGNORECASE,
)
_RATE = re.compile(r"\b(?:at a rate|too quickly|thread limit)\b", re.IGNORECASE)
_TO_COME_BACK = re.compile(r"\bgr[ae]y-?list", re.IGNORECASE)
_PAUSE = re.compile(
    r"\b(?:in|for|after|wait|another)\s+(\d{1,6})\s*(s|sec|second|m|min|minute|h|hour)s?\b"
    r"|\b(\d\d):(\d\d):(\d\d)\b",
    re.IGNORECASE,
)
_SECONDS = {"s": 1, "m": 60, "h": 3600}
LONGEST_PAUSE = 7200.0
"""Seconds; what is asked for beyond it is asked for again then."""

_NOBODY = frozenset({(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (1, 351)})
"""x.1.10 is a domain that takes no mail by RFC 7505, and no recipient at Exchange Online, which has
x.1.351 for what another server told it."""
_TOO_LARGE = frozenset({(2, 3), (3, 4)})
_WHO_WE_ARE = frozenset({8, 11, 14, *range(20, 31), 57, 60, 64})
"""Details of x.7: who may send, from where, and as whom (RFC 4954, 7372; Exchange's own)."""
_EXCHANGE_ACCESS = 500
"""From this detail of x.7 on Exchange Online tells of networks, tenants and DMARC."""
_ACCESS_CODES = (521, 530, 534, 535, 538)
_PROTOCOL_CODES = (500, 502, 503, 504, 555)


def status_of(said: str) -> Status | None:
    """The enhanced status at the start of a reply's text, or in qmail's brackets."""
    found = _STATUS.match(said) or _QMAILS.search(said)
    return None if found is None else Status(*(int(part) for part in found.groups()))


def pause_of(said: str) -> float | None:
    """Seconds for which a reply's text asks to be left alone; None where it does not say."""
    found = _PAUSE.search(said)
    if found is None:
        return None
    count, unit, hours, minutes, seconds = found.groups()
    if unit:
        asked = int(count) * _SECONDS[unit[0].lower()]
    else:
        asked = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return min(float(asked), LONGEST_PAUSE)


def is_full(said: str, status: Status | None) -> bool:
    """Whether a mailbox has no room."""
    return bool(_FULL.search(said)) or (status is not None and status[1:] == (2, 2))


def cause_of(code: int, said: str, status: Status | None, *, of_recipient: bool) -> Cause:
    """What a reply of 400 or above, or a bounce with this diagnosis, says was the matter.

    `code` is the reply's, 0 where none is known; `of_recipient` says whether it was given for the
    recipient, and not for the sender or the content.
    """
    words = _ADDRESSES.sub(" ", said)
    kind = status.kind if status is not None and not code else code // 100
    if kind == 4:
        return _delayed(code, words, status, of_recipient=of_recipient)
    return _failed(code, words, status, of_recipient=of_recipient)


def _delayed(code: int, words: str, status: Status | None, *, of_recipient: bool) -> Cause:
    if code in (421, 454):
        return Cause.SERVER
    elif _TO_COME_BACK.search(words) or is_full(words, status) or _RATE.search(words):
        return Cause.BUSY
    subject, detail = (0, 0) if status is None else status[1:]
    match subject:
        case 1:
            return Cause.SENDER if detail in (7, 8) else Cause.BUSY
        case 2:
            return Cause.BUSY
        case 4:
            return Cause.BUSY if of_recipient else Cause.SERVER
        case 7:
            return Cause.SENDER
        case 0 if code in (432, 450) and of_recipient:
            return Cause.BUSY
    return Cause.SERVER


def _failed(code: int, words: str, status: Status | None, *, of_recipient: bool) -> Cause:
    subject, detail = (0, 0) if status is None else status[1:]
    if code in _ACCESS_CODES or _OURS.search(words):
        return Cause.SENDER
    elif is_full(words, status):
        return Cause.BUSY
    elif (subject, detail) in _NOBODY:
        return Cause.BUSY if "too many" in words.lower() else Cause.NOBODY
    match subject:
        case 1 if detail in (7, 8):
            return Cause.SENDER
        case 2 if _RATE.search(words):
            return Cause.BUSY
        case 2 if (subject, detail) not in _TOO_LARGE:
            return Cause.NOBODY if _UNKNOWN.search(words) else Cause.MAILBOX
        case 3 if detail in (2, 5):
            return Cause.SERVER
        case 4:
            return Cause.MAILBOX if of_recipient else Cause.SERVER
        case 6 if detail == 7:
            return Cause.MAILBOX
        case 7 if detail in _WHO_WE_ARE or detail >= _EXCHANGE_ACCESS:
            return Cause.SENDER
        case 2 | 6:
            return Cause.MESSAGE
        case 7:
            return Cause.NOBODY if _UNKNOWN.search(words) else Cause.MESSAGE
    if (subject, detail) in _TOO_LARGE:
        return Cause.MESSAGE
    return _by_words(code, words, of_recipient=of_recipient)


def _by_words(code: int, words: str, *, of_recipient: bool) -> Cause:
    """Where no status says more than that it failed."""
    if _UNKNOWN.search(words):
        return Cause.NOBODY
    elif code in _PROTOCOL_CODES:
        return Cause.SERVER
    elif of_recipient and code == 552:
        return Cause.BUSY
    elif of_recipient and code in (0, 501, 550, 551, 553):
        return Cause.MAILBOX
    return Cause.MESSAGE
