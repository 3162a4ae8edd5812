"""What becomes of the events of the visitor of the page: messages taken, and dead letters."""

from collections import deque
from collections.abc import Collection
from pathlib import Path

import msgspec

from demo.growing_log import GrowingLog
from embedded.simulators.accept_log import Accepted
from schemas.dead_letter import DeadLetter

KEPT = 20
"""Messages and dead letters that are shown, the newest."""
_decode_lines = msgspec.json.Decoder(Accepted).decode_lines
_decode_letter = msgspec.json.Decoder(DeadLetter).decode


class Taken:
    """The newest messages that providers took for these addresses, whatever they take for others.

    The log is read on from where the last look ended, so nothing that others are sent pushes the
    visitor's own out.
    """

    def __init__(self, log: Path, addresses: Collection[str]) -> None:
        self.messages: deque[Accepted] = deque(maxlen=KEPT)
        """The newest last."""
        self._log = GrowingLog(log)
        self._addresses = frozenset(addresses)

    def read_on(self) -> None:
        """Take in the complete lines that were added since."""
        for lines in self._log.new_lines():
            self._take(lines)

    def _take(self, lines: bytes) -> None:
        if any(address.encode() in lines for address in self._addresses):
            mine = (line for line in _decode_lines(lines) if line.address in self._addresses)
            self.messages.extend(mine)


class Failures:
    """Which of the events that a button wrote became dead letters, in words."""

    def __init__(self) -> None:
        self.sentences: deque[str] = deque(maxlen=KEPT)
        """The newest last."""
        self._labels: dict[str, str] = {}

    def wrote(self, event_id: str, label: str) -> None:
        """This event is written now, by the button of this label."""
        self._labels[event_id] = label

    def take(self, value: bytes) -> None:
        """A dead letter, of anybody's."""
        letter = _decode_letter(value)
        for event_id, label in self._labels.items():
            # Whichever role set it aside: what it read bears the event's id.
            if event_id.encode() in (letter.value or b""):
                reason = str(letter.reason).replace("_", " ")
                detail = f": {letter.detail}" if letter.detail else ""
                self.sentences.append(
                    f"“{label}” could not be processed by the {letter.role} and became a dead "
                    f"letter ({reason}{detail}). tocsin dead-letters show {letter.id}"
                )
                return
