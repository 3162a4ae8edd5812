"""What a web process asks the worker that counts requests."""

from typing import Annotated

from msgspec import Meta, Struct


class TakeRequests(Struct, frozen=True, kw_only=True, tag="take_requests"):
    """Up to `wanted` requests of the limit `name`, which allows so many a minute."""

    name: Annotated[str, Meta(max_length=500)]
    per_minute: Annotated[int, Meta(ge=1)]
    wanted: Annotated[int, Meta(ge=1)] = 1


class Allowance(Struct, frozen=True, kw_only=True):
    """So many are `granted`, and count as made; `left` may follow at once.

    After `full_in` seconds all of the burst is possible again, and after `next_in` one request.
    """

    granted: int
    left: int
    full_in: float
    next_in: float
