"""How a provider fares: what it said last when it failed, and since when nothing succeeds."""

from collections.abc import Sequence

from sinks.provider import Outcome, Sent, TransientFailure

LONGEST = 300
"""Characters of what it said."""


class Health:
    """Of one provider in one process. Times are epoch milliseconds, 0 for never.

    Only failures of the provider or of our account there count: those of a message or an address
    are told with the delivery.
    """

    def __init__(self) -> None:
        self.failing_since = 0
        """When the first call failed after the last that succeeded; 0 while calls succeed."""
        self.last_error = ""
        self.last_error_at = 0

    def note(self, now: int, outcomes: Sequence[Outcome]) -> None:
        """Take in what came of one call."""
        failures, is_sent = list[TransientFailure](), False
        for outcome in outcomes:
            if isinstance(outcome, Sent):
                is_sent = True
            elif isinstance(outcome, TransientFailure) and outcome.concerns_all:
                failures.append(outcome)
        if failures:
            self.last_error = f"{failures[0].reason}: {failures[0].detail}"[:LONGEST]
            self.last_error_at = now
        if is_sent:
            self.failing_since = 0
        elif failures and not self.failing_since:
            self.failing_since = now
