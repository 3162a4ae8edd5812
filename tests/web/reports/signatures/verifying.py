"""Whether a provider's report is taken, and why not."""

from tests.web.signing import (
    SCHEMES,
    SETTINGS,
)
from web.reports.incoming import BadSignature, Incoming

NOW = 1_795_000_000_000

FIELDS = [("Text", "STOP"), ("From", "4930123456"), ("Twice", "b"), ("Twice", "a"), ("Empty", "")]

REFUSED = "invalid signature"


async def verified(name: str, incoming: Incoming, now: int = NOW) -> str:
    """Empty where it is taken, else why not."""
    try:
        await SCHEMES[name].reporter(SETTINGS).verify(incoming, now)
    except BadSignature as error:
        return str(error) or "forged"
    return ""
