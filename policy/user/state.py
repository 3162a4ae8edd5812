"""Everything that is known when something is decided for a user."""

from msgspec import Struct

from policy.dedupe import NO_MARKS
from policy.limits.daily_limit import Allowance
from policy.limits.rate_limit import Tally, TenantLimit, share
from policy.user.ledger import Ledger
from policy.user.profile import Profile
from policy.user.tenant import DEFAULT_TENANT, Tenant


class Quota(Struct, frozen=True, gc=False):
    """This partition's share of its tenant's limit: `count` in any `seconds`, and what it used."""

    count: int
    seconds: int
    tally: Tally | None = None

    @classmethod
    def of(
        cls, limit: TenantLimit, tally: Tally | None, partition: int, partitions: int
    ) -> "Quota":
        """The share of one partition."""
        return cls(share(limit, partition, partitions), limit.seconds, tally)


class UserState(Struct, frozen=True, gc=False):
    """A user's profile and ledger, their tenant, and what is left of its quota and of its day.

    `cancelled_at` (ms) is when the event's cancel key was last cancelled, 0 if never, `ended_at`
    when an event happened that ends what its type tells of this one. Of what was said of addresses
    all that Kafka took until `addresses_read_to` (ms) is known. `spilled` are marks that may be the
    event's, of those for which the ledger has no room.
    """

    profile: Profile = Profile()
    ledger: Ledger = Ledger()
    tenant: Tenant = DEFAULT_TENANT
    quota: Quota | None = None
    cancelled_at: int = 0
    addresses_read_to: int = 1 << 62
    ended_at: int = 0
    allowance: Allowance | None = None
    spilled: bytes = NO_MARKS
