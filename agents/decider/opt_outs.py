"""Reports what users leave by a reply or by preferences, in the transaction that stores it."""

from collections.abc import Iterable

from policy.catalogue.catalogue import Catalogue
from policy.user.opt_outs import OptOut, left, newly_stopped, opt_outs
from policy.user.profile import Profile
from schemas.encoding import encode
from schemas.topics import DELIVERY_EVENTS
from tables.storage.transaction import Transaction


class OptOutReports:
    """The delivery events of partition `here`; none is written before the transaction commits."""

    def __init__(self, transaction: Transaction, catalogue: Catalogue, here: int) -> None:
        self._outputs = transaction.outputs
        self._catalogue = catalogue
        self._here = here

    def by_preferences(
        self, tenant: str, user: str, change: tuple[Profile, Profile], by: str, at: int
    ) -> None:
        """What the change, before and after, turns off; `at` is when Kafka took it (epoch ms)."""
        self._add(tenant, user, opt_outs(*change, self._catalogue.tenant(tenant)), by, at)

    def by_stop(
        self, tenant: str, user: str, change: tuple[Profile, Profile], by: str, at: int
    ) -> None:
        """Where STOP bars the user's number that it did not bar before."""
        self._add(tenant, user, newly_stopped(*change, at), by, at)

    def _add(self, tenant: str, user: str, what: Iterable[OptOut], by: str, at: int) -> None:
        for each in what:
            event = left(tenant, user, each, by, at)
            self._outputs.add(DELIVERY_EVENTS, self._here, None, encode(event))
