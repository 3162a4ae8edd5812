from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from policy.dedupe import Mark
from policy.rate_limit import Window
from policy.user import Ledger, Profile, epoch_ms
from schemas.profile import Contacts, Device, Preferences, Presence, QuietHours
from schemas.vocabulary import Channel
from tests.policy.samples import NOON

times = st.integers(0, 1 << 45)
marks = st.builds(Mark, st.text(), st.integers(0, 512), st.integers(0), times, st.integers(1, 744))
windows = st.builds(Window, st.integers(1), st.lists(times, min_size=1).map(tuple), times)
ledgers = st.builds(
    Ledger,
    st.dictionaries(st.binary(min_size=8, max_size=8), marks.filter(lambda m: m.offset < 1 << 63)),
    st.dictionaries(st.text(), windows.filter(lambda w: w.seconds < 1 << 63)),
)


@given(ledgers)
def test_a_ledger_survives_encoding_with_its_order(ledger: Ledger) -> None:
    again = msgpack.decode(msgpack.encode(ledger), type=Ledger)
    assert again == ledger
    assert list(again.marks) == list(ledger.marks)


def test_a_profile_holds_all_three_records_and_survives_encoding() -> None:
    profile = (
        Profile()
        .with_contacts(
            Contacts(
                user="ann",
                devices=(Device(token="b"), Device(token="a"), Device(token="b")),
                email="a@x",
                zone="Asia/Tokyo",
                suppressed=("a@x",),
            )
        )
        .with_preferences(
            Preferences(
                user="ann",
                channels={Channel.SMS: True},
                categories={"social": {Channel.PUSH: False}},
                quiet_hours=QuietHours(start="22:00", end="07:00"),
            )
        )
        .with_presence(
            Presence(user="ann", online=True, until=datetime(2026, 3, 1, 12, tzinfo=UTC))
        )
    )
    assert profile == Profile(
        devices=("b", "a"),
        email="a@x",
        zone="Asia/Tokyo",
        suppressed=("a@x",),
        channels={Channel.SMS: True},
        categories={"social": {Channel.PUSH: False}},
        quiet_hours=("22:00", "07:00"),
        online_until=NOON,
    )
    assert msgpack.decode(msgpack.encode(profile), type=Profile) == profile


def test_each_record_replaces_the_one_before_it() -> None:
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    profile = Profile(email="a@x", channels={Channel.SMS: True}, online_until=NOON)
    assert profile.with_contacts(Contacts(user="ann")).email == ""
    assert profile.with_contacts(Contacts(user="ann")).channels == {Channel.SMS: True}
    assert profile.with_preferences(Preferences(user="ann")).channels == {}
    offline = Presence(user="ann", online=False, until=moment)
    assert profile.with_presence(offline).online_until == 0


def test_a_shorter_array_of_an_older_version_is_read() -> None:
    assert msgpack.decode(msgpack.encode([["token"], "a@x"]), type=Profile) == Profile(
        devices=("token",), email="a@x"
    )
    assert msgpack.decode(msgpack.encode([]), type=Ledger) == Ledger()


@given(st.integers(-(10**13), 10**14), st.integers(-720, 840))
def test_epoch_milliseconds_are_exact_in_any_zone(at: int, offset: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)
    assert epoch_ms(moment.astimezone(timezone(timedelta(minutes=offset)))) == at
