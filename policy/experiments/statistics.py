"""How sure a share is, and the difference of two, from counts: 95 % confidence intervals.

Wilson's score interval for one share, and Newcombe's of two of them for the difference: methods 3
and 10 in R. G. Newcombe, "Two-sided confidence intervals for the single proportion" and "Interval
estimation for the difference between independent proportions", Statistics in Medicine 17 (1998),
857-872 and 873-890. Neither leaves the possible range, and both hold for few and for rare events.

Both take trials as independent. What one person does with many messages is not. So a share is the
mean of what each person did, in which all weigh the same, however many messages they got: else a
few with very many would decide. The trials are as many as would spread that mean as much as
persons differ. To how they differ two are added, one who did it with all and one who did it with
none, as A. Agresti and B. Caffo do for shares (The American Statistician 54, 2000, 280-288): what
is rare may not have been seen in so few.
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

    `rates` is the sum, over users, of the share of each one's messages that succeeded, and
    `rates_squared` that of its squares.
    """

    users: int = 0
    sent: int = 0
    successes: int = 0
    rates: float = 0.0
    rates_squared: float = 0.0

    @classmethod
    def of(cls, *by_user: tuple[int, int]) -> "Counts":
        """From messages and successes of each user."""
        rates = [successes / sent for sent, successes in by_user]
        return cls(
            users=len(by_user),
            sent=sum(sent for sent, _ in by_user),
            successes=sum(successes for _, successes in by_user),
            rates=sum(rates),
            rates_squared=sum(rate * rate for rate in rates),
        )

    @property
    def rate(self) -> float:
        """The mean of users' rates; 0 where nothing was sent."""
        # Sums of fractions are rounded.
        return min(1.0, self.rates / self.users) if self.users else 0.0

    def trials(self) -> float:
        """As how many independent messages these count; as `users` where each got one.

        Never fewer than `users`, but for rounding, nor more than `sent`.
        """
        if not self.users:
            return 0.0
        users = self.users + 2
        rate = (self.rates + 1) / users
        spread = (self.rates_squared + 1) / users - rate * rate
        return min(self.users * rate * (1 - rate) / spread, float(self.sent))


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
