"""What the role `intake` says of the sources that it reads, when asked."""

from msgspec import Struct


class ReadSources(Struct, frozen=True, kw_only=True, tag="sources"):
    """The sources that a process reads."""


class SourceState(Struct, frozen=True, kw_only=True):
    """How far one process is with its part of a source.

    `lag` are records before it, `per_second` those that it was done with lately. What came of the
    others since the process began is `moved`, `skipped` and `dead`. At `last_error_at` (epoch ms, 0
    for never) a record was refused last, saying `last_error`; where it `waits`, it reads nothing
    for now, and says why.
    """

    source: str
    lag: int = 0
    per_second: float = 0.0
    moved: int = 0
    skipped: int = 0
    dead: int = 0
    last_error: str = ""
    last_error_at: int = 0
    waits: str = ""
