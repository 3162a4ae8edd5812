"""Which member of a group gets which partitions: even shares, and as few changes as possible."""

from collections.abc import Iterable, Mapping

from msgspec import Struct


class Claim(Struct, frozen=True):
    """What a member was last assigned, and in which generation of the group."""

    generation: int = -1
    partitions: frozenset[int] = frozenset()


def assign(partitions: Iterable[int], claims: Mapping[str, Claim]) -> dict[str, set[int]]:
    """Give every partition to one of the members, each of which makes a claim.

    The numbers of partitions differ by one at most, and no assignment with that property takes
    fewer partitions from their owners. The owner is who claims a partition of the newest
    generation. Among partitions that change hands a member gets first those that it had before.
    The same members and claims have the same result, in whichever order they come.
    """
    numbers = set(partitions)
    owned = _owned(numbers, claims)
    had = {name: claim.partitions & numbers - owned[name] for name, claim in claims.items()}
    sizes = _sizes(len(numbers), owned, had)
    free = numbers.difference(*owned.values())
    lacking = [name for name in sorted(claims) if len(owned[name]) < sizes[name]]
    wanted = set().union(*(had[name] for name in lacking))
    for name in sorted(claims):
        surplus = len(owned[name]) - sizes[name]
        given = sorted(owned[name], key=lambda number: (number not in wanted, -number))
        owned[name].difference_update(given[: max(0, surplus)])
        free.update(given[: max(0, surplus)])
    for first in (True, False):
        for name in lacking:
            takes = sorted(free & had[name] if first else free)[: sizes[name] - len(owned[name])]
            owned[name].update(takes)
            free.difference_update(takes)
    return owned


def _owned(numbers: set[int], claims: Mapping[str, Claim]) -> dict[str, set[int]]:
    """Who holds which partition now; of two claims the newer one counts."""
    owned: dict[str, set[int]] = {name: set() for name in claims}
    for number in numbers:
        claimants = [name for name, claim in claims.items() if number in claim.partitions]
        if claimants:
            owned[min(claimants, key=lambda name: (-claims[name].generation, name))].add(number)
    return owned


def _sizes(
    count: int, owned: Mapping[str, set[int]], had: Mapping[str, frozenset[int]]
) -> dict[str, int]:
    """How many partitions each member is to have; one more for whom that takes least from."""
    least, more = divmod(count, max(1, len(owned)))
    elsewhere = frozenset[int]().union(*had.values())

    def rank(name: str) -> tuple[bool, int, str]:
        has_more = len(owned[name]) > least
        back = len(owned[name] & elsewhere) if has_more else -len(had[name])
        return not has_more, back, name

    favoured = sorted(owned, key=rank)[:more]
    return {name: least + (name in favoured) for name in owned}
