"""Filters of templates for amounts: `number`, `percent`, `currency`, `plural`, in the locale.

They take numbers, and decimals as text such as "12.50", which is how money often travels.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from math import isfinite
from typing import Any

from babel.numbers import format_currency, format_decimal, format_percent
from jinja2 import pass_context

from policy.rendering.filters.unusable import Unusable
from policy.rendering.locales import locale_of

CATEGORIES = frozenset({"zero", "one", "two", "few", "many", "other"})
"""What CLDR calls plural forms; English has `one` and `other`."""

_BEYOND = 10**15
_MOST_DECIMALS = 6
_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,9})?")
_CODE = re.compile("[A-Z]{3}")


@pass_context
def number_text(context: Any, value: Any, decimals: Any = None) -> str:
    """1234.5 as "1,234.5"; with `decimals`, exactly so many."""
    number, locale = _number("number", value), locale_of(context.locale)
    pattern = _pattern("number", locale.decimal_formats[None].pattern, decimals)
    return format_decimal(number, pattern, locale=locale)


@pass_context
def percent_text(context: Any, value: Any, decimals: Any = None) -> str:
    """0.25 as "25%"."""
    number, locale = _number("percent", value), locale_of(context.locale)
    pattern = _pattern("percent", locale.percent_formats[None].pattern, decimals)
    return format_percent(number, pattern, locale=locale)


@pass_context
def currency_text(context: Any, value: Any, code: Any) -> str:
    """1299.5 as "€1,299.50" for the ISO 4217 code EUR, with the decimals of the currency."""
    number = _number("currency", value)
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise Unusable("currency", code, "it is not a code such as EUR")
    return format_currency(number, code, locale=locale_of(context.locale))


@pass_context
def plural_text(context: Any, value: Any, **forms: Any) -> str:
    """The form that the locale's grammar asks for, with the number in place of `#`.

    `{{ data.n | plural(one="# item", other="# items") }}`: a form that is not given is `other`.
    """
    number, locale = _number("plural", value), locale_of(context.locale)
    form = forms.get(locale.plural_form(number), forms["other"])
    return str(form).replace("#", format_decimal(number, locale=locale))


FILTERS: dict[str, Callable[..., str]] = {
    "number": number_text,
    "percent": percent_text,
    "currency": currency_text,
    "plural": plural_text,
}


def _number(name: str, value: Any) -> Decimal:
    is_text = isinstance(value, str) and _DECIMAL.fullmatch(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (is_text or is_number) or (isinstance(value, float) and not isfinite(value)):
        raise Unusable(name, value, "it is not a number")
    # Python refuses to write out an int of thousands of digits, so those are tested as they are.
    if not is_text and abs(value) >= _BEYOND:
        raise Unusable(name, value, "it is too large")
    number = Decimal(str(value))
    # As shown: CLDR's rules count the decimals of 1.0, which nobody sees.
    whole = number.to_integral_value()
    return whole if whole == number else number


def _pattern(name: str, pattern: str, decimals: Any) -> str:
    if decimals is None:
        return pattern
    if decimals not in range(_MOST_DECIMALS + 1):
        raise Unusable(name, decimals, f"there are 0 to {_MOST_DECIMALS} decimals")
    fraction = "." + "0" * decimals if decimals else ""
    return re.sub(r"0(?:\.[0#]+)?(?=[^0#]*$)", "0" + fraction, pattern, count=1)
