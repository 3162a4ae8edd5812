"""W3C Trace Context: where in its producer's trace a record belongs, as `trace` fields have it."""

import re
from hashlib import blake2b
from zlib import crc32

from msgspec import Struct

HEADER = "traceparent"
STATE_HEADER = "tracestate"
MOST_STATE = 512
"""Characters of a `tracestate` that everybody has to pass on (W3C Trace Context, 3.3.1.5)."""
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1
_KEY = r"[a-z][_0-9a-z\-\*\/]{0,255}|[a-z0-9][_0-9a-z\-\*\/]{0,240}@[a-z][_0-9a-z\-\*\/]{0,13}"
_VISIBLE = r"\x21-\x2b\x2d-\x3c\x3e-\x7e"  # neither a comma nor an equals sign
_MEMBER = re.compile(rf"({_KEY})=[\x20{_VISIBLE}]{{0,255}}[{_VISIBLE}]")
_MOST_MEMBERS = 32


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


def state_of(text: str) -> str:
    """A `tracestate` header as it is passed on: what others' tracers said, in its order.

    Empty where it is none, as a whole that is malformed must be dropped, or longer than MOST_STATE.
    """
    members: dict[str, str] = {}
    for part in text.split(","):
        member = part.strip(" \t")
        if not member:
            continue
        found = _MEMBER.fullmatch(member)
        if found is None or found[1] in members:
            return ""
        members[found[1]] = member
    joined = ",".join(members.values())
    return joined if len(members) <= _MOST_MEMBERS and len(joined) <= MOST_STATE else ""


def trace_id_of(text: str) -> str:
    """The id of the trace that a `traceparent` names, 32 hex digits; empty where it is none."""
    context = parse(text)[0] if text else None
    return "" if context is None else context.trace_id


def begun(ratio: float, *names: str) -> TraceContext | None:
    """A trace of its own for so large a share of all, the same for the same names; else None.

    Its span is the root, which has no parent.
    """
    # Of every event, so by a sum that costs a fifth of a hash.
    if not ratio or crc32("\0".join(names).encode()) >= ratio * (1 << 32):
        return None
    return rooted(*names)


def rooted(*names: str) -> TraceContext:
    """The root span of the trace of these names, the same for the same ones."""
    trace_id = _hashed(16, *names)
    return TraceContext(trace_id, _hashed(8, trace_id))


def _hashed(size: int, *names: str) -> str:
    return blake2b("\0".join(names).encode(), digest_size=size).hexdigest()
