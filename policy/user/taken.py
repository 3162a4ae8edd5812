"""Which record of a user counts: the one that Kafka took last, also where it is read before others.

A record that was moved from another partition may be read after one that Kafka took later, or
before one that it took earlier. So a profile keeps, by what was said, when that was taken, and an
older record changes only what no newer one has said. Between two records that were never moved the
order of their partition decides, as ever: a broker's clock may go backwards.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

from msgspec.structs import replace

from policy.contact.address import push_address
from policy.user.profile import MOST_DEVICES, Profile
from policy.user.profile_change import with_change
from schemas.profile import Contacts, DeviceChange, Preferences, Presence, ProfileChange
from schemas.vocabulary import Channel

Said = Contacts | DeviceChange | Preferences | ProfileChange | Presence
CONTACTS, PREFERENCES, QUIET_HOURS, ZONE = "c", "p", "q", "z"
MOST_KEPT = 1000
"""Times of one user; of more, the latest."""
TAKEN_RETENTION_MS = 31 * 86_400_000
"""How long a time is kept: longer than the way of a moved record through topics can take."""


class Taken(NamedTuple):
    """When Kafka took a record (epoch ms), and whether it was moved since."""

    at: int
    is_moved: bool = False


def with_said(profile: Profile, said: Said, taken: Taken) -> Profile:
    """The profile with what the record says, as far as nothing was said after it."""
    newer = {part for part, last in profile.taken.items() if _is_newer(last, taken)}
    match said:
        case Contacts():
            return _with_contacts(profile, said, taken, newer)
        case Preferences():
            return _with_preferences(profile, said, taken, newer)
        case ProfileChange():
            said = _without_late(said, newer)
            return _note(with_change(profile, said), taken, newer, *_parts(said))
        case DeviceChange():
            part = _device(push_address(said.device))
            if {CONTACTS, part} & newer:
                return profile
            return _note(profile.with_device(said), taken, newer, part)
        case Presence():
            return _with_presence(profile, said, taken, newer)


def _with_contacts(profile: Profile, said: Contacts, taken: Taken, newer: set[str]) -> Profile:
    if CONTACTS in newer:
        return profile
    after = profile.with_contacts(said)
    if any(part[0] == "d" for part in newer):
        # Devices that came or went since stay as they are.
        listed = (each for each in after.devices if _device(each) not in newer)
        since = (each for each in profile.devices if _device(each) in newer)
        after = replace(after, devices=(*listed, *since)[-MOST_DEVICES:])
    if ZONE in newer:
        after = replace(after, zone=profile.zone)
    return _note(after, taken, newer, CONTACTS, over="dz")


def _with_preferences(
    profile: Profile, said: Preferences, taken: Taken, newer: set[str]
) -> Profile:
    if PREFERENCES in newer:
        return profile
    after = profile.with_preferences(said)
    if newer:
        after = with_change(after, _said_since(profile, newer))
    if QUIET_HOURS in newer:
        after = replace(after, quiet_hours=profile.quiet_hours)
    return _note(after, taken, newer, PREFERENCES, over="kfq")


def _said_since(profile: Profile, newer: set[str]) -> ProfileChange:
    categories = {
        category: {on: wish for on, wish in cell.items() if _cell(category, on) in newer}
        for category, cell in profile.categories.items()
    }
    frequency = {name: wish for name, wish in profile.frequency.items() if f"f{name}" in newer}
    return ProfileChange(
        user="somebody", categories={k: v for k, v in categories.items() if v}, frequency=frequency
    )


def _with_presence(profile: Profile, said: Presence, taken: Taken, newer: set[str]) -> Profile:
    part = f"o{said.device}"
    after = profile.with_presence(said)
    if any(other[0] == "o" for other in newer):
        # What is known of other devices stays, and when one was left last is the later moment.
        after = replace(after, left_at=max(after.left_at, profile.left_at))
    if part in newer:
        return replace(profile, left_at=after.left_at)
    return _note(after, taken, newer, part)


def _without_late(said: ProfileChange, newer: set[str]) -> ProfileChange:
    """What the change says that nothing newer has said."""
    if not newer:
        return said
    late = {*_parts(said)} if PREFERENCES in newer else newer
    categories = {
        category: {on: wish for on, wish in cell.items() if _cell(category, on) not in late}
        for category, cell in said.categories.items()
    }
    return replace(
        said,
        categories={category: cell for category, cell in categories.items() if cell},
        frequency={name: wish for name, wish in said.frequency.items() if f"f{name}" not in late},
        quiet_hours=None if QUIET_HOURS in late else said.quiet_hours,
        zone=None if {ZONE, CONTACTS} & newer else said.zone,
    )


def _parts(said: ProfileChange) -> Iterator[str]:
    for category, cell in said.categories.items():
        yield from (_cell(category, on) for on in cell)
    yield from (f"f{name}" for name in said.frequency)
    if said.quiet_hours is not None:
        yield QUIET_HOURS
    if said.zone is not None:
        yield ZONE


def _cell(category: str, on: Channel) -> str:
    return f"k{on}/{category}"


def _device(address: str) -> str:
    return "d" + blake2b(address.encode(), digest_size=8).hexdigest()


def _is_newer(last: int, taken: Taken) -> bool:
    """Whether what was taken then, below 0 if it was moved, is newer than this record."""
    return (taken.is_moved or last < 0) and abs(last) > taken.at


def _note(profile: Profile, taken: Taken, newer: set[str], *parts: str, over: str = "") -> Profile:
    """The profile with the times of these parts; those `over` which they go need none any more."""
    times = {
        part: at
        for part, at in profile.taken.items()
        if abs(at) + TAKEN_RETENTION_MS > taken.at and (part[0] not in over or part in newer)
    }
    times |= dict.fromkeys(parts, -taken.at if taken.is_moved else taken.at)
    if len(times) > MOST_KEPT:
        times = dict(sorted(times.items(), key=lambda item: abs(item[1]))[-MOST_KEPT:])
    # In one order, whichever record came first: what is stored is the same byte for byte.
    return replace(profile, taken=dict(sorted(times.items())))
