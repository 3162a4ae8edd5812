"""Which addresses a sink suppresses after a refusal, and that a device that registers lifts it."""

import pytest

from agents.sink.emission import is_gone
from schemas.vocabulary import Channel, Reason
from sinks.provider import Refused
from tests.agents.samples import delivery
from tests.agents.shifted_clock import ShiftedClock


@pytest.mark.parametrize(
    ("channel", "refused", "gone"),
    [
        (Channel.PUSH, Refused(Reason.UNREGISTERED, "410"), True),
        (Channel.EMAIL, Refused(Reason.UNREGISTERED, "406"), True),
        # A disabled mailbox, a channel that we were not asked into: it may be put right.
        (Channel.EMAIL, Refused(Reason.UNREGISTERED, "550 5.2.1", lasting=False), False),
        (Channel.CHAT, Refused(Reason.UNREGISTERED, "not_in_channel", lasting=False), False),
        (Channel.PUSH, Refused(Reason.INVALID_ADDRESS, "BadDeviceToken"), True),
        (Channel.PUSH, Refused(Reason.INVALID_ADDRESS, "SenderId mismatch", lasting=False), False),
        (Channel.PUSH, Refused(Reason.REJECTED, "too large"), False),
        # A contact that somebody mistyped is theirs to put right.
        (Channel.EMAIL, Refused(Reason.INVALID_ADDRESS, "300"), False),
        (Channel.SMS, Refused(Reason.INVALID_ADDRESS, "21211"), False),
    ],
)
def test_who_is_gone(channel: Channel, refused: Refused, gone: bool) -> None:
    assert is_gone(delivery(ShiftedClock(), channel=channel), refused) is gone
