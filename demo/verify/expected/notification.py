"""Which notifications an event leads to: one for each type that it sets off and each person."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from demo.dataset.world import World
from demo.produce.producer_log import Claim
from demo.verify.expected.type_spec import TypeSpec
from policy.identity import notification_id

TENANT = "default"


@dataclass(frozen=True)
class Notification:
    """One person to be notified of one event by one type.

    A post that feeds read has the author in place of the person, and `is_read`.
    """

    claim: Claim
    spec: TypeSpec
    user: str
    is_read: bool = False

    @cached_property
    def id(self) -> str:
        """The id that Tocsin gives it."""
        user = "" if self.is_read else self.user
        return notification_id(TENANT, self.claim.id, user, self.spec.name)

    @property
    def expires_at(self) -> int:
        """From when on it is not to be sent any more (epoch ms)."""
        return self.claim.happened_at + self.spec.lives_ms

    def __str__(self) -> str:
        return f"{self.spec.name} of {self.claim.id} to {self.user}"


def notifications(
    claim: Claim, specs: Mapping[str, TypeSpec], world: World
) -> Iterator[Notification]:
    """All that the event should lead to."""
    for spec in specs.values():
        if spec.event != claim.type:
            continue
        if not spec.followers:
            named = claim.data[spec.users]
            users = dict.fromkeys(named if isinstance(named, list) else [named])
            yield from (Notification(claim, spec, user) for user in users)
        elif world.is_read(claim.actor):
            yield Notification(claim, spec, claim.actor, is_read=True)
        else:
            followers = world.followers.get(claim.actor, ())
            yield from (Notification(claim, spec, user) for user in followers)
