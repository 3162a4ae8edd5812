"""What a tenant may send and spend in a day, of which each partition has a share."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from policy.rendering.channels.sms import segments_of
from policy.time.wall_clock import date_of

KEPT_DAYS = 8
"""Days that are counted at a time; what happened before them is refused."""
OTHER_COUNTRIES = "*"
"""Stands for the countries that no price or sender is set for."""
_MILLIONTHS = 1_000_000


class DailyLimit(Struct, frozen=True, forbid_unknown_fields=True):
    """What a tenant may cost in one day of its time zone, over all its users together."""

    messages: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None
    """Messages on all channels, one for each address."""
    sms_cost: Annotated[float, Meta(gt=0, le=1e9)] | None = None
    """Money for SMS, by the prices in the settings."""
    critical: bool = False
    """Whether critical messages are refused too; they count in any case."""


class Day(Struct, frozen=True, array_like=True, gc=False):
    """What went out in one day: its number by `date.toordinal`, messages, millionths of money."""

    number: int
    messages: int
    spent: int


class Spending(Struct, frozen=True, array_like=True, gc=False):
    """The last days, in order, and the newest of those that were forgotten (0: none)."""

    days: tuple[Day, ...] = ()
    forgotten: int = 0

    def on(self, number: int) -> Day:
        """What went out on this day."""
        for day in self.days:
            if day.number == number:
                return day
        return Day(number, 0, 0)

    def adding(self, messages: int, spent: int, number: int) -> "Spending":
        """The same, with so much more on a day."""
        before = self.on(number)
        after = Day(number, before.messages + messages, before.spent + spent)
        days = sorted((*(each for each in self.days if each.number != number), after), key=_number)
        gone, kept = days[:-KEPT_DAYS], days[-KEPT_DAYS:]
        return Spending(tuple(kept), max((self.forgotten, *map(_number, gone))))


class Allowance(Struct, frozen=True, gc=False):
    """This partition's share of its tenant's daily limit, and what was used of it.

    `spent` is in millionths. A share of None is no limit. `prices` are for a segment, by country.
    """

    messages: int | None
    spent: int | None
    critical: bool
    zone: str
    prices: Mapping[str, float]
    spending: Spending

    @classmethod
    def of(
        cls,
        limit: DailyLimit,
        zone: str,
        prices: Mapping[str, float],
        spending: Spending | None,
        place: tuple[int, int],
    ) -> "Allowance":
        """The share of one partition, `place` its number and how many there are.

        The shares of all add up to the limit, so that together they are never over it; but a tenant
        whose users are spread unevenly reaches it in one partition while there is room in another.
        """
        money = None if limit.sms_cost is None else round(limit.sms_cost * _MILLIONTHS)
        return cls(
            _share(limit.messages, *place),
            _share(money, *place),
            limit.critical,
            zone,
            prices,
            spending or Spending(),
        )

    def cost_of(self, body: str, numbers: Iterable[str]) -> int:
        """What an SMS to these numbers costs, in millionths; 0 where no money is counted."""
        if self.spent is None:
            return 0
        # Numbering plans take 20 MiB, which a decider without limits on money need not have.
        from policy.contact.number_plan import country_of

        other = self.prices.get(OTHER_COUNTRIES, 0.0)
        prices = (self.prices.get(country_of(each) or "", other) for each in numbers)
        return segments_of(body).count * sum(round(price * _MILLIONTHS) for price in prices)

    def objection(self, messages: int, spent: int, at: int) -> str:
        """Why so much more can't go out on the day of `at` (epoch ms); empty where it can.

        What is refused by a day that was forgotten can't be shown to be within the limit.
        """
        number = self._day(at)
        if number <= self.spending.forgotten:
            return f"{_shown(number)} is too long ago to be counted"
        day = self.spending.on(number)
        if self.messages is not None and day.messages + messages > self.messages:
            return f"the tenant's {self.messages} messages on {_shown(number)} in this partition"
        if self.spent is not None and spent and day.spent + spent > self.spent:
            money = _money(self.spent)
            return f"the tenant's {money} for SMS on {_shown(number)} in this partition"
        return ""

    def using(self, messages: int, spent: int, at: int) -> "Allowance":
        """The same, after so much went out on the day of `at` (epoch ms)."""
        return replace(self, spending=self.spending.adding(messages, spent, self._day(at)))

    def shown(self, at: int) -> str:
        """How much of it is used on the day of `at` (epoch ms), for an explanation."""
        number = self._day(at)
        day, used = self.spending.on(number), []
        if self.messages is not None:
            used.append(f"{day.messages} of {self.messages} messages")
        if self.spent is not None:
            used.append(f"{_money(day.spent)} of {_money(self.spent)} for SMS")
        return f"{' and '.join(used)} on {_shown(number)}, in this partition"

    def _day(self, at: int) -> int:
        return date_of(self.zone, at // 60_000)


def _share(total: int | None, partition: int, partitions: int) -> int | None:
    if total is None:
        return None
    return total // partitions + (partition < total % partitions)


def _number(day: Day) -> int:
    return day.number


def _shown(number: int) -> str:
    return date.fromordinal(number).isoformat()


def _money(millionths: int) -> str:
    return f"{millionths / _MILLIONTHS:.6f}".rstrip("0").rstrip(".")
