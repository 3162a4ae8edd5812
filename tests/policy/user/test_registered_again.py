"""A device that registers once more is there again, whatever a provider said before."""

import pytest

from policy.user.profile import Profile
from policy.user.suppression import usable, with_bar, with_registration
from policy.user.suppression_reason import Barred
from schemas.vocabulary import Channel, SuppressionReason

AT = 1_795_000_000_000
DEVICE = "apns:a1"


def barred(
    reason: SuppressionReason = SuppressionReason.UNREGISTERED, address: str = DEVICE
) -> Profile:
    return with_bar(Profile(), Barred(Channel.PUSH, address, reason, AT))


def is_usable(profile: Profile, now: int) -> bool:
    return bool(usable(profile, Channel.PUSH, (DEVICE,), now))


def test_a_later_registration_lifts_what_was_said_to_be_gone() -> None:
    profile = with_registration(barred(), DEVICE, AT + 1)
    assert not is_usable(barred(), AT + 1)
    assert is_usable(profile, AT + 1)
    # The old report, told again, changes nothing; a new one does.
    assert (
        with_bar(profile, Barred(Channel.PUSH, DEVICE, SuppressionReason.UNREGISTERED, AT))
        is profile
    )
    again = with_bar(profile, Barred(Channel.PUSH, DEVICE, SuppressionReason.UNREGISTERED, AT + 2))
    assert not is_usable(again, AT + 2)


@pytest.mark.parametrize(
    ("profile", "at"),
    [
        (barred(), AT),  # registered before it was gone
        (barred(), AT - 1),
        (barred(SuppressionReason.COMPLAINT), AT + 1),
        (barred(address="apns:b2"), AT + 1),
        (Profile(), AT + 1),
    ],
)
def test_it_lifts_nothing_else(profile: Profile, at: int) -> None:
    assert with_registration(profile, DEVICE, at) is profile
