"""The number at the icon of an app."""

import re
from typing import Any

from policy.rendering.sandbox.template import Text
from schemas.delivery import KEEPS_BADGE

_NUMBER = re.compile(r"([0-9]{1,5})(\.0)?")


def badge_of(text: Text | None, values: dict[str, Any], locale: str) -> int:
    """The number that a template says; what says none leaves the icon as it is."""
    found = _NUMBER.fullmatch(text(values, locale).strip()) if text is not None else None
    return int(found[1]) if found else KEEPS_BADGE
