"""What the simulators accepted from one contestant after the other."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from embedded.simulators.accept_log import Accepted, read_accept_log_from


class Message(NamedTuple):
    """A message as its recipient gets it, and the ids by which its provider reports."""

    address: str
    title: str
    digest: str
    notification_id: str
    delivery_id: str


class Witness:
    """The simulators' accept log, read bit by bit."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._seen = 0

    def news(self) -> Counter[Message]:
        """What was accepted since this was last asked, each message as often as it was."""
        accepted, self._seen = read_accept_log_from(self._log, self._seen)
        return Counter(map(_message, accepted))


def check_alike(provider: str, ours: Counter[Message], theirs: Counter[Message]) -> int:
    """How many messages both sent; RuntimeError unless they were the same ones, each as often."""
    odd = (ours - theirs) + (theirs - ours)
    if odd:
        message = min(odd)
        raise RuntimeError(
            f"{provider}: {odd.total()} messages of ours and the SDK's differ: {message} was "
            f"accepted {ours[message]} times from ours and {theirs[message]} times from the SDK"
        )
    return ours.total()


def _message(accepted: Accepted) -> Message:
    return Message(
        accepted.address,
        accepted.title,
        accepted.digest,
        accepted.notification_id,
        accepted.delivery_id,
    )
