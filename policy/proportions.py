"""How sure a share is, and the difference of two, from counts: 95 % confidence intervals.

Wilson's score interval for one share, and Newcombe's of two of them for the difference: methods 3
and 10 in R. G. Newcombe, "Two-sided confidence intervals for the single proportion" and "Interval
estimation for the difference between independent proportions", Statistics in Medicine 17 (1998),
857-872 and 873-890. Neither leaves the possible range, and both hold for few and for rare events.

Both take trials as independent. What one person does with many messages is not: so the trials are
counted down by the design effect (L. Kish, Survey Sampling, 1965), with persons as clusters.
"""

from math import sqrt

from msgspec import Struct

_Z = 1.959963984540054
"""Of the normal distribution, 95 % lie within so many standard deviations."""
_Z2 = _Z * _Z


class Interval(Struct, frozen=True):
    """From `low` to `high`."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether all of it is above 0, or all below."""
        return self.low > 0 or self.high < 0


class Counts(Struct, frozen=True, kw_only=True):
    """`sent` messages to so many `users`, with `successes`, one a message at most.

    The others are sums over users: of the squares of what each was sent, of the squares of each
    one's successes, and of the products of both.
    """

    users: int = 0
    sent: int = 0
    successes: int = 0
    sent_squared: int = 0
    successes_squared: int = 0
    sent_by_successes: int = 0

    @classmethod
    def of(cls, *by_user: tuple[int, int]) -> "Counts":
        """From messages and successes of each user."""
        return cls(
            users=len(by_user),
            sent=sum(sent for sent, _ in by_user),
            successes=sum(successes for _, successes in by_user),
            sent_squared=sum(sent * sent for sent, _ in by_user),
            successes_squared=sum(successes * successes for _, successes in by_user),
            sent_by_successes=sum(sent * successes for sent, successes in by_user),
        )

    @property
    def rate(self) -> float:
        """Successes a message; 0 where nothing was sent."""
        return self.successes / self.sent if self.sent else 0.0

    def trials(self) -> float:
        """As how many independent messages these count; as `sent` where each user got one.

        Never more than `sent`. Where all messages or none succeeded, nothing shows how much a
        user's go together, so they count as if entirely.
        """
        if not self.sent:
            return 0.0
        rate = self.rate
        by_chance = self.sent * rate * (1 - rate)
        if not by_chance:
            return self.sent * self.sent / self.sent_squared
        found = (
            self.successes_squared
            - 2 * rate * self.sent_by_successes
            + rate * rate * self.sent_squared
        )
        return self.sent / max(1.0, found / by_chance)


def wilson(rate: float, trials: float) -> Interval:
    """Between which shares the true one lies; from 0 to 1 where there were no trials."""
    if not trials:
        return Interval(0.0, 1.0)
    scale = 1 + _Z2 / trials
    middle = (rate + _Z2 / (2 * trials)) / scale
    reach = _Z * sqrt(rate * (1 - rate) / trials + _Z2 / (4 * trials * trials)) / scale
    # At 0 and 1 the bound is the share itself, but for rounding.
    low = 0.0 if rate == 0 else max(0.0, middle - reach)
    high = 1.0 if rate == 1 else min(1.0, middle + reach)
    return Interval(low, high)


def newcombe(one: float, trials: float, other: float, other_trials: float) -> Interval:
    """Between which differences, `one` share less the `other`, the true one lies."""
    first, second = wilson(one, trials), wilson(other, other_trials)
    difference = one - other
    below = sqrt((one - first.low) ** 2 + (second.high - other) ** 2)
    above = sqrt((first.high - one) ** 2 + (other - second.low) ** 2)
    return Interval(max(-1.0, difference - below), min(1.0, difference + above))
