"""`/v1/users/{user}/export`: all that is kept of a user, to hand to them."""

from msgspec import Struct

from analytics.timeline import Happening, all_of
from policy.user.user_view import Known
from schemas.inbox import MOST, Item, ReadInbox
from web.api.call import Call
from web.api.keys import Scope
from web.api.route import Reply, Route
from web.api.services import Services
from web.inbox import ask_page


class Export(Struct, frozen=True):
    """What counts when something is decided, the whole inbox, and all that happened."""

    known: Known
    inbox: list[Item]
    happenings: list[Happening]


class Exports:
    """The handler."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The route."""
        path = "/v1/users/{user}/export"
        said = "All that is stored about a user"
        return [
            Route(
                "GET", path, Scope.READ, said, self.export, {200: Export},
                name="export_user", tag="Users", deed="exported",
            )
        ]  # fmt: skip

    async def export(self, call: Call) -> Reply:
        """From the user's own partition, and from ClickHouse."""
        known = await self._desk.known(*call.whose)
        happenings = await all_of(self._desk.exports, *call.whose)
        return Reply(Export(known, await self._inbox(*call.whose), happenings))

    async def _inbox(self, tenant: str, user: str) -> list[Item]:
        found: list[Item] = []
        before = None
        while True:
            asked = ReadInbox(tenant=tenant, user=user, which="all", before=before, limit=MOST)
            page = await ask_page(self._desk.owners, asked)
            found += page.items
            if page.next is None:
                return found
            before = page.next
