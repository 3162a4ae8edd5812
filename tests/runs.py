"""Which run of the tests this is."""

import pytest


def is_default(config: pytest.Config) -> bool:
    """Whether it is the one without the tests that take minutes each."""
    return bool(config.option.markexpr == "not chaos")
