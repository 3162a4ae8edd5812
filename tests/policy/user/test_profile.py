from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from policy.dedupe import NO_MARKS, Mark, remember
from policy.limits.rate_limit import Window
from policy.quiet_hours import quiet
from policy.time.timestamps import epoch_ms
from policy.time.wall_clock import EVERY_DAY
from policy.user.ledger import Ledger
from policy.user.preferences import muted
from policy.user.profile import FARTHEST, FOR_GOOD, MOST_DEVICES, MOST_ONLINE, Profile
from policy.user.tenant import DEFAULT_TENANT
from schemas.profile import Contacts, Device, Preferences, Presence, QuietHours
from schemas.vocabulary import Channel, Frequency, Reason, Weekday

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = 1_772_366_400_000  # 2026-03-01T12:00Z
MINUTE = 60_000
DAY = 24 * 60 * MINUTE

times = st.integers(0, 1 << 45)


def packed(marks: dict[bytes, Mark]) -> bytes:
    run = NO_MARKS
    for key, mark in marks.items():
        run = remember(run, key, mark)
    return run


bodies = st.sampled_from(["", "0123456789abcdef", "fedcba9876543210"])
marks = st.builds(
    Mark, st.integers(0, 512), st.integers(0, 1 << 62), times, st.integers(1, 744), bodies
)
windows = st.builds(Window, st.integers(1, 1 << 62), st.lists(times, min_size=1).map(tuple), times)
ledgers = st.builds(
    Ledger,
    st.dictionaries(st.binary(min_size=8, max_size=8), marks).map(packed),
    st.dictionaries(st.text(), windows),
)


def moment(at: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at)


def presence(online: bool, until: int, device: str = "app") -> Presence:
    return Presence(user="ann", online=online, until=moment(until), device=device)


@given(ledgers)
def test_a_ledger_survives_encoding_with_its_order(ledger: Ledger) -> None:
    again = msgpack.decode(msgpack.encode(ledger), type=Ledger)
    assert again == ledger
    assert list(again.windows) == list(ledger.windows)


def test_a_profile_holds_all_three_records_and_survives_encoding() -> None:
    profile = (
        Profile()
        .with_contacts(
            Contacts(
                user="ann",
                devices=(Device(token="b"), Device(token="a"), Device(token="b")),
                email="a@x",
                zone="Asia/Tokyo",
                locale="ja",
                suppressed=("a@x",),
                attributes={"plan": "pro"},
            )
        )
        .with_preferences(
            Preferences(
                user="ann",
                channels={Channel.SMS: True},
                categories={"social": {Channel.PUSH: False}},
                quiet_hours=(
                    QuietHours(start="22:00", end="07:30"),
                    QuietHours(start="00:00", end="12:00", days=(Weekday.SUN, Weekday.SAT)),
                ),
                mutes={"chat/c-42": None, "chat/c-43": moment(NOON)},
                snooze_until=moment(NOON),
                frequency={"social": Frequency.DAILY},
                digest_at="18:15",
            )
        )
        .with_presence(presence(True, NOON, "phone"))
        .with_presence(presence(False, NOON - MINUTE, "web"))
    )
    assert profile == Profile(
        devices=("b", "a"),
        email="a@x",
        zone="Asia/Tokyo",
        locale="ja",
        suppressed=("a@x",),
        channels={Channel.SMS: True},
        categories={"social": {Channel.PUSH: False}},
        quiet_hours=((EVERY_DAY, 1320, 450), (0b110_0000, 0, 720)),
        online={"phone": NOON},
        left_at=NOON - MINUTE,
        mutes={"chat/c-42": FOR_GOOD, "chat/c-43": NOON},
        snoozed_until=NOON,
        frequency={"social": Frequency.DAILY},
        digest_at=1095,
        attributes={"plan": "pro"},
    )
    assert msgpack.decode(msgpack.encode(profile), type=Profile) == profile


def test_each_record_replaces_the_one_of_its_kind_and_nothing_else() -> None:
    contacts = Profile(("phone",), "a@x", "+1", "UTC", "en", ("a@x",), attributes={"plan": "pro"})
    preferences = Profile(
        channels={Channel.SMS: True},
        quiet_hours=((EVERY_DAY, 0, 60),),
        mutes={"chat/c": FOR_GOOD},
        snoozed_until=NOON,
        frequency={"*": Frequency.HOURLY},
        digest_at=0,
    )
    assert contacts.with_contacts(Contacts(user="ann")) == Profile()
    assert contacts.with_preferences(Preferences(user="ann")) == contacts
    assert preferences.with_preferences(Preferences(user="ann")) == Profile()
    assert preferences.with_contacts(Contacts(user="ann")) == preferences


@pytest.mark.parametrize(("listed", "first"), [(1, 0), (MOST_DEVICES, 0), (MOST_DEVICES + 7, 7)])
def test_of_very_many_devices_the_last_ones_listed_count(listed: int, first: int) -> None:
    devices = tuple(Device(token=f"token-{number}") for number in range(listed))
    profile = Profile().with_contacts(Contacts(user="ann", devices=devices))
    assert profile.devices == tuple(f"token-{number}" for number in range(first, listed))


class TestPresence:
    def test_a_user_is_online_while_any_device_is(self) -> None:
        profile = (
            Profile()
            .with_presence(presence(True, NOON, "phone"))
            .with_presence(presence(True, NOON + MINUTE, "web"))
        )
        assert profile.is_online(NOON, 0)
        assert not profile.is_online(NOON + MINUTE, 0)
        without_web = profile.with_presence(presence(False, NOON - 2 * MINUTE, "web"))
        assert without_web.is_online(NOON - MINUTE, 0)
        assert not without_web.is_online(NOON, 0)

    def test_a_later_record_of_a_device_counts_even_if_it_ends_earlier(self) -> None:
        profile = Profile().with_presence(presence(True, NOON + MINUTE))
        assert profile.with_presence(presence(True, NOON)).online == {"app": NOON}

    @pytest.mark.parametrize("said", [-MINUTE, 0, 10 * MINUTE])
    def test_offline_is_at_once_whenever_it_is_said_to_be(self, said: int) -> None:
        online = Profile().with_presence(presence(True, NOON + 5 * MINUTE))
        for profile in (Profile(), online):
            offline = profile.with_presence(presence(False, NOON + said))
            assert not offline.is_online(NOON, 0)

    @pytest.mark.parametrize(
        ("now", "expected"),
        [(NOON - 1, False), (NOON, True), (NOON + MINUTE - 1, True), (NOON + MINUTE, False)],
    )
    def test_grace_begins_when_the_app_was_closed(self, now: int, expected: bool) -> None:
        profile = Profile().with_presence(presence(False, NOON))
        assert profile.is_online(now, MINUTE) is expected

    @pytest.mark.parametrize(
        ("now", "expected"),
        [(NOON - 1, True), (NOON, True), (NOON + MINUTE - 1, True), (NOON + MINUTE, False)],
    )
    def test_grace_begins_when_a_device_fell_silent(self, now: int, expected: bool) -> None:
        profile = Profile().with_presence(presence(True, NOON))
        assert profile.is_online(now, MINUTE) is expected

    def test_nobody_is_online_of_whom_nothing_was_said(self) -> None:
        assert not Profile().is_online(NOON, DAY)

    def test_only_so_many_devices_are_kept_those_that_end_last(self) -> None:
        profile = Profile()
        for number in range(MOST_ONLINE + 5):
            profile = profile.with_presence(presence(True, NOON + number, f"device-{number}"))
        assert sorted(profile.online.values()) == [NOON + 5 + number for number in range(10)]

    def test_going_offline_forgets_devices_that_fell_silent_long_ago(self) -> None:
        profile = Profile(online={"old": NOON - DAY, "new": NOON - DAY + 1, "app": NOON + 1})
        left = profile.with_presence(presence(False, NOON))
        assert left == Profile(online={"new": NOON - DAY + 1}, left_at=NOON)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00+14:00",
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "2026-03-01T12:00:00.001Z",
    ],
)
def test_moments_at_the_ends_of_time_are_no_trouble(text: str) -> None:
    said = f'"mutes": {{"chat/c": "{text}"}}, "snooze_until": "{text}"'
    hours = '"quiet_hours": [{"start": "22:00", "end": "07:00"}]'
    record = f'{{"user": "ann", {said}, {hours}}}'
    profile = Profile().with_preferences(msgspec.json.decode(record, type=Preferences))
    is_ahead = text > "2026"
    found = quiet(profile, DEFAULT_TENANT, NOON)
    assert (found is not None) is is_ahead
    assert found is None or NOON < found.until <= FARTHEST + DAY
    silenced = muted(profile, "chat", "c", NOON)
    assert (silenced is not None and silenced[0] is Reason.SNOOZED) is is_ahead


@pytest.mark.parametrize(
    ("kind", "record", "complaint"),
    [
        (Preferences, '"quiet_hours": {"start": "22:00", "end": "07:00"}', "array"),
        (Preferences, '"quiet_hours": [{"start": "24:00", "end": "07:00"}]', "start"),
        (Preferences, '"quiet_hours": [{"start": "22:00"}]', "end"),
        (
            Preferences,
            '"quiet_hours": [{"start": "22:00", "end": "07:00", "days": ["Mo"]}]',
            "days",
        ),
        (Preferences, '"mutes": {"chat/c": "2026-03-01T12:00:00"}', "mutes"),
        (Preferences, '"snooze_until": "tomorrow"', "snooze_until"),
        (Preferences, '"frequency": {"*": "monthly"}', "frequency"),
        (Preferences, '"digest_at": "9:00"', "digest_at"),
        (Presence, '"online": true', "until"),
    ],
)
def test_what_can_not_be_used_is_refused_with_its_field(
    kind: type[Preferences | Presence], record: str, complaint: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=complaint):
        msgspec.json.decode(f'{{"user": "ann", {record}}}', type=kind)


def test_what_a_user_may_say_is_bounded() -> None:
    for kind, record in (
        (Contacts, {"attributes": {str(number): "x" for number in range(51)}}),
        (Contacts, {"zone": "x" * 201}),
        (Preferences, {"mutes": {f"chat/{number}": None for number in range(1001)}}),
        (Preferences, {"quiet_hours": [{"start": "01:00", "end": "02:00"}] * 51}),
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"user": "ann"} | record, kind)


def test_a_shorter_array_of_an_older_version_is_read() -> None:
    assert msgpack.decode(msgpack.encode([["token"], "a@x"]), type=Profile) == Profile(
        devices=("token",), email="a@x"
    )
    assert msgpack.decode(msgpack.encode([]), type=Ledger) == Ledger()


@given(st.integers(-(10**13), 10**14), st.integers(-720, 840))
def test_epoch_milliseconds_are_exact_in_any_zone(at: int, offset: int) -> None:
    assert epoch_ms(moment(at).astimezone(timezone(timedelta(minutes=offset)))) == at
