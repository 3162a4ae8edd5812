"""What came of an experiment: each variant, and how it does against the first."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from policy.experiments.statistics import Counts, Interval, newcombe, wilson

LEAST_USERS = 30
"""Of each variant: with fewer it can't be seen how much users differ."""
LEAST_EVENTS = 5
"""Messages that succeeded, and that did not, of each variant; with fewer one more changes much."""
_NO_RATE = Counts()


class Metric(StrEnum):
    """What counts as a success of a message, or of telling at all."""

    OPENED = "opened"  # a click counts as well
    CLICKED = "clicked"
    GOAL = "goal"  # not of a message: the user did what the type is to bring about


class Verdict(StrEnum):
    """What may be said of a variant against the first."""

    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = "unclear"  # no difference that could not be by chance
    TOO_LITTLE = "too_little"  # data


class VariantResult(Struct, frozen=True):
    """So many `successes` of messages `sent` to `users`; the true rate is within `interval` (95 %).

    `rate` is the mean of what share of their messages each user did it with, in which all users
    weigh the same; None where nothing was sent.
    """

    variant: str
    users: int
    sent: int
    successes: int
    rate: float | None
    interval: Interval


class Compared(Struct, frozen=True):
    """The rate of a variant less that of the one it is held `against`; `said` is that in words.

    Each interval holds with 95 % for itself: of many variants that do not differ, one in twenty
    excludes zero all the same, and so does an experiment that is looked at until it does.
    """

    variant: str
    against: str
    difference: float
    interval: Interval
    excludes_zero: bool
    verdict: Verdict
    said: str


class Results(Struct, frozen=True):
    """One experiment of a type; the first of its variants is what the others are held against.

    By GOAL it is a holdout, whose variants are those who were held out, and those who were told:
    each of them is a user, who counts once, as `sent`.
    """

    experiment: str
    metric: Metric
    variants: list[VariantResult]
    compared: list[Compared]


def results(
    experiment: str, metric: Metric, counts: Mapping[str, Counts], order: Sequence[str] = ()
) -> Results:
    """The results from counts by variant.

    Variants are in `order`, as the catalogue has them, also those of which nothing was sent yet;
    then those that it has no more, by name.
    """
    names = [*order, *sorted(counts.keys() - set(order))]
    found = {name: counts.get(name, _NO_RATE) for name in names}
    first, *others = names
    return Results(
        experiment=experiment,
        metric=metric,
        variants=[_result(name, each) for name, each in found.items()],
        compared=[_compared(name, found[name], first, found[first]) for name in others],
    )


def _result(name: str, found: Counts) -> VariantResult:
    rate = found.rate if found.sent else None
    interval = wilson(found.rate, found.trials())
    return VariantResult(name, found.users, found.sent, found.successes, rate, interval)


def _compared(name: str, found: Counts, first_name: str, first: Counts) -> Compared:
    difference = found.rate - first.rate
    interval = newcombe(found.rate, found.trials(), first.rate, first.trials())
    little = _too_little(first_name, first) or _too_little(name, found)
    if little:
        verdict, why = Verdict.TOO_LITTLE, f"Too little data to compare {name} with {first_name}"
        said = f"{why}: {little}."
    else:
        verdict = _verdict(difference, interval)
        said = _words(name, first_name, verdict, difference, interval)
    return Compared(name, first_name, difference, interval, interval.excludes_zero, verdict, said)


def _too_little(name: str, found: Counts) -> str:
    if found.users < LEAST_USERS:
        return f"{name} reached {found.users} of at least {LEAST_USERS} users"
    if found.successes < LEAST_EVENTS:
        return f"{found.successes} of {name} succeeded, and at least {LEAST_EVENTS} must"
    left = found.sent - found.successes
    if left < LEAST_EVENTS:
        return f"{left} of {name} did not succeed, and at least {LEAST_EVENTS} must not"
    return ""


def _verdict(difference: float, interval: Interval) -> Verdict:
    if not interval.excludes_zero:
        return Verdict.UNCLEAR
    return Verdict.BETTER if difference > 0 else Verdict.WORSE


def _words(name: str, first: str, verdict: Verdict, difference: float, interval: Interval) -> str:
    spread = f"{interval.low * 100:+.1f} to {interval.high * 100:+.1f}"
    found = f"{difference * 100:+.1f} points ({spread})"
    if verdict is Verdict.UNCLEAR:
        return f"{name} against {first}: {found}, which may be by chance."
    return f"{name} is {verdict} than {first}: {found}."
