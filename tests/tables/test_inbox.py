"""The inbox: where items stand, what they are called, and that those of before are still read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.inbox import Counts, ItemState
from schemas.delivery import Content
from schemas.vocabulary import Channel, Priority
from tables.inbox import (
    COUNTS,
    INBOX,
    MOMENT_BYTES,
    InboxItem,
    id_of_item,
    inbox_key,
    item_id,
    key_of_item,
    name_of,
)
from tables.storage.table import key_of
from tests.sinks.requests.recorder import delivery
from tests.tables.stored import bytes_read_again, read, written

ids = st.text("0123456789abcdef", min_size=32, max_size=32)
moments = st.integers(0, 9_999_999_999_999)
users = st.text(min_size=1, max_size=5)

ITEM = InboxItem("a" * 32, "order_shipped", Content(body="Hi"), 1000, 1001)
OF_BEFORE = ["a" * 32, "order_shipped", {"body": "Hi"}, 1000, 1001]
STATE = [5, 6, -7, 8, 9, 6]
TICKET = [b"d" * 16, b"n" * 16, "e", "t", "u", "order_shipped", "c", "inapp", "high", 1, 2, "", ""]


@pytest.mark.parametrize(
    ("plain", "fields"),
    [
        (OF_BEFORE, {}),
        ([*OF_BEFORE, STATE], {"state": ItemState(5, 6, -7, 8, 9, 6)}),
        ([*OF_BEFORE, STATE[:2], None, 3], {"state": ItemState(5, 6), "number": 3}),
    ],
)
def test_items_of_before_are_read_as_nobody_has_touched_what_they_do_not_say(
    plain: object, fields: dict[str, Any]
) -> None:
    expected = {"state": ItemState(0, 0, 0, 0, 0, 0), "ticket": None, "number": 0, **fields}
    found = read(INBOX, b"i", plain)
    assert found == InboxItem("a" * 32, "order_shipped", Content(body="Hi"), 1000, 1001, **expected)


def test_items_are_stored_as_the_last_release_stores_them() -> None:
    assert written(INBOX, ITEM) == {b"ikey": [*OF_BEFORE, [0] * 6, None, 0, ""]}
    found = read(INBOX, b"i", [*OF_BEFORE, [0] * 6, TICKET, 4])
    assert isinstance(found, InboxItem)
    assert found.ticket is not None
    assert (found.ticket.channel, found.ticket.priority) == (Channel.INAPP, Priority.HIGH)
    assert (found.ticket.user, found.ticket.accepted_at, found.number) == ("u", 2, 4)
    # What came since stands at the end, where it passes over it.
    assert written(INBOX, found) == {b"ikey": [*OF_BEFORE, [0] * 6, [*TICKET, b""], 4, ""]}


def test_counts_begin_as_the_last_release_stores_them() -> None:
    assert written(COUNTS, Counts(5, 4, 3, 9, 77)) == {b"nkey": [5, 4, 3, 9, 77, 0]}
    assert read(COUNTS, b"n", [5, 4, 3]) == Counts(5, 4, 3, 0, 0)


async def test_counts_that_were_used_lately_are_at_hand() -> None:
    assert await bytes_read_again(COUNTS, Counts(1, 1, 1, 1, 5)) == 0
    assert await bytes_read_again(INBOX, ITEM) > 0


def test_an_item_is_known_by_its_idempotency_key_where_it_has_one() -> None:
    """So that a feed has a notification once that came to an inbox and as a post."""
    without = delivery(Channel.INAPP, "", notification_id="a" * 32)
    assert name_of(without) == "a" * 32
    with_key = delivery(Channel.INAPP, "", notification_id="a" * 32, counts_as="b" * 32)
    assert name_of(with_key) == "b" * 32


@given(users, users, moments, ids)
def test_an_id_leads_to_the_place_and_the_place_says_the_id(
    tenant: str, user: str, accepted_at: int, name: str
) -> None:
    item = item_id(accepted_at, name)
    place = inbox_key(key_of(tenant, user), accepted_at, name)
    assert key_of_item(tenant, user, item) == place
    assert id_of_item(place) == item
    moment, found = item.split(".")
    assert (int(moment), found) == (accepted_at, name)


@given(moments, ids, moments, ids)
def test_of_two_items_the_older_one_stands_first_in_the_inbox_and_by_its_id(
    one: int, first: str, other: int, second: str
) -> None:
    whose = key_of("t", "u")
    order = (one, first) < (other, second)
    assert (inbox_key(whose, one, first) < inbox_key(whose, other, second)) == order
    assert (item_id(one, first) < item_id(other, second)) == order


def test_users_whose_names_begin_alike_have_inboxes_of_their_own() -> None:
    ann = key_of("t", "ann")
    others = [("t", "anna"), ("t", "an"), ("tan", "n"), ("", "tann")]
    places = [key_of_item(tenant, user, item_id(5, "a")) for tenant, user in others]
    assert not any(place.startswith(ann) for place in places)
    assert len(set(places)) == len(others)


@given(moments, ids, moments, ids)
def test_the_beginning_of_a_place_says_the_millisecond_and_nothing_else(
    one: int, first: str, other: int, second: str
) -> None:
    """By it those are found among which only their numbers say who came first."""
    whose = key_of("t", "u")
    until = len(whose) + MOMENT_BYTES
    begin = inbox_key(whose, one, first)[:until]
    assert begin == whose + b"\x00\x0d" + b"%013d" % one
    assert (begin == inbox_key(whose, other, second)[:until]) == (one == other)
