"""The filter `listing`: several names as the locale enumerates them, "Ann, Bob, and Cy"."""

from typing import Any, Literal

from babel.lists import format_list
from jinja2 import pass_context

from policy.rendering.filters.unusable import Unusable
from policy.rendering.locales import locale_of
from policy.rendering.sandbox.nulls import item

_STYLES = ("standard", "or", "unit")
_MOST = 100  # CLDR's patterns nest, so the time for a list grows with its square


@pass_context
def listing(context: Any, value: Any, style: Literal["standard", "or", "unit"] = "standard") -> str:
    """The items of a list joined by commas and "and", or, in style `or`, by "or"."""
    if not isinstance(value, list | tuple):
        raise Unusable("listing", value, "it is not a list")
    if len(value) > _MOST:
        raise Unusable("listing", value, f"it has more than {_MOST} items")
    if style not in _STYLES:
        raise Unusable("listing", style, f"the styles are {', '.join(_STYLES)}")
    return format_list([str(item(each)) for each in value], style, locale=locale_of(context.locale))
