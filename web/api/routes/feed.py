"""`/v1/users/{user}/feed`: what a user was told in the app, and posts of those whom they follow."""

from schemas.feed import Feed
from web.api.call import Call
from web.api.keys import Scope
from web.api.route import Reply, Route
from web.api.services import Services
from web.feed import INBOX_ROLE, FeedQuery, read_feed


class Feeds:
    """The handler."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The route."""
        path, said = "/v1/users/{user}/feed", "A user's feed: the inbox, merged with outboxes"
        return [
            Route(
                "GET", path, Scope.USERS, said, self.read, {200: Feed}, None, FeedQuery,
                name="get_feed", tag="Inbox",
            )
        ]  # fmt: skip

    async def read(self, call: Call) -> Reply:
        """From the user's own partition."""
        position = call.query.position
        after = await self._desk.handled.before(INBOX_ROLE, call.whose.user, position)
        return Reply(await read_feed(self._desk.owners, call.whose, call.query, after))
