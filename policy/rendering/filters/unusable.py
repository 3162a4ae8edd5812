"""What a filter of a template says of a value that it can't use."""

from typing import Any

from jinja2 import Undefined

_SHOWN = 60  # characters: the value may be a megabyte


class Unusable(Exception):
    """The value of this record does not suit the filter; the message names both."""

    def __init__(self, name: str, value: Any, why: str = "") -> None:
        if isinstance(value, Undefined):
            str(value)  # raises what a missing variable raises, with its name
        shown = repr(value[:_SHOWN] if isinstance(value, str) else value)[: _SHOWN + 2]
        super().__init__(f"the filter {name!r} can't use {shown}{why and ': '}{why}")
