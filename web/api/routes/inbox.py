"""`/v1/users/{user}/inbox`: what a user was told in the app, and what they did with it."""

from msgspec import Struct

from policy.time.timestamps import timestamp
from schemas.event import Timestamp
from schemas.inbox import InboxCounts, Page
from web.api.call import Call
from web.api.keys import Scope
from web.api.problem import Problem
from web.api.route import Reply, Route
from web.api.services import Services
from web.gateway.token import LIFE, make_token, subscriber_secret
from web.inbox import ChangeBody, Inbox, InboxQuery
from web.workers.position import Position

_INBOX = "/v1/users/{user}/inbox"
TAG = "Inbox"


class CountsQuery(Struct, frozen=True):
    """`position` is what a write answered."""

    position: str | None = None


class Token(Struct, frozen=True):
    """The token, and when it ends."""

    token: str
    expires_at: Timestamp


class Inboxes:
    """The handlers."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk
        self._inbox = Inbox(desk)

    def routes(self) -> list[Route]:
        """The routes."""
        scope = Scope.USERS
        return [
            Route(
                "GET", _INBOX, scope, "A user's inbox", self.read, {200: Page}, None, InboxQuery,
                name="get_inbox", tag=TAG,
            ),
            Route(
                "GET", f"{_INBOX}/counts", scope, "How many are unread", self.counts,
                {200: InboxCounts}, None, CountsQuery, name="get_inbox_counts", tag=TAG,
            ),
            Route(
                "POST", "/v1/users/{user}/token", scope, "A token for the user's own inbox",
                self.token, {200: Token}, name="create_inbox_token", tag=TAG,
            ),
            Route(
                "POST", f"{_INBOX}/changes", scope, "What the user did with an item, or with all",
                self.change, {202: Position}, ChangeBody,
                name="change_inbox", tag=TAG, example={"kind": "read"},
            ),
        ]  # fmt: skip

    async def read(self, call: Call) -> Reply:
        """From the user's own partition."""
        return Reply(await self._inbox.page(call.whose, call.query))

    async def counts(self, call: Call) -> Reply:
        """From the user's own partition."""
        return Reply(await self._inbox.counts(call.whose, call.query.position))

    async def token(self, call: Call) -> Reply:
        """To hand to the user's browser or app."""
        key = self._desk.settings.signing_key.get_secret_value().encode()
        if not key:
            raise Problem(503, "TOCSIN_SIGNING_KEY is not set, so there can be no tokens.")
        now = self._desk.clock.now() // 1000
        secret = subscriber_secret(key, call.whose.tenant)
        token = make_token(secret, call.whose, now)
        return Reply(Token(token, timestamp(1000 * (now + LIFE))))

    async def change(self, call: Call) -> Reply:
        """202 once Kafka has it; with its position it is read back for sure."""
        return Reply(await self._inbox.change(call.whose, call.body), 202)
