"""W3C Trace Context: where in its producer's trace a record belongs, as `trace` fields have it."""

import re
from hashlib import blake2b
from zlib import crc32

from msgspec import Struct

HEADER = "traceparent"
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1


class TraceContext(Struct, frozen=True, gc=False):
    """A span of a trace that is recorded; both ids are lower-case hex."""

    trace_id: str
    span_id: str

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-01"

    def child(self, *names: str) -> "TraceContext":
        """Another span of the trace, the same for the same names: repeated work is one span."""
        return TraceContext(self.trace_id, _hashed(8, self.trace_id, *names))


def parse(text: str) -> tuple[TraceContext | None, bool]:
    """The context in a `traceparent` header, None unless it is sampled, and whether it is one.

    Versions to come may append fields, which are ignored; what is malformed is no context.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None, False
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more):
        return None, False
    if not trace_id.strip("0") or not span_id.strip("0"):
        return None, False
    is_sampled = int(flags, 16) & _SAMPLED
    return (TraceContext(trace_id, span_id) if is_sampled else None), True


def begun(ratio: float, *names: str) -> TraceContext | None:
    """A trace of its own for so large a share of all, the same for the same names; else None.

    Its span is the root, which has no parent.
    """
    # Of every event, so by a sum that costs a fifth of a hash.
    if not ratio or crc32("\0".join(names).encode()) >= ratio * (1 << 32):
        return None
    trace_id = _hashed(16, *names)
    return TraceContext(trace_id, _hashed(8, trace_id))


def _hashed(size: int, *names: str) -> str:
    return blake2b("\0".join(names).encode(), digest_size=size).hexdigest()
