"""The filter for decimals as Kafka Connect writes them in JSON: an integer's bytes, and a scale."""

import base64
import binascii
from decimal import Context, Decimal
from typing import Any

from jinja2 import Undefined

from policy.rendering.filters.unusable import Unusable

_MOST_BYTES = 256
_MOST_DIGITS = 1000
_EXACT = Context(prec=_MOST_DIGITS)


def decimal(value: Any, scale: Any = None) -> Any:
    """From base64, or an object with `scale` and `value`, to text with all digits: "B88=" of scale
    2 is "19.99"; of what is absent, nothing.

    That is Debezium's `decimal.handling.mode=precise`, which holds unless it is set otherwise. An
    object has its scale with it; of the text alone it is the column's.
    """
    if isinstance(value, Undefined) or value is None:
        return value
    said, places = value, scale
    if isinstance(value, dict) and value.keys() == {"scale", "value"}:
        said, places = value["value"], value["scale"]
    if places is None:
        raise Unusable("decimal", value, "says no scale: it is the column's, as in decimal(2)")
    if type(places) is not int or abs(places) > _MOST_DIGITS // 2:
        raise Unusable("decimal", places, "is no scale")
    try:
        digits = base64.b64decode(said, validate=True) if isinstance(said, str) else b""
    except (binascii.Error, ValueError):
        digits = b""
    if not 0 < len(digits) <= _MOST_BYTES:
        raise Unusable("decimal", value, "is no decimal's bytes in base64")
    unscaled = Decimal(int.from_bytes(digits, "big", signed=True))
    return format(unscaled.scaleb(-places, _EXACT), "f")
