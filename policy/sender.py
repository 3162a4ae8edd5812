"""Who e-mails are from, as types and tenants say it."""

import re
from collections.abc import Iterator

from msgspec.structs import replace

from policy.catalogue.entry import SenderEntry
from policy.catalogue.problem import Problem
from policy.contact.mailbox import plain_mailbox
from policy.rendering.sandbox.plain_text import one_line
from schemas.delivery import Sender

_TEMPLATE = re.compile("{{|{%|}}|%}")


def sender_problems(entry: SenderEntry) -> Iterator[Problem]:
    """What can't be used; paths begin within the table."""
    if entry == SenderEntry():
        yield (), "says nothing: it has name, address and reply_to"
    if entry.name is not None and (one_line(entry.name) != entry.name or not entry.name.strip()):
        yield ("name",), "is empty, or has line breaks or other control characters"
    for field in ("name", "address", "reply_to"):
        if _TEMPLATE.search(getattr(entry, field) or ""):
            yield (field,), "is sent as it stands here: a sender is no template"
    for field in ("address", "reply_to"):
        given = getattr(entry, field)
        if given is not None and not _TEMPLATE.search(given):
            try:
                plain_mailbox(given)
            except ValueError as error:
                named = "is more than an address: a name goes into name"
                yield (field,), named if "<" in given else str(error)


def sender_of(entry: SenderEntry | None) -> Sender | None:
    """The sender that a table without problems describes."""
    if entry is None:
        return None
    address, reply_to = (
        plain_mailbox(each) if each else "" for each in (entry.address, entry.reply_to)
    )
    return Sender(name=entry.name or "", address=address, reply_to=reply_to)


def merged(own: Sender | None, other: Sender | None) -> Sender | None:
    """Field by field what the first says, else the second; a name belongs to its address."""
    if own is None or other is None:
        return own or other
    found = replace(own, reply_to=own.reply_to or other.reply_to)
    if own.address:
        return found
    return replace(found, name=own.name or other.name, address=other.address)
