"""What is said of a catalogue that can not be used."""

import pytest

from policy.catalogue.catalogue import parse
from schemas.errors import BadCatalogue


def problems(**files: str) -> list[str]:
    """Every complaint about these files, which are named without their ending."""
    with pytest.raises(BadCatalogue) as caught:
        parse({f"{name}.toml": text for name, text in files.items()})
    assert str(caught.value) == "\n".join(caught.value.problems)
    return list(caught.value.problems)
