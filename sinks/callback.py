"""Where a provider calls back about a message, with the ids and the ticket that it is to bring."""

from urllib.parse import urlencode

from pipeline.settings import Settings
from policy.tracking.ticket import Purpose
from schemas.delivery import Delivery
from sinks.tickets import Tickets


class Callback:
    """The way back of one provider; one that keeps tickets calls back at one URL for all."""

    def __init__(self, settings: Settings, provider: str, *, keeps_tickets: bool = False) -> None:
        base = settings.public_url.rstrip("/")
        self._url = f"{base}/webhooks/{provider}" if base else ""
        self._keeps_tickets = keeps_tickets
        self._tickets = Tickets(settings)

    def of(self, delivery: Delivery) -> str:
        """The URL to call about a delivery; empty where nobody could reach us."""
        if not self._url or self._keeps_tickets:
            return self._url
        query = {
            "notification_id": delivery.notification_id,
            "delivery_id": delivery.delivery_id,
        }
        if self._tickets.is_signing:
            query["ticket"] = self._tickets.of(delivery, Purpose.REPORT)
        return f"{self._url}?{urlencode(query)}"
