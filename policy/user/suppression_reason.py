"""One address that must not be used, and why, as it is stored."""

from msgspec import Struct

from policy.time.timestamps import text
from schemas.vocabulary import Channel, SuppressionReason

NO_END = 0


class Barred(Struct, frozen=True, array_like=True, gc=False):
    """`address` is barred on `channel` from `at` until `until` (epoch ms), or NO_END.

    One that was lifted stays with an end that is over, so that an older report that comes again
    does not bar the address anew.
    """

    channel: Channel
    address: str
    reason: SuppressionReason
    at: int
    until: int = NO_END

    def holds(self, channel: Channel, address: str, now: int) -> bool:
        """Whether it keeps this address from being used at `now` (epoch ms)."""
        return (
            address == self.address
            and channel is self.channel
            and (self.until == NO_END or now < self.until)
        )

    def shown(self) -> str:
        """The reason, and its end where it has one."""
        return f"{self.reason} until {text(self.until)}" if self.until else str(self.reason)
