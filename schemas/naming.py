"""What may be a name: an id of a user, an actor or an event, a key, a category, a tenant.

One rule for records, bodies and paths of requests, and tokens: what one of them took and another
refused could be told, and never be read, changed or erased again. Rows of before the rule are
read as they are, so it is asked of what comes from outside alone.
"""

import re
from typing import Annotated

from msgspec import Meta

LONGEST_NAME = 200
"""Characters."""
ONE_LINE = {"one_line": True}
"""Marks a text that holds no control characters, for `schemas.bounds`."""
NAME_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
"""The rule as the OpenAPI document states it."""
NO_CONTROLS = "Expected a name without control characters or line breaks"
Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST_NAME,
        extra=ONE_LINE,
        extra_json_schema={"pattern": NAME_PATTERN},
    ),
]
# Half of a pair is what a path's byte that is no text becomes, and can't be encoded again.
_refused = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]").search


def is_one_line(text: str) -> bool:
    """Whether it holds no control characters; joiners and spaces of any kind are none."""
    return text.isprintable() or _refused(text) is None


def is_name(text: str) -> bool:
    """Whether a text from a path, a token or a command line is a name."""
    return 0 < len(text) <= LONGEST_NAME and is_one_line(text)
