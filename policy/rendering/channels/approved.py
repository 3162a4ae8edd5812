"""What fills a template that WhatsApp approved."""

import re
from typing import Any

from msgspec import Struct

from policy.rendering.sandbox.plain_text import MARK, clean, cut
from policy.rendering.sandbox.template import Text
from schemas.delivery import Approved

MOST_VARIABLE = 1024
"""Characters of one variable: WhatsApp takes no more of a template with all that fills it."""
NOTHING = "-"
"""Stands for what is empty, for which WhatsApp would refuse all of the message."""
_RUNS = re.compile(r"[ \t\n]+")


class Filling(Struct, frozen=True):
    """The template and its compiled variables.

    WhatsApp refuses line breaks, tabs and runs of blanks in a variable, so each is one line.
    """

    template: str
    language: str
    variables: tuple[Text, ...]

    def filled(self, values: dict[str, Any], locale: str) -> Approved:
        """What is sent for these values."""
        return Approved(
            template=self.template,
            language=self.language,
            variables=tuple(_plain(variable(values, locale)) for variable in self.variables),
        )


def _plain(text: str) -> str:
    line = _RUNS.sub(" ", clean(text)).strip()
    if len(line) > MOST_VARIABLE:
        line = cut(line, MOST_VARIABLE - len(MARK)) + MARK
    return line or NOTHING
