"""What a mail carries so that what becomes of it can be told, and so that people can say no."""

from pipeline.settings import Settings
from policy.tracking.ticket import Purpose
from schemas.delivery import Delivery
from sinks.tickets import Tickets

UNSUBSCRIBE = "/unsubscribe/"


class ReturnPath:
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
        ticket = self._tickets.of(delivery, Purpose.REPORT)
        if len(ticket) <= most:
            marks["ticket"] = ticket
            return marks
        for number, at in enumerate(range(0, len(ticket), most)):
            marks[f"ticket{number}"] = ticket[at : at + most]
        return marks

    def headers(self, delivery: Delivery) -> dict[str, str]:
        """Headers of the mail itself."""
        return self.headers_with(self.unsubscribe_ticket(delivery))

    def unsubscribe_ticket(self, delivery: Delivery) -> str:
        """What stands in the mail's link; empty for a mail without one."""
        if not self.is_open or delivery.transactional:
            return ""
        return self._tickets.of(delivery, Purpose.UNSUBSCRIBE)

    def headers_with(self, ticket: str) -> dict[str, str]:
        """Headers of a mail whose link has this ticket, or what stands for it."""
        if not ticket:
            return {}
        return {
            "List-Unsubscribe": f"<{self._url}{UNSUBSCRIBE}{ticket}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
