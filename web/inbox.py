"""One user's inbox, for whoever may read and change it: the tenant's key, or the user's token."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from policy.time.timestamps import moment
from schemas.event import Moment
from schemas.inbox import MOST, InboxChange, InboxCounts, ItemId, Page, ReadCounts, ReadInbox, Which
from schemas.topics import INBOX_CHANGES
from web.api.problem import FieldError, Problem
from web.api.services import Services
from web.gateway.token import Subscriber
from web.workers.partition_router import Owners
from web.workers.position import Position

ROLE = "inapp"


class InboxQuery(Struct, frozen=True, kw_only=True):
    """Which items, newest first; `before` is a page's `next`, `position` what a write answered."""

    which: Which = "inbox"
    before: ItemId | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 20
    position: str | None = None


class ChangeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the user did, now or at `at`, to one item; without `item` to all until then."""

    kind: Literal["seen", "read", "unread", "archived", "unarchived", "snoozed"]
    item: ItemId | None = None
    at: Moment | None = None
    until: Moment | None = None


async def ask_page(
    owners: Owners, asked: ReadInbox, after: Mapping[str, int] | None = None
) -> Page:
    """The page from the user's own partition, once that has handled what it is to come after."""
    return await owners.ask(ROLE, asked.user, asked, Page, after)


class Inbox:
    """Reads and changes any user's inbox."""

    def __init__(self, desk: Services) -> None:
        self._desk = desk

    async def page(self, whose: Subscriber, query: InboxQuery) -> Page:
        """A page of it."""
        asked = ReadInbox(
            tenant=whose.tenant,
            user=whose.user,
            which=query.which,
            before=query.before,
            limit=query.limit,
        )
        after = await self._desk.handled.before(ROLE, whose.user, query.position)
        return await ask_page(self._desk.owners, asked, after)

    async def counts(self, whose: Subscriber, position: str | None = None) -> InboxCounts:
        """How many are unread."""
        asked = ReadCounts(tenant=whose.tenant, user=whose.user)
        after = await self._desk.handled.before(ROLE, whose.user, position)
        return await self._desk.owners.ask(ROLE, whose.user, asked, InboxCounts, after)

    async def change(self, whose: Subscriber, body: ChangeBody) -> Position:
        """On return Kafka has it; with its position it is read back for sure.

        Raises Problem for a change that can't be.
        """
        now = moment(self._desk.clock.now())
        if (body.kind == "snoozed") != (body.until is not None):
            raise Problem(400, "", FieldError("/until", "is for what is snoozed, and needed there"))
        said = InboxChange(
            user=whose.user,
            tenant=whose.tenant,
            kind=body.kind,
            item=body.item,
            at=now if body.at is None else min(body.at, now),
            until=body.until,
        )
        return await self._desk.write(INBOX_CHANGES, said)
