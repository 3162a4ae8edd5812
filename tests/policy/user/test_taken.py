"""The record that Kafka took last counts, in whichever order records of two places are read."""

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.user.profile import Profile
from policy.user.profile_change import with_change
from policy.user.taken import MOST_KEPT, TAKEN_RETENTION_MS, Said, Taken, with_said
from schemas.profile import (
    Contacts,
    Device,
    DeviceChange,
    Preferences,
    Presence,
    ProfileChange,
    QuietHours,
)
from schemas.vocabulary import Channel, Frequency

START = datetime(2026, 3, 14, 9, tzinfo=UTC)
NIGHT = QuietHours(start="22:00", end="07:00")
_names = st.sampled_from(["orders", "social"])
_wishes = st.dictionaries(st.sampled_from([Channel.PUSH, Channel.EMAIL]), st.booleans())
_cells = st.dictionaries(_names, _wishes, max_size=2)
_often = st.dictionaries(_names, st.sampled_from(list(Frequency)), max_size=2)
_devices = st.sampled_from([Device(token=token) for token in ("phone", "tablet", "watch")])
_zones = st.sampled_from([None, "Europe/Berlin", "Asia/Tokyo"])
_nights = st.sampled_from([(), (NIGHT,)])
_said: st.SearchStrategy[Said] = st.one_of(
    st.builds(
        Contacts,
        user=st.just("ann"),
        devices=st.lists(_devices, max_size=2).map(tuple),
        email=st.sampled_from([None, "a@example.com", "b@example.com"]),
        zone=_zones,
    ),
    st.builds(DeviceChange, user=st.just("ann"), device=_devices, removed=st.booleans()),
    st.builds(
        Preferences,
        user=st.just("ann"),
        channels=_wishes,
        categories=_cells,
        frequency=_often,
        quiet_hours=_nights,
    ),
    st.builds(
        ProfileChange,
        user=st.just("ann"),
        categories=_cells,
        frequency=_often,
        quiet_hours=st.one_of(st.none(), _nights),
        zone=_zones,
    ),
    st.builds(
        Presence,
        user=st.just("ann"),
        online=st.booleans(),
        until=st.just(START),
        device=st.sampled_from(["app", "web"]),
    ),
)


def at(second: int) -> int:
    """Epoch ms of this second of the test."""
    return int((START + timedelta(seconds=second)).timestamp() * 1000)


def timed(said: Said, second: int) -> Said:
    """The same, where presence says of which moment it speaks."""
    if not isinstance(said, Presence):
        return said
    return replace(said, until=START + timedelta(seconds=second))


def in_turn(profile: Profile, said: Said) -> Profile:
    """What a record does that is read in its turn: the oracle keeps no times."""
    match said:
        case Contacts():
            return profile.with_contacts(said)
        case DeviceChange():
            return profile.with_device(said)
        case Preferences():
            return profile.with_preferences(said)
        case Presence():
            return profile.with_presence(said)
        case ProfileChange():
            return with_change(profile, said)


def comparable(profile: Profile) -> Profile:
    """Without what has no meaning: times, the order of devices, and cells that say nothing."""
    return replace(
        profile,
        taken={},
        devices=tuple(sorted(profile.devices)),
        categories={name: cell for name, cell in profile.categories.items() if cell},
    )


@given(st.lists(st.tuples(_said, st.integers(0, 2)), max_size=12), st.integers(0, 1 << 30))
def test_any_two_producers_end_in_the_state_of_what_was_taken_last(
    records: list[tuple[Said, int]], seed: int
) -> None:
    """Place 0 is the key's own partition; of the others records are moved, each in its order."""
    expected = Profile()
    places: dict[int, list[tuple[Said, Taken]]] = {0: [], 1: [], 2: []}
    for second, (record, place) in enumerate(records):
        said = timed(record, second)
        expected = in_turn(expected, said)
        places[place].append((said, Taken(at(second), is_moved=place > 0)))
    random, profile = Random(seed), Profile()
    while waiting := [queue for queue in places.values() if queue]:
        profile = with_said(profile, *random.choice(waiting).pop(0))
    assert comparable(profile) == comparable(expected)


CONTACTS = Contacts(user="ann", email="a@example.com")
NEWER = Contacts(user="ann", email="b@example.com")
PREFERENCES = Preferences(user="ann")


def test_a_broker_whose_clock_goes_back_loses_no_record_of_a_well_placed_producer() -> None:
    profile = with_said(Profile(), CONTACTS, Taken(at(3600)))
    assert with_said(profile, NEWER, Taken(at(0))).email == "b@example.com"


def test_what_was_taken_in_the_same_millisecond_is_as_it_is_read() -> None:
    profile = with_said(Profile(), CONTACTS, Taken(at(0)))
    assert with_said(profile, NEWER, Taken(at(0), is_moved=True)).email == "b@example.com"


def test_times_are_kept_for_as_long_as_an_older_record_may_come_and_not_for_good() -> None:
    change = DeviceChange(user="ann", device=Device(token="phone"))
    profile = with_said(Profile(), change, Taken(at(0)))
    still = with_said(profile, PREFERENCES, Taken(at(0) + TAKEN_RETENTION_MS - 1))
    assert len(still.taken) == 2
    later = with_said(profile, PREFERENCES, Taken(at(0) + TAKEN_RETENTION_MS))
    assert len(later.taken) == 1


def test_of_too_many_times_the_latest_are_kept() -> None:
    profile = Profile()
    for number in range(MOST_KEPT + 5):
        device = Device(token=f"device-{number}")
        said = DeviceChange(user="ann", device=device)
        profile = with_said(profile, said, Taken(at(number)))
    assert len(profile.taken) == MOST_KEPT
    assert min(profile.taken.values()) == at(5)


def test_contacts_alone_keep_one_time() -> None:
    """A producer that is well placed pays for no more than that."""
    profile = Profile()
    for second in range(5):
        profile = with_said(profile, CONTACTS, Taken(at(second)))
    assert list(profile.taken.values()) == [at(4)]
