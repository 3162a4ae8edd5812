"""An experiment: a type in several variants, of which each user always gets the same one."""

from typing import TYPE_CHECKING

from msgspec import Struct

from policy.identity import variant_point

if TYPE_CHECKING:
    from policy.notification_type import NotificationType

_RANGE_BITS = 64
"""Users fall on points from 0 to 2^64 - 1."""


class Variant(Struct, frozen=True):
    """One variant by name: its `weight`, and the type with its texts."""

    name: str
    weight: int
    spec: "NotificationType"


class Experiment(Struct, frozen=True):
    """Variants that share the users of a type by weight; the first is what others are held to.

    A user's variant depends on their tenant, their name, the type's and the experiment's, on the
    weights, and on nothing else: no replay, and no other event, ever shows them another one.
    """

    name: str
    variants: tuple[Variant, ...]

    def assigned(self, tenant: str, user: str, type_name: str) -> "NotificationType":
        """The user's variant of the type."""
        return self._find(tenant, user, type_name).spec

    def shown(self, tenant: str, user: str, type_name: str) -> str:
        """Which variant it is, and why, as an explanation."""
        found = self._find(tenant, user, type_name)
        place = variant_point(tenant, user, type_name, self.name) / (1 << _RANGE_BITS)
        begins = sum(each.weight for each in self.variants[: self.variants.index(found)])
        total = self.total
        return (
            f"{found.name} of {self.name}: the hash of tenant, user, type and experiment is at "
            f"{place:.2%}, and {found.name} has {begins / total:.2%} to "
            f"{(begins + found.weight) / total:.2%}"
        )

    @property
    def total(self) -> int:
        """All weights together."""
        return sum(each.weight for each in self.variants)

    def _find(self, tenant: str, user: str, type_name: str) -> Variant:
        # In whole numbers: a fraction would be rounded, and might fall beyond the last one.
        point = variant_point(tenant, user, type_name, self.name)
        place = point * self.total >> _RANGE_BITS
        for variant in self.variants:
            place -= variant.weight
            if place < 0:
                return variant
        raise AssertionError("a place beyond all weights")
