"""Which provider comes first for a delivery, where a channel has several."""

from collections.abc import Mapping
from hashlib import blake2b
from math import log


def order_of(delivery_id: str, weights: Mapping[str, int]) -> tuple[str, ...]:
    """All providers by name, the first to be asked first; the same for the same delivery.

    Each comes first for its weight's share of deliveries (weighted rendezvous hashing), so that
    one that is taken away moves only its own. Those of weight 0 stand by, in their order, behind
    all others.
    """
    if len(weights) == 1:
        return tuple(weights)
    scored = sorted((_score(delivery_id, *each), each[0]) for each in weights.items() if each[1])
    return (
        *(name for _, name in scored),
        *(name for name, weight in weights.items() if not weight),
    )


def _score(delivery_id: str, name: str, weight: int) -> float:
    digest = blake2b(f"{name}:{delivery_id}".encode(), digest_size=8).digest()
    return -log((int.from_bytes(digest) + 1) / ((1 << 64) + 1)) / weight
