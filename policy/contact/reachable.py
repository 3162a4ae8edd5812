"""Contacts as they are kept: with addresses that can be used, each written in one way."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from msgspec.structs import replace

from policy.contact.endpoint import check_endpoints
from policy.contact.mailbox import plain_mailbox
from policy.contact.phone import plain_phone
from policy.user.profile import Profile
from schemas.errors import BadRecord
from schemas.profile import Contacts
from schemas.vocabulary import Channel, Reason

_PLAIN: Mapping[Channel, Callable[[str], str]] = {
    Channel.EMAIL: plain_mailbox,
    Channel.SMS: plain_phone,
}


def usable_contacts(
    contacts: Contacts, exceptions: Collection[str]
) -> tuple[Contacts, BadRecord | None]:
    """The contacts with plain addresses, and what is wrong with those that were left out.

    What is blank is as absent. Whoever has a number that can't be used can still be reached in
    every other way. Raises BadRecord, which names the field, for what leads into our own network;
    `exceptions` are hosts that may be private, see policy.contact.endpoint.
    """
    check_endpoints(contacts, exceptions)
    complaints: list[str] = []
    email = _checked("email", contacts.email, plain_mailbox, complaints)
    phone = _checked("phone", contacts.phone, plain_phone, complaints)
    suppressed = tuple(map(_plain_if_any, contacts.suppressed))
    if (email, phone, suppressed) != (contacts.email, contacts.phone, contacts.suppressed):
        contacts = replace(contacts, email=email, phone=phone, suppressed=suppressed)
    wrong = BadRecord(Reason.INVALID, "; ".join(complaints)) if complaints else None
    return contacts, wrong


def plain(channel: Channel, address: str) -> str:
    """The address as contacts have it now; itself where it can't be one of the channel's."""
    if channel in _PLAIN:
        with suppress(ValueError):
            return _PLAIN[channel](address)
    return address


def with_rewritten(before: Profile, after: Profile) -> Profile:
    """The profile `after`, in which what bars an address of `before` bars it as it is written now.

    So whoever said STOP is not asked again only because their number was put another way.
    """
    written = {
        (channel, old): new
        for channel, old, new in (
            (Channel.EMAIL, before.email, after.email),
            (Channel.SMS, before.phone, after.phone),
        )
        if old != new and plain(channel, old) == new
    }
    if not written or not after.barred:
        return after
    barred = tuple(
        replace(bar, address=written.get((bar.channel, bar.address), bar.address))
        for bar in after.barred
    )
    return replace(after, barred=barred)


def _checked(
    field: str, text: str | None, plainly: Callable[[str], str], complaints: list[str]
) -> str | None:
    if text is None or not text.strip():
        return None
    try:
        return plainly(text)
    except ValueError as error:
        complaints.append(f"{field} {error}")
        return None


def _plain_if_any(address: str) -> str:
    """One that bounced or complained: an e-mail address, a number, or a token as it is."""
    return plain(Channel.EMAIL if "@" in address else Channel.SMS, address)
