"""Limits on money that count nothing, as nobody said what an SMS costs."""

from collections.abc import Iterator, Mapping

from policy.limits.daily_limit import OTHER_COUNTRIES
from policy.user.tenant import Tenant


def unpriced_limits(tenants: Mapping[str, Tenant], prices: Mapping[str, float]) -> Iterator[str]:
    """What to say of each tenant whose `daily_limit` has money for SMS, where some or all SMS have
    no price and so cost nothing by it.

    A price of 0 is one: whoever writes it means it.
    """
    if OTHER_COUNTRIES in prices:
        return
    priced = ", ".join(sorted(prices))
    which = f"to other countries than {priced}" if priced else "to any country"
    for name, tenant in sorted(tenants.items()):
        limit = tenant.daily_limit
        if limit is not None and limit.sms_cost is not None:
            yield (
                f"daily_limit of the tenant {name} counts SMS {which} as costing nothing: "
                f"TOCSIN_SMS_PRICES has no price for them, and none for {OTHER_COUNTRIES!r}."
            )
