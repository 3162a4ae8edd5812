"""Puts the pixel and the links that lead by us into an e-mail just before it leaves."""

from msgspec.structs import replace

from pipeline.settings import Settings
from policy.tracking.links import with_links, with_pixel
from policy.tracking.ticket import Purpose
from schemas.delivery import Delivery
from schemas.vocabulary import Channel
from sinks.tickets import Tickets


class Tracking:
    """As the settings want it; without a public URL and a signing key nothing is changed."""

    def __init__(self, settings: Settings) -> None:
        self._base = settings.public_url.rstrip("/")
        self._key = settings.signing_key.get_secret_value().encode()
        self._tickets = Tickets(settings)
        is_reachable = bool(self._base and self._key)
        self._opens = settings.track_opens and is_reachable
        self._clicks = settings.track_clicks and is_reachable

    def tracked(self, delivery: Delivery) -> Delivery:
        """The delivery with tracked HTML, if it has any."""
        html = delivery.content.html
        if not html or delivery.channel is not Channel.EMAIL or not (self._opens or self._clicks):
            return delivery
        if self._clicks:
            ticket = self._tickets.of(delivery, Purpose.CLICK)
            html = with_links(html, ticket, self._base, self._key)
        if self._opens:
            html = with_pixel(html, self._tickets.of(delivery, Purpose.OPEN), self._base)
        return replace(delivery, content=replace(delivery.content, html=html))
