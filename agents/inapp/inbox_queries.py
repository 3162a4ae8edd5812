"""Answers to what is asked of an inbox, from the state of the partition; they change nothing."""

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

import msgspec

from agents.inapp.snoozes import Snoozes
from policy.inbox import EMPTY_COUNTS, ItemState
from policy.time.timestamps import timestamp
from schemas.event import Timestamp
from schemas.feed import Written
from schemas.inbox import (
    InboxQuestion,
    Item,
    Page,
    ReadCounts,
    ReadInbox,
    ReadWritten,
)
from tables.inbox import COUNTS, INBOX, MOMENT_BYTES, InboxItem, id_of_item, key_of_item
from tables.storage.table import key_of, last_part
from tables.storage.transaction import Transaction

_decode = msgspec.json.Decoder(InboxQuestion).decode
_encode = msgspec.json.Encoder().encode


class InboxAnswers:
    """Reads one partition, within a transaction that is never finished."""

    def __init__(self, transaction: Transaction) -> None:
        self._inbox = transaction.view(INBOX)
        self._counts = transaction.view(COUNTS)
        self._transaction = transaction

    def answer(self, question: bytes, now: int) -> bytes:
        """The answer as JSON; raises ValidationError for what is no question."""
        asked = _decode(question)
        whose = key_of(asked.tenant, asked.user)
        counts = self._counts.get(whose) or EMPTY_COUNTS
        shown = Snoozes(self._transaction, now).shown(whose, counts)
        if isinstance(asked, ReadCounts):
            return _encode(shown)
        if isinstance(asked, ReadWritten):
            return _encode(self._written(asked, now))
        found = list(self._found(self._keys(asked), asked, now))
        more = len(found) > asked.limit
        items = found[: asked.limit]
        return _encode(Page(items=items, counts=shown, next=items[-1].id if more else None))

    def _written(self, asked: ReadWritten, now: int) -> Written:
        page = ReadInbox(
            tenant=asked.tenant, user=asked.user, before=asked.before, limit=asked.limit
        )
        keys = list(self._inbox.keys(key_of(asked.tenant, asked.user)))
        before = None if asked.before is None else _place(asked, asked.before)
        # By their ids, as what they are merged with is.
        of_page = (key for key in reversed(keys) if before is None or key < before)
        items, wanted = list(self._found(of_page, page, now)), set(asked.notifications)
        found = [name for name in map(last_part, keys) if name in wanted] if wanted else []
        end = items[asked.limit - 1].id if len(items) > asked.limit else None
        return Written(items=items[: asked.limit], found=found, end=end)

    def _found(self, keys: Iterable[bytes], asked: ReadInbox, now: int) -> Iterator[Item]:
        """One item more than was asked for, where there is one."""
        left = asked.limit + 1
        for key in keys:
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

    def _keys(self, asked: ReadInbox) -> Iterable[bytes]:
        if asked.since is not None:
            return self._since(asked, asked.since)
        whole = key_of(asked.tenant, asked.user)
        keys, moment = list(self._inbox.keys(whole)), len(whole) + MOMENT_BYTES
        if asked.after is not None:
            after = _place(asked, asked.after)
            keys = [key for key in keys if key[:moment] >= after[:moment]]
            return _behind(after, keys, self._as_they_came(keys, moment))
        keys.reverse()
        if asked.before is None:
            return self._as_they_came(keys, moment, newest_first=True)
        before = _place(asked, asked.before)
        keys = [key for key in keys if key[:moment] <= before[:moment]]
        return _behind(before, keys, self._as_they_came(keys, moment, newest_first=True))

    def _as_they_came(
        self, keys: Iterable[bytes], moment: int, *, newest_first: bool = False
    ) -> Iterator[bytes]:
        """These keys; where they are the same up to `moment`, as the items came into the inbox."""
        for _, group in groupby(keys, key=lambda key: key[:moment]):
            together = list(group)
            if len(together) > 1:
                self._inbox.load(together)
                together.sort(key=self._number, reverse=newest_first)
            yield from together

    def _number(self, key: bytes) -> int:
        item = self._inbox.get(key)
        return 0 if item is None else item.number


def _place(asked: ReadInbox | ReadWritten, item: str) -> bytes:
    return key_of_item(asked.tenant, asked.user, item)


def _behind(key: bytes, keys: Collection[bytes], ordered: Iterator[bytes]) -> Iterator[bytes]:
    """Those of the ordered keys that come after this one, or all of its moment if it is gone."""
    if key in keys:
        next(each for each in ordered if each == key)
    return ordered


def _is_wanted(state: ItemState, which: str, now: int) -> bool:
    archived, snoozed = state.archived_at > 0, state.snoozed_until > now
    match which:
        case "all":
            return True
        case "archived":
            return archived
        case "snoozed":
            return snoozed and not archived
        case "unread":
            return not archived and not snoozed and state.read_at <= 0
    return not archived and not snoozed


def shown_item(name: str, item: InboxItem) -> Item:
    """An item as in replies, under its id."""
    state, content = item.state, item.content
    return Item(
        id=name,
        number=item.number,
        notification_id=item.notification_id,
        type=item.type,
        title=content.title,
        body=content.body,
        data=content.data,
        replaces=item.replaces,
        occurred_at=timestamp(item.occurred_at),
        seen_at=_told(state.seen_at),
        read_at=_told(state.read_at),
        archived_at=_told(state.archived_at),
        snoozed_until=_told(state.snoozed_until),
        image=content.image,
        actions=content.actions,
    )


def _told(at: int) -> Timestamp | None:
    """None for never, and for what was taken back, which has a moment below 0."""
    return timestamp(at) if at > 0 else None
