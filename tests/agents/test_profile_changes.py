"""A change of some wishes meets what others wrote meanwhile, and loses none of it."""

from policy.user.user_view import Known
from schemas.erasure import Erasure
from schemas.profile import Contacts, Device, DeviceChange, Preferences, ProfileChange, QuietHours
from schemas.question import ReadUser
from schemas.topics import CONTACTS, DEVICES, ERASURES, PREFERENCES, PROFILE_CHANGES
from schemas.vocabulary import Channel, Frequency
from tests.agents.names import unique
from tests.agents.stage import Stage
from tests.agents.test_feed import Reader

PUSH, EMAIL = Channel.PUSH, Channel.EMAIL
NIGHT = QuietHours(start="22:00", end="07:00")


async def stored(stage: Stage, user: str) -> Known:
    """What the decider answers of a user."""
    asked = ReadUser(tenant="default", user=user)
    return await Reader(stage).ask("decider", user, asked, Known)


async def test_what_was_added_since_the_page_was_read_is_kept(stage: Stage) -> None:
    user, phone = unique("user"), Device(token="ab12", platform="apns")
    await stage.say(CONTACTS, Contacts(user=user, email="ann@example.com"))
    await stage.say(PREFERENCES, Preferences(user=user, categories={"news": {PUSH: False}}))
    await stage.work(stage.decider)
    # Others write while the page is open; what its form says was decided before that.
    await stage.say(DEVICES, DeviceChange(user=user, device=phone))
    await stage.say(
        PREFERENCES,
        Preferences(user=user, categories={"offers": {EMAIL: False}}, mutes={"news/7": None}),
    )
    await stage.work(stage.decider)
    await stage.say(
        PROFILE_CHANGES,
        ProfileChange(
            user=user,
            categories={"news": {EMAIL: False}},
            frequency={"news": Frequency.DAILY},
            quiet_hours=(NIGHT,),
            zone="Europe/Berlin",
        ),
    )
    await stage.work(stage.decider)
    known = await stored(stage, user)
    assert known.contacts == Contacts(
        user=user, email="ann@example.com", zone="Europe/Berlin", devices=(phone,)
    )
    assert known.preferences == Preferences(
        user=user,
        categories={"offers": {EMAIL: False}, "news": {EMAIL: False}},
        mutes={"news/7": None},
        frequency={"news": Frequency.DAILY},
        quiet_hours=(NIGHT,),
    )


async def test_a_change_from_before_an_erasure_brings_nothing_back(stage: Stage) -> None:
    user = unique("user")
    await stage.say(PROFILE_CHANGES, ProfileChange(user=user, zone="Europe/Berlin"))
    await stage.say(ERASURES, Erasure(user=user))
    # The erasure is read first, as it is when both wait; then what was written before it.
    await stage.work(stage.decider)
    assert (await stored(stage, user)).contacts == Contacts(user=user)
