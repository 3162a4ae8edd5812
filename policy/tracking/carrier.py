"""The carrier of a phone number as providers report it: by the codes of its network (ITU-T E.212).

A number that was ported keeps its digits, so no numbering plan knows its carrier. Codes and not
names: each provider has names of its own for the same network, and all have its codes.
"""

import re

_NETWORK = re.compile(r"([2-7]\d\d|901)(\d{1,3})", re.ASCII)
"""The code of a country, or of those networks that are of none, and of a network there."""
_THREE_DIGITS = frozenset({"302", *(str(code) for code in range(310, 317)), "334"})
"""Canada, the United States and Mexico, whose networks have codes of three digits; leading zeros
are lost where one is handed on as a number."""


def carrier_of(network: str) -> str:
    """The carrier, such as 234-10, of both codes as one number; empty for what is none."""
    found = _NETWORK.fullmatch(network)
    if found is None:
        return ""
    country, code = found.groups()
    return f"{country}-{code.zfill(3 if country in _THREE_DIGITS else 2)}"
