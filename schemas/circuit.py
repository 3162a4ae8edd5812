"""What a sink says of its providers, when asked."""

from msgspec import Struct


class ReadCircuits(Struct, frozen=True, kw_only=True, tag="circuits"):
    """The circuits of a sink's process."""


class CircuitState(Struct, frozen=True, kw_only=True):
    """Whether a provider is called now: `closed` (all calls), `half_open` (one, to see) or `open`
    (none, for so many seconds)."""

    provider: str
    state: str
    free_in: float = 0.0
