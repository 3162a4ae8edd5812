"""Which addresses a sink suppresses after a refusal, and that a device that registers lifts it."""

import pytest

from agents.sink.emission import is_gone
from schemas.vocabulary import Channel, Reason
from sinks.provider import PermanentFailure
from tests.agents.samples import delivery
from tests.agents.shifted_clock import ShiftedClock


@pytest.mark.parametrize(
    ("channel", "refused", "gone"),
    [
        (Channel.PUSH, PermanentFailure(Reason.UNREGISTERED, "410"), True),
        (Channel.EMAIL, PermanentFailure(Reason.UNREGISTERED, "406"), True),
        # A disabled mailbox, a channel that we were not asked into: it may be put right.
        (Channel.EMAIL, PermanentFailure(Reason.UNREGISTERED, "550 5.2.1", lasting=False), False),
        (
            Channel.CHAT,
            PermanentFailure(Reason.UNREGISTERED, "not_in_channel", lasting=False),
            False,
        ),
        (Channel.PUSH, PermanentFailure(Reason.INVALID_ADDRESS, "BadDeviceToken"), True),
        (
            Channel.PUSH,
            PermanentFailure(Reason.INVALID_ADDRESS, "SenderId mismatch", lasting=False),
            False,
        ),
        (Channel.PUSH, PermanentFailure(Reason.REJECTED, "too large"), False),
        # A contact that somebody mistyped is theirs to put right.
        (Channel.EMAIL, PermanentFailure(Reason.INVALID_ADDRESS, "300"), False),
        (Channel.SMS, PermanentFailure(Reason.INVALID_ADDRESS, "21211"), False),
    ],
)
def test_who_is_gone(channel: Channel, refused: PermanentFailure, gone: bool) -> None:
    assert is_gone(delivery(ShiftedClock(), channel=channel), refused) is gone
