"""Puts the links of ours into an e-mail just before it leaves: each signed for one thing alone."""

from msgspec.structs import replace

from pipeline.settings import Settings
from policy.rendering.channels.own_links import OwnLink, has_links, links_in, with_urls
from policy.tracking.ticket import Purpose
from schemas.delivery import Delivery
from schemas.vocabulary import Channel, Reason
from sinks.email.return_path import UNSUBSCRIBE
from sinks.provider import Fault, TransientFailure
from sinks.tickets import Tickets

PREFERENCES = "/preferences/"
WITHOUT_URL = TransientFailure(
    Reason.UNAUTHORIZED,
    "its links need TOCSIN_PUBLIC_URL and TOCSIN_SIGNING_KEY",
    fault=Fault.MESSAGE,
)
"""What comes of a mail whose links can't be made: it waits until they can, and no other does."""
_PLACES = {
    OwnLink.PREFERENCES: (PREFERENCES, Purpose.PREFERENCES),
    OwnLink.UNSUBSCRIBE: (UNSUBSCRIBE, Purpose.UNSUBSCRIBE),
}


class OwnLinks:
    """As the settings say where we are reached."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.public_url.rstrip("/")
        self._tickets = Tickets(settings)
        self._is_reachable = bool(self._url and self._tickets.is_signing)

    def lacks(self, delivery: Delivery) -> bool:
        """Whether it has links that can't be made."""
        is_mail = delivery.channel is Channel.EMAIL
        return is_mail and not self._is_reachable and has_links(delivery.content)

    def linked(self, delivery: Delivery) -> Delivery:
        """The delivery with its links, if it has any."""
        content = delivery.content
        if delivery.channel is not Channel.EMAIL or not has_links(content):
            return delivery
        urls = {link: self._url_of(link, delivery) for link in links_in(content)}
        return replace(delivery, content=with_urls(content, urls))

    def _url_of(self, link: OwnLink, delivery: Delivery) -> str:
        path, purpose = _PLACES[link]
        return f"{self._url}{path}{self._tickets.of(delivery, purpose)}"
