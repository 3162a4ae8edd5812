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
        retries = (outcome for outcome in outcomes if isinstance(outcome, TransientFailure))
        failures = [retry for retry in retries if retry.concerns_all]
        if failures:
            self.last_error = f"{failures[0].reason}: {failures[0].detail}"[:LONGEST]
            self.last_error_at = now
        if any(isinstance(outcome, Sent) for outcome in outcomes):
            self.failing_since = 0
        elif failures and not self.failing_since:
            self.failing_since = now
