"""The ticket of a message, as it travels with a call."""

from pipeline.producing.outputs import partition_of
from pipeline.settings import Settings
from policy.tracking.ticket import Common, Purpose, is_too_long, issue_stub, sign_ticket, unsigned
from schemas.delivery import Delivery


class Tickets:
    """Issues tickets of at most `MOST_TEXT` characters; see `policy.tracking.ticket`."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.signing_key.get_secret_value().encode()
        self._partitions = settings.partitions
        self.is_signing = bool(self._key)
        self._delivery: Delivery | None = None
        self._common: Common | None = None

    def of(self, delivery: Delivery, purpose: Purpose) -> str:
        """The ticket or, where that is too long, its stub; the same for the same purpose."""
        if delivery is not self._delivery:
            # A mail has two and more, one after the other.
            self._delivery = delivery
            self._common = None if is_too_long(delivery) else unsigned(delivery)
        if self._common is None:
            here = partition_of(delivery.user, self._partitions)
            return issue_stub(delivery, here, purpose, self._key)
        return sign_ticket(self._common, purpose, self._key)
