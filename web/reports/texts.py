"""What all who carry texts report alike: a status by its word, and what people answer."""

from policy.contact.address import split_address
from policy.tracking.carrier import carrier_of
from policy.tracking.provider_report import Kind, Report
from policy.tracking.sms_words import wants_texts

KINDS = {
    "delivered": Kind.DELIVERED,
    "read": Kind.OPENED,
    "undelivered": Kind.BOUNCED,
    "expired": Kind.BOUNCED,
    "failed": Kind.FAILED,
    "rejected": Kind.FAILED,
}


def status_report(
    status: str,
    at: int,
    ticket: str = "",
    *,
    reference: str = "",
    detail: str,
    hard: bool,
    network: str = "",
) -> list[Report]:
    """What a status says; nothing for those on the way. `network` has the codes of the country and
    the network as one number, where the provider tells them."""
    kind = KINDS.get(status.lower())
    if kind is None:
        return []
    return [
        Report(
            kind=kind,
            at=at,
            ticket=ticket,
            reference=reference,
            detail=detail,
            hard=hard,
            carrier=carrier_of(network),
        )
    ]


def answer_report(text: str, number: str, at: int) -> list[Report]:
    """STOP or START from a number, or one on WhatsApp with its scheme; nothing for other texts."""
    wanted = wants_texts(text)
    scheme, bare = split_address(number.strip())
    digits = bare.removeprefix("+")
    if wanted is None or not digits.isdecimal():
        return []
    address = f"{scheme}:+{digits}" if scheme else f"+{digits}"
    return [Report(kind=Kind.START if wanted else Kind.STOP, at=at, address=address)]
