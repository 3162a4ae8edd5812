"""Addresses that bounced, complained, stopped or are gone: how they come to be barred, and end."""

from collections.abc import Iterable

from msgspec.structs import replace

from policy.contact.address import is_of_whatsapp
from policy.contact.reachable import plain
from policy.identity import delivery_id
from policy.time.timestamps import epoch_ms, moment
from policy.user.profile import Profile
from policy.user.suppression_reason import NO_END, Barred
from schemas.delivery import Delivery
from schemas.feedback import Stop, Suppression
from schemas.vocabulary import Channel, SuppressionReason

MOST_BARRED = 100
"""Bars that are kept for one user; of more, the newest."""


def with_suppression(profile: Profile, said: Suppression) -> Profile:
    """The profile with an address barred or lifted; the same one where that changes nothing."""
    address = _address_of(profile, said)
    if not address:
        return profile
    at = epoch_ms(said.at)
    until = NO_END if said.until is None else max(1, epoch_ms(said.until))
    bar = Barred(said.channel, address, said.reason, at, max(1, at) if said.lifted else until)
    return with_bar(profile, bar)


def with_bar(profile: Profile, bar: Barred) -> Profile:
    """The profile with this bar in place of an older one for the same address and reason."""
    same = bar.channel, bar.address, bar.reason
    kept = []
    for other in profile.barred:
        if (other.channel, other.address, other.reason) != same:
            kept.append(other)
        elif other == bar or other.at > bar.at:
            return profile
    newest = sorted((*kept, bar), key=lambda each: each.at)[-MOST_BARRED:]
    return replace(profile, barred=tuple(newest))


def stopped(phone: str, at: int) -> Barred:
    """The bar of a number from which STOP came at `at` (epoch ms); WhatsApp's has its scheme."""
    channel = Channel.CHAT if is_of_whatsapp(phone) else Channel.SMS
    return Barred(channel, phone, SuppressionReason.STOP, at)


def with_stop(profile: Profile, said: Stop) -> Profile:
    """The profile of a user with this phone, after STOP or START came from it."""
    at = epoch_ms(said.at)
    bar = stopped(said.phone, at)
    return with_bar(profile, bar if said.stopped else replace(bar, until=max(1, at)))


def usable(profile: Profile, channel: Channel, known: tuple[str, ...], now: int) -> tuple[str, ...]:
    """Those of the addresses that nothing bars at `now` (epoch ms)."""
    barred = profile.barred
    return tuple(a for a in known if not any(bar.holds(channel, a, now) for bar in barred))


def with_registration(profile: Profile, address: str, at: int) -> Profile:
    """The profile after an app registered its device at `at` (epoch ms): so it is there again.

    What a provider said before that it is gone is over, also if that is told once more.
    """
    for bar in profile.barred:
        gone = bar.channel is Channel.PUSH and bar.reason is SuppressionReason.UNREGISTERED
        if gone and bar.address == address and bar.at < at:
            return with_bar(profile, replace(bar, at=at, until=at))
    return profile


def why_barred(profile: Profile, channel: Channel, known: Iterable[str], now: int) -> str:
    """What bars the addresses, for whoever asks; empty where only the contacts say so."""
    found = (b.shown() for a in known for b in profile.barred if b.holds(channel, a, now))
    return ", ".join(dict.fromkeys(found))


def unregistered(delivery: Delivery, now: int) -> Suppression:
    """What to remember of an address that its provider says is gone.

    A number is gone to a provider when its owner answered STOP there, which START takes back.
    """
    is_number = delivery.channel is Channel.SMS or is_of_whatsapp(delivery.address)
    return Suppression(
        user=delivery.user,
        tenant=delivery.tenant,
        accepted_at=delivery.accepted_at,
        channel=delivery.channel,
        reason=SuppressionReason.STOP if is_number else SuppressionReason.UNREGISTERED,
        at=moment(now),
        address=delivery.address,
    )


def _address_of(profile: Profile, said: Suppression) -> str:
    """The address as deliveries have it: a provider may write it another way."""
    name, channel = said.notification_id, said.channel
    if not said.delivery_id:
        return _as_kept(profile, channel, said.address)
    for address in (*profile.addresses(channel), said.address):
        if delivery_id(name, channel, address) == said.delivery_id:
            return address
    # It was changed meanwhile, and changed back it would still be dead.
    return _as_kept(profile, channel, said.address)


def _as_kept(profile: Profile, channel: Channel, address: str) -> str:
    known, wanted = profile.addresses(channel), plain(channel, address)
    if address in known:
        return address
    return next((each for each in known if plain(channel, each) == wanted), wanted)
