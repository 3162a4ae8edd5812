"""`/v1/users/{user}/inbox`: what a user was told in the app, and what they did with it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from pipeline.topics import INBOX_CHANGES
from policy.instants import moment
from schemas.event import Moment
from schemas.inbox_change import InboxChange, ItemId
from schemas.inbox_question import (
    MOST,
    InboxCounts,
    Page,
    ReadCounts,
    ReadInbox,
    Which,
)
from web.api.desk import Desk, Position, after_of
from web.api.keys import Scope
from web.api.problem import FieldError, Problem
from web.api.route import Call, Reply, Route
from web.gateway.token import LIFE, Subscriber, make_token, subscriber_secret

ROLE = "inapp"
_INBOX = "/v1/users/{user}/inbox"


class InboxQuery(Struct, frozen=True, kw_only=True):
    """Which items, newest first; `before` is a page's `next`, `position` what a write answered."""

    which: Which = "inbox"
    before: ItemId | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 20
    position: str | None = None


class CountsQuery(Struct, frozen=True):
    """`position` is what a write answered."""

    position: str | None = None


class ChangeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the user did, now or at `at`, to one item; without `item` to all until then."""

    kind: Literal["seen", "read", "unread", "archived", "unarchived", "snoozed"]
    item: ItemId | None = None
    at: Moment | None = None
    until: Moment | None = None


class Token(Struct, frozen=True):
    """`expires_at` in epoch seconds."""

    token: str
    expires_at: int


class Inboxes:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """The routes."""
        scope = Scope.USERS
        return [
            Route("GET", _INBOX, scope, "A user's inbox", self.read, {200: Page}, None, InboxQuery),
            Route(
                "GET", f"{_INBOX}/counts", scope, "How many are unread", self.counts,
                {200: InboxCounts}, None, CountsQuery,
            ),
            Route(
                "POST", "/v1/users/{user}/token", scope, "A token for the user's own inbox",
                self.token, {200: Token},
            ),
            Route(
                "POST", f"{_INBOX}/changes", scope, "What the user did with an item, or with all",
                self.change, {202: Position}, ChangeBody,
            ),
        ]  # fmt: skip

    async def read(self, call: Call) -> Reply:
        """From the user's own partition."""
        query: InboxQuery = call.query
        asked = ReadInbox(
            tenant=call.key.tenant,
            user=call.path["user"],
            which=query.which,
            before=query.before,
            limit=query.limit,
        )
        return Reply(
            await self._desk.owners.ask(ROLE, asked.user, asked, Page, after_of(query.position))
        )

    async def counts(self, call: Call) -> Reply:
        """From the user's own partition."""
        asked = ReadCounts(tenant=call.key.tenant, user=call.path["user"])
        after = after_of(call.query.position)
        return Reply(await self._desk.owners.ask(ROLE, asked.user, asked, InboxCounts, after))

    async def token(self, call: Call) -> Reply:
        """To hand to the user's browser or app."""
        key = self._desk.settings.signing_key.get_secret_value().encode()
        if not key:
            raise Problem(503, "TOCSIN_SIGNING_KEY is not set, so there can be no tokens.")
        subscriber = Subscriber(call.key.tenant, call.path["user"])
        now = self._desk.clock.now() // 1000
        secret = subscriber_secret(key, subscriber.tenant)
        return Reply(Token(make_token(secret, subscriber, now), now + LIFE))

    async def change(self, call: Call) -> Reply:
        """202 once Kafka has it; with its position it is read back for sure."""
        said = change_of(call.body, call.key.tenant, call.path["user"], self._desk.clock.now())
        return Reply(await self._desk.write(INBOX_CHANGES, said), 202)


def change_of(body: ChangeBody, tenant: str, user: str, now: int) -> InboxChange:
    """The change of a user; raises Problem for one that can't be."""
    at = moment(now) if body.at is None else min(body.at, moment(now))
    if (body.kind == "snoozed") != (body.until is not None):
        raise Problem(400, "", FieldError("/until", "is for what is snoozed, and needed there"))
    return InboxChange(
        user=user, tenant=tenant, kind=body.kind, item=body.item, at=at, until=body.until
    )
