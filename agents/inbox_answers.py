"""Answers to what is asked of an inbox, from the state of the partition; they change nothing."""

from collections.abc import Iterator

import msgspec

from policy.inbox import Counts, ItemState
from policy.instants import timestamp
from schemas.event import Timestamp
from schemas.feed import Written
from schemas.inbox_question import (
    InboxCounts,
    InboxQuestion,
    Item,
    Page,
    ReadCounts,
    ReadInbox,
    ReadWritten,
)
from tables.inbox import COUNTS, INBOX, InboxItem, id_of_item, key_of_item
from tables.table import key_of, last_part
from tables.turn import Turn

_decode = msgspec.json.Decoder(InboxQuestion).decode
_encode = msgspec.json.Encoder().encode


class InboxAnswers:
    """Reads one partition, within a turn that is never finished."""

    def __init__(self, turn: Turn) -> None:
        self._inbox = turn.view(INBOX)
        self._counts = turn.view(COUNTS)

    def answer(self, question: bytes, now: int) -> bytes:
        """The answer as JSON; raises ValidationError for what is no question."""
        asked = _decode(question)
        counts = self._counts.get(key_of(asked.tenant, asked.user)) or Counts()
        shown = shown_counts(counts)
        if isinstance(asked, ReadCounts):
            return _encode(shown)
        if isinstance(asked, ReadWritten):
            return _encode(self._written(asked, now))
        found = list(self._found(asked, now))
        more = len(found) > asked.limit
        items = found[: asked.limit]
        return _encode(Page(items=items, counts=shown, next=items[-1].id if more else None))

    def _written(self, asked: ReadWritten, now: int) -> Written:
        page = ReadInbox(
            tenant=asked.tenant, user=asked.user, before=asked.before, limit=asked.limit
        )
        items = list(self._found(page, now))
        keys, wanted = self._inbox.keys(key_of(asked.tenant, asked.user)), set(asked.notifications)
        found = [name for name in map(last_part, keys) if name in wanted] if wanted else []
        end = items[asked.limit - 1].id if len(items) > asked.limit else None
        return Written(items=items[: asked.limit], found=found, end=end)

    def _found(self, asked: ReadInbox, now: int) -> Iterator[Item]:
        """One item more than was asked for, where there is one."""
        left = asked.limit + 1
        for key in self._keys(asked):
            item = self._inbox.get(key)
            if item is not None and _is_wanted(item.state, asked.which, now):
                yield shown_item(id_of_item(key), item)
                left -= 1
                if not left:
                    return

    def _since(self, asked: ReadInbox, number: int) -> list[bytes]:
        found = []
        for key in self._inbox.keys(key_of(asked.tenant, asked.user)):
            item = self._inbox.get(key)
            if item is not None and item.number > number:
                found.append((item.number, key))
        return [key for _, key in sorted(found)]

    def _keys(self, asked: ReadInbox) -> list[bytes]:
        whole = key_of(asked.tenant, asked.user)
        if asked.since is not None:
            return self._since(asked, asked.since)
        if asked.after is not None:
            return list(self._inbox.keys(whole, key_of_item(asked.tenant, asked.user, asked.after)))
        keys = list(self._inbox.keys(whole))
        if asked.before is not None:
            before = key_of_item(asked.tenant, asked.user, asked.before)
            keys = [key for key in keys if key < before]
        return keys[::-1]


def _is_wanted(state: ItemState, which: str, now: int) -> bool:
    archived, snoozed = state.archived_at > 0, state.snoozed_until > now
    match which:
        case "all":
            return True
        case "archived":
            return archived
        case "unread":
            return not archived and not snoozed and state.read_at <= 0
    return not archived and not snoozed


def shown_counts(counts: Counts) -> InboxCounts:
    """Counts as they are told."""
    return InboxCounts(counts.unread, counts.unseen, counts.last)


def shown_item(name: str, item: InboxItem) -> Item:
    """An item as it is told, under its id."""
    state, content = item.state, item.content
    return Item(
        id=name,
        number=item.number,
        notification_id=item.notification_id,
        type=item.type,
        title=content.title,
        body=content.body,
        data=content.data,
        occurred_at=timestamp(item.occurred_at),
        seen_at=_told(state.seen_at),
        read_at=_told(state.read_at),
        archived_at=_told(state.archived_at),
        snoozed_until=_told(state.snoozed_until),
    )


def _told(at: int) -> Timestamp | None:
    """None for never, and for what was taken back, which has a moment below 0."""
    return timestamp(at) if at > 0 else None
