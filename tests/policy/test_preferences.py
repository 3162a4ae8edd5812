import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.preferences import opt_out
from policy.user import Profile
from schemas.vocabulary import Channel

choices = st.none() | st.booleans()


@given(st.sampled_from(Channel), choices, choices, choices)
def test_the_narrower_choice_wins(
    channel: Channel, by_channel: bool | None, by_category: bool | None, elsewhere: bool | None
) -> None:
    profile = Profile(
        channels={} if by_channel is None else {channel: by_channel},
        categories={
            "things": {} if by_category is None else {channel: by_category},
            "other": {} if elsewhere is None else {channel: elsewhere},
        },
    )
    wanted = channel is not Channel.SMS
    if by_channel is not None:
        wanted = by_channel
    if by_category is not None:
        wanted = by_category
    assert (opt_out(profile, "things", channel) is None) is wanted


@pytest.mark.parametrize(
    ("profile", "channel", "why"),
    [
        (Profile(), Channel.PUSH, None),
        (Profile(), Channel.EMAIL, None),
        (Profile(), Channel.INAPP, None),
        (Profile(), Channel.SMS, "by default"),
        (Profile(channels={Channel.PUSH: False}), Channel.PUSH, "by channel"),
        (
            Profile(channels={Channel.PUSH: True}, categories={"things": {Channel.PUSH: False}}),
            Channel.PUSH,
            "by category and channel",
        ),
    ],
)
def test_the_choice_is_named(profile: Profile, channel: Channel, why: str | None) -> None:
    assert opt_out(profile, "things", channel) == why
