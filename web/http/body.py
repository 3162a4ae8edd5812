"""Reading the body of a request into a value, within the bounds that topics have too."""

from typing import TypeVar

import msgspec

from schemas.bounds import OutOfBounds, bounded
from web.api.problem import Problem, field_error

Value = TypeVar("Value", bound=msgspec.Struct)


def value_of(body: bytes, decoder: msgspec.json.Decoder[Value]) -> Value:
    """The value; raises Problem, with a pointer to the field, and what it may be instead."""
    try:
        return bounded(decoder.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, OutOfBounds) as error:
        raise Problem(400, "", field_error(error, kind=decoder.type)) from None
    except RecursionError:
        raise Problem(400, "It is nested too deeply.") from None
