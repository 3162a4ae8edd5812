"""Why a text could not be made of an event, or not be asked of it whether something holds."""

from jinja2 import UndefinedError

from policy.rendering.filters.unusable import Unusable
from policy.rendering.sandbox.render_limits import TooMuch

MOST_SHOWN = 300
"""Characters of an error, which may quote the record."""
_SPEAKING = (UndefinedError, TooMuch, Unusable)


def failure_of(error: Exception) -> str:
    """The error in words.

    What compiles can only fail on the values of the very record, whatever it raises.
    """
    why = str(error) if isinstance(error, _SPEAKING) else f"{type(error).__name__}: {error}"
    return why[:MOST_SHOWN]
