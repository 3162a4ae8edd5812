"""What a sink says of its providers, when asked."""

from msgspec import Struct


class ReadCircuits(Struct, frozen=True, kw_only=True, tag="circuits"):
    """The circuits of a sink's process."""


class CircuitState(Struct, frozen=True, kw_only=True):
    """Whether a provider is called now: `closed` (all calls), `half_open` (one, to see) or `open`
    (none, for so many seconds).

    Nothing has succeeded since `failing_since`; at `last_error_at` it last failed, saying
    `last_error`. Both are epoch milliseconds, 0 for never. While it is left alone, its deliveries
    go to those `instead`, by weight; without any they wait.
    """

    provider: str
    state: str
    free_in: float = 0.0
    failing_since: int = 0
    last_error: str = ""
    last_error_at: int = 0
    instead: list[str] = []
