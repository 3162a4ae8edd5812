"""What one kind of worker reads, and how it works on it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pipeline.processing.lanes import Handler
from pipeline.processing.queues import WorkOf
from pipeline.processing.read_first import Before
from pipeline.processing.slices import BYTES

OpenHandler = Callable[[int, asyncio.Event], Handler]
"""Makes the handler of a partition number; the event is set when it should come to an end."""


@dataclass(frozen=True, kw_only=True)
class Role:
    """What one kind of worker reads, and how it works on it.

    A lane works on one slice at a time. Topics that share state share a lane: first those that go
    `ahead`, then those without a weight, in their order, then the others by their `weights`; what
    is in `read_first` only once others are read up to its time. `work_of` says how much of its
    topic's share a slice uses up, where that is not by its records. With `lane_per_topic` each
    topic has its own, so that none waits for another; handlers are then not woken, as several would
    do it at once. `check` raises what makes the role useless, such as wrong credentials, before
    anything is read; `close` lets go of what the handlers shared. With `answers` it says what it
    holds and can be waited for, and its handlers may be QueryHandlers. What goes in few large
    pieces has larger `slice_bytes`, and `room` times the bytes in flight that others have. Slices
    of topics with a number in `in_flight` don't wait for each other, up to so many records; such a
    topic has a lane of its own. With `waits_outside` its slices may wait for as long as something
    other than Kafka is away. `gather` is for how many seconds the reader rests between fetches that
    follow each other, where nobody waits for what the role does; without it, as long as is good
    for what is urgent.
    """

    name: str
    topics: tuple[str, ...]
    open_handler: OpenHandler
    lane_per_topic: bool = False
    answers: bool = False
    slice_records: Mapping[str, int] = field(default_factory=dict)
    slice_bytes: int = BYTES
    room: int = 1
    in_flight: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    ahead: tuple[str, ...] = ()
    read_first: Mapping[str, Before] = field(default_factory=dict)
    work_of: WorkOf | None = None
    waits_outside: bool = False
    gather: float | None = None
    check: Callable[[], Awaitable[None]] | None = None
    close: Callable[[], Awaitable[None]] | None = None
