"""Feeds: who reads what of a post, and pages of two sources as if they were one."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policy.audience.feed import Read, item_for, item_of, merged
from policy.catalogue.catalogue import parse
from policy.identity import notification_id
from policy.notification_type import NotificationType
from policy.time.timestamps import epoch_ms, moment, timestamp
from policy.user.profile import Profile
from policy.user.state import UserState
from schemas.delivery import Action
from schemas.errors import BadRecord
from schemas.event import Event
from schemas.feed import Feed, FeedItem, Post
from schemas.inbox import Item
from schemas.vocabulary import Channel

NOW = 1_773_480_413_600
HOUR = 3_600_000
TYPE = """
event = "post.published"
[types.post]
category = "social"
priority = "normal"
channels = ["{channel}"]
followers = true
topic = "author"
delay = 60
time_to_live = 3600
{more}
templates.{channel}.body = "{{{{ data.text }}}}"
{texts}
"""


def spec_of(channel: str = "inapp", more: str = "", texts: str = "") -> NotificationType:
    files = {"post.toml": TYPE.format(channel=channel, more=more, texts=texts)}
    return parse(files).types["post"]


def post(at: int = NOW - HOUR, **fields: Any) -> Post:
    values = {
        "id": "p1",
        "type": "post.published",
        "actor": "eve",
        "occurred_at": moment(at),
        "data": {"text": "Spring", "author": "eve"},
        "tenant": "acme",
    }
    event = Event(**{**values, **fields})
    name = notification_id("acme", event.id, "", "post")
    return Post(notification_id=name, type="post", event=event, accepted_at=at)


def read(said: Post, profile: Profile | None = None, **state: Any) -> FeedItem | None:
    return item_for(said, "ann", spec_of(), UserState(profile or Profile(), **state), NOW)


def test_a_post_has_the_users_own_notification_and_everyones_place() -> None:
    item = read(post())
    assert item is not None
    assert (item.body, item.source, item.type) == ("Spring", "outbox", "post")
    assert item.notification_id == notification_id("acme", "p1", "ann", "post")
    assert item.id == f"{NOW - HOUR}.{notification_id('acme', 'p1', '', 'post')}"
    assert item.occurred_at == timestamp(NOW - HOUR)


@pytest.mark.parametrize(
    "profile",
    [
        Profile(channels={Channel.INAPP: False}),
        Profile(categories={"social": {Channel.INAPP: False}}),
        Profile(mutes={"social/eve": 0}),
        Profile(mutes={"social/eve": NOW + 1}),
    ],
)
def test_who_does_not_want_it_does_not_see_it(profile: Profile) -> None:
    assert read(post(), profile) is None


@pytest.mark.parametrize(
    "profile",
    [
        Profile(channels={Channel.PUSH: False}),
        Profile(categories={"orders": {Channel.INAPP: False}}),
        Profile(mutes={"social/bob": 0}),
        Profile(mutes={"social/eve": NOW}),
        # These spare a sound, and nobody hears a feed.
        Profile(snoozed_until=NOW + HOUR, quiet_hours=((127, 0, 1439),)),
    ],
)
def test_other_wishes_keep_nothing_from_it(profile: Profile) -> None:
    assert read(post(), profile) is not None


def test_a_receipt_is_seen_whatever_is_wanted() -> None:
    state = UserState(Profile(channels={Channel.INAPP: False}))
    spec = spec_of(more="transactional = true")
    assert item_for(post(), "ann", spec, state, NOW) is not None


def test_what_is_for_later_is_seen_then() -> None:
    said = post(at=NOW - 1000)
    spec, state = spec_of(), UserState()
    assert item_for(said, "ann", spec, state, NOW) is None  # a minute's delay
    assert item_for(said, "ann", spec, state, NOW + 59_000) is not None
    scheduled = post(deliver_at=moment(NOW + HOUR))
    assert item_for(scheduled, "ann", spec, state, NOW) is None
    assert item_for(scheduled, "ann", spec, state, NOW + HOUR) is not None


def test_each_reads_a_text_of_their_own() -> None:
    text = TYPE.format(channel="inapp", more="", texts="")
    text = text.replace("data.text", "user.name|default('you')")
    spec = parse({"post.toml": text}).types["post"]
    for attributes, body in (({"name": "Ann"}, "Ann"), ({}, "you")):
        found = item_for(post(), "ann", spec, UserState(Profile(attributes=attributes)), NOW)
        assert found is not None
        assert found.body == body


def test_what_was_cancelled_is_not_seen() -> None:
    said = post(cancel_key="k")
    assert read(said, cancelled_at=epoch_ms(said.event.occurred_at)) is None
    assert read(said, cancelled_at=epoch_ms(said.event.occurred_at) - 1) is not None
    assert read(post(), cancelled_at=NOW) is not None


def test_what_was_too_old_when_it_came_is_not_seen_and_what_grows_old_is() -> None:
    said = post(at=NOW - 50 * HOUR)
    assert read(said) is not None
    late = replace(said, accepted_at=NOW - 48 * HOUR)
    assert read(late) is None


def test_a_type_that_says_nothing_in_the_app_is_in_no_feed() -> None:
    assert item_for(post(), "ann", spec_of("push"), UserState(), NOW) is None


def test_a_post_is_read_in_the_users_language() -> None:
    spec = spec_of(texts='templates.inapp.locales.de.body = "{{ data.text }} ist da"')
    item = item_for(post(), "ann", spec, UserState(Profile(locale="de-AT")), NOW)
    assert item is not None
    assert item.body == "Spring ist da"


def test_what_can_not_be_rendered_says_why() -> None:
    with pytest.raises(BadRecord, match="text"):
        read(post(data={"author": "eve"}))
    with pytest.raises(BadRecord, match="a year ahead"):
        read(post(deliver_at=moment(NOW) + timedelta(days=800)))


def entry(at: int, name: str, source: str) -> FeedItem:
    return FeedItem(
        id=f"{at:013d}.{name if source == 'inbox' else name.upper():0>32}",
        source=source,  # type: ignore[arg-type]
        notification_id=name,
        type="t",
        title="",
        body="",
        occurred_at=timestamp(at),
    )


def newest_first(items: Iterable[FeedItem]) -> list[FeedItem]:
    return sorted(items, key=lambda item: item.id, reverse=True)


class Sources:
    """An inbox and the outboxes, which are read as far as a page goes, or less far."""

    def __init__(self, told: Sequence[FeedItem], posted: Sequence[FeedItem]) -> None:
        self.told, self.posted = list(told), list(posted)

    def page(self, before: str, limit: int, looked_at: int) -> Feed:
        posts = self._read(self.posted, before, min(limit, looked_at))
        names = {item.notification_id for item in posts.items}
        known = {item.notification_id for item in self.told} & names
        return merged(self._read(self.told, before, limit), posts, known, limit)

    def _read(self, items: list[FeedItem], before: str, most: int) -> Read:
        found = [item for item in newest_first(items) if item.id < before]
        return Read(found[:most], found[most - 1].id if len(found) > most else None)

    @property
    def whole(self) -> list[FeedItem]:
        known = {item.notification_id for item in self.told}
        return newest_first(
            [*self.told, *(each for each in self.posted if each.notification_id not in known)]
        )


times = st.integers(0, 30)
names = st.text("abcd", min_size=1, max_size=2)


@given(
    st.dictionaries(names, times, max_size=20),
    st.dictionaries(names, times, max_size=20),
    st.integers(1, 8),
    st.integers(1, 8),
    st.lists(st.booleans(), max_size=60),
)
def test_pages_are_the_whole_in_order_each_once(
    told: dict[str, int], posted: dict[str, int], limit: int, looked_at: int, new: list[bool]
) -> None:
    """Whatever comes meanwhile is newer, and in none of the pages that follow."""
    sources = Sources(
        [entry(at, name, "inbox") for name, at in told.items()],
        [entry(at, name, "outbox") for name, at in posted.items()],
    )
    whole, seen, before = sources.whole, list[FeedItem](), "~"
    for number in range(100):
        page = sources.page(before, limit, looked_at)
        assert len(page.items) <= limit
        seen += page.items
        if page.next is None:
            break
        assert page.next < before
        before = page.next
        if number < len(new):
            source = "inbox" if new[number] else "outbox"
            kept = sources.told if new[number] else sources.posted
            kept.append(entry(1000 + number, f"new{number}", source))
    else:
        raise AssertionError("it does not end")
    assert seen == whole


def test_an_item_of_the_inbox_keeps_what_the_user_did() -> None:
    item = Item(
        id=f"{NOW}.{'a' * 32}", number=7, notification_id="a" * 32, type="t", title="T", body="B",
        occurred_at=timestamp(NOW), data={"x": 1}, seen_at=timestamp(3), read_at=timestamp(4),
        image="https://x.example/p.png", actions=(Action(label="Go", url="https://x.example/"),),
    )  # fmt: skip
    shown = item_of(item)
    assert (shown.source, shown.id) == ("inbox", item.id)
    assert (shown.seen_at, shown.read_at) == ("1970-01-01T00:00:00.003Z", timestamp(4))
    assert (shown.title, shown.body, shown.data) == ("T", "B", {"x": 1})
    assert (shown.image, shown.actions) == (item.image, item.actions)


@pytest.mark.parametrize(
    ("late", "is_seen"), [(61 * 60_000 - 1, True), (61 * 60_000, False), (61 * 60_000 + 1, False)]
)
def test_too_old_when_it_came_is_to_the_millisecond(late: int, is_seen: bool) -> None:
    """It may go out after a minute, and lives for an hour from then on."""
    said = replace(post(at=NOW - 10 * HOUR), accepted_at=NOW - 10 * HOUR + late)
    assert (read(said) is not None) is is_seen


@pytest.mark.parametrize(("now", "is_seen"), [(NOW + 59_999, False), (NOW + 60_000, True)])
def test_what_is_delayed_is_seen_to_the_millisecond(now: int, is_seen: bool) -> None:
    found = item_for(post(at=NOW), "ann", spec_of(), UserState(), now)
    assert (found is not None) is is_seen


A, B, C, D = (entry(at, name, "inbox") for at, name in ((9, "a"), (7, "b"), (5, "c"), (3, "d")))
X, Y = (entry(at, name, "outbox") for at, name in ((8, "x"), (4, "c")))


@pytest.mark.parametrize(
    ("inbox", "posts", "told", "limit", "page"),
    [
        (Read([A, B]), Read([X]), (), 3, Feed(items=[A, X, B], next=None)),
        (Read([A, B]), Read([X]), (), 2, Feed(items=[A, X], next=X.id)),
        # A post that is in the inbox, too, is not shown again.
        (Read([A, C]), Read([X, Y]), ("c",), 9, Feed(items=[A, X, C], next=None)),
        # What is older than where either ends waits for the next page.
        (Read([A, B], B.id), Read([X, Y]), (), 9, Feed(items=[A, X, B], next=B.id)),
        (Read([A, B, C, D]), Read([X], X.id), (), 9, Feed(items=[A, X], next=X.id)),
        (Read([A, B], B.id), Read([X], X.id), (), 9, Feed(items=[A, X], next=X.id)),
        (Read([]), Read([]), (), 9, Feed(items=[], next=None)),
    ],
)
def test_pages_by_hand(
    inbox: Read, posts: Read, told: tuple[str, ...], limit: int, page: Feed
) -> None:
    assert merged(inbox, posts, told, limit) == page
