"""What a user's records say can be read back as they said it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from policy.user.known import contacts_of, preferences_of, unsubscribed_from
from policy.user.profile import Profile
from policy.user.subscription import with_subscription
from schemas.profile import ChatHook, Contacts, Device, DeviceChange, Preferences, QuietHours
from schemas.subscription import Subscription
from schemas.vocabulary import Channel, Frequency, Weekday

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
words = st.text("abcdef:/-", min_size=1, max_size=12)
platforms = st.sampled_from(["fcm", "apns", "web"])
# A bare token that reads as another platform's can't be told from it; none is.
devices = st.builds(Device, token=words.map(lambda text: f"t{text}"), platform=platforms)
hooks = st.builds(
    ChatHook,
    platform=st.sampled_from(["slack", "teams", "discord"]),
    url=words.map(lambda text: f"https://{text}"),
)
contacts = st.builds(
    Contacts,
    user=st.just("ann"),
    tenant=st.just("acme"),
    devices=st.lists(devices, unique=True, max_size=5).map(tuple),
    email=st.none() | words,
    phone=st.none() | words,
    zone=st.none() | words,
    locale=st.none() | words,
    suppressed=st.lists(words, max_size=3).map(tuple),
    attributes=st.dictionaries(words, words, max_size=3),
    webhooks=st.lists(words, unique=True, max_size=3).map(tuple),
    chats=st.lists(hooks, unique=True, max_size=3).map(tuple),
)
moments = st.integers(1, 10**9).map(lambda s: EPOCH + timedelta(milliseconds=s))
clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
some_days = st.lists(st.sampled_from(Weekday), unique=True, max_size=6).map(
    lambda days: tuple(sorted(days, key=list(Weekday).index))
)
switches = st.dictionaries(st.sampled_from(Channel), st.booleans())
preferences = st.builds(
    Preferences,
    user=st.just("ann"),
    tenant=st.just("acme"),
    channels=switches,
    categories=st.dictionaries(words, switches, max_size=3),
    quiet_hours=st.lists(
        st.builds(QuietHours, start=clocks, end=clocks, days=some_days), max_size=3
    ).map(tuple),
    mutes=st.dictionaries(words, st.none() | moments, max_size=3),
    snooze_until=st.none() | moments,
    frequency=st.dictionaries(words, st.sampled_from(Frequency), max_size=3),
    digest_at=st.none() | clocks,
)


@given(contacts)
def test_contacts_come_back(said: Contacts) -> None:
    assert contacts_of(Profile().with_contacts(said), "acme", "ann") == said


@given(preferences)
def test_preferences_come_back(said: Preferences) -> None:
    assert preferences_of(Profile().with_preferences(said), "acme", "ann") == said


@given(st.lists(st.tuples(devices, st.booleans()), max_size=12))
def test_devices_come_and_go_one_by_one(changes: list[tuple[Device, bool]]) -> None:
    profile, expected = Profile(email="ann@example.com"), list[Device]()
    for device, removed in changes:
        profile = profile.with_device(DeviceChange(user="ann", device=device, removed=removed))
        expected = [each for each in expected if each != device] + [device] * (not removed)
    assert contacts_of(profile, "acme", "ann").devices == tuple(expected)
    assert profile.email == "ann@example.com"


def test_what_was_left_by_one_click_is_told_until_they_are_back() -> None:
    left = Subscription(user="ann", category="news", channel=Channel.EMAIL, at=EPOCH)
    profile = with_subscription(Profile(), left)
    assert unsubscribed_from(profile) == {"news": (Channel.EMAIL,)}
    back = Subscription(
        user="ann", category="news", channel=Channel.EMAIL, at=EPOCH, subscribed=True
    )
    assert unsubscribed_from(with_subscription(Profile(), back)) == {}
