"""What a mail carries so that what becomes of it can be told, and so that people can say no."""

from pipeline.settings import Settings
from schemas.delivery import Delivery
from sinks.tickets import Tickets

UNSUBSCRIBE = "/unsubscribe/"


class WayBack:
    """The ids, the ticket and the one-click unsubscribe link (RFC 8058) of each mail.

    What is transactional has no such link, as it comes all the same. Without a public URL or a
    signing key there is no way back, and only the ids travel.
    """

    def __init__(self, settings: Settings) -> None:
        self._url = settings.public_url.rstrip("/")
        self._tickets = Tickets(settings)

    @property
    def is_open(self) -> bool:
        """Whether mails carry more than their ids."""
        return bool(self._url and self._tickets.is_signing)

    def marks(self, delivery: Delivery, most: int = 10_000) -> dict[str, str]:
        """What the provider hands back with its reports, in values of `most` characters at most.

        A longer ticket is in `ticket0`, `ticket1` and so on.
        """
        marks = {"notification_id": delivery.notification_id, "delivery_id": delivery.delivery_id}
        if not self.is_open:
            return marks
        ticket = self._tickets.of(delivery)
        if len(ticket) <= most:
            return marks | {"ticket": ticket}
        pieces = range(0, len(ticket), most)
        return marks | {f"ticket{n}": ticket[at : at + most] for n, at in enumerate(pieces)}

    def headers(self, delivery: Delivery) -> dict[str, str]:
        """Headers of the mail itself."""
        if not self.is_open:
            return {}
        return self.headers_with(delivery, self._tickets.of(delivery))

    def headers_with(self, delivery: Delivery, ticket: str) -> dict[str, str]:
        """Headers of a mail like this one whose ticket is `ticket`, or what stands for it."""
        if not self.is_open or delivery.transactional:
            return {}
        return {
            "List-Unsubscribe": f"<{self._url}{UNSUBSCRIBE}{ticket}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
