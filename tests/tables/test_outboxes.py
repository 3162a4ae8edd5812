"""Posts that feeds read: how they are stored, in which order, how many and for how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.decider.outboxes import keep_post
from schemas.event import Event
from schemas.feed import Post
from tables.outboxes import AGES, OUTBOXES, POSTS, age_key, aged, item_at, place_of, post_key
from tables.storage.memory_store import MemoryStore
from tables.storage.table import key_of
from tests.tables.stored import read, turn_of, written
from tests.tables.test_pending import EVENT, NOON, PLAIN_EVENT

DAY_MS = 86_400_000
NOW = 1_795_000_000_000

moments = st.integers(0, 9_999_999_999_999)
ids = st.text("0123456789abcdef", min_size=32, max_size=32)
names = st.text(min_size=1, max_size=4)
items = st.builds(lambda at, name: f"{at:013d}.{name}", moments, ids)


def post(number: int, at: int, actor: str = "bob") -> Post:
    event = Event(id=f"e{number}", type="posted", actor=actor, occurred_at=NOON)
    return Post(notification_id=f"{number:032x}", type="posted", event=event, accepted_at=at)


async def keep(store: MemoryStore, *posts: Post) -> None:
    transaction = turn_of(store)
    for each in posts:
        keep_post(transaction, each)
    await transaction.commit()


def kept(store: MemoryStore, actor: str = "bob") -> list[int]:
    """The numbers of an actor's posts, as they stand."""
    keys = turn_of(store).view(POSTS).keys(key_of("default", actor))
    return [int(item_at(key)[14:], 16) for key in keys]


def test_each_is_stored_as_the_last_release_stores_it() -> None:
    one = Post(notification_id="f" * 32, type="posted", event=EVENT, accepted_at=5)
    plain = {
        "notification_id": "f" * 32, "type": "posted", "event": PLAIN_EVENT, "accepted_at": 5
    }  # fmt: skip
    assert written(POSTS, one) == {b"akey": plain}
    assert read(POSTS, b"a", plain) == one
    assert written(OUTBOXES, "0000000000005.a") == {b"bkey": "0000000000005.a"}
    assert read(OUTBOXES, b"b", "0000000000005.a") == "0000000000005.a"
    assert written(AGES, True) == {b"dkey": True}
    assert read(AGES, b"d", True) is True


@given(names, names, names, names, items, items)
def test_of_two_posts_the_newer_one_comes_first_whoever_wrote_them(
    tenant: str, actor: str, other: str, writer: str, one: str, two: str
) -> None:
    first, second = post_key(key_of(tenant, actor), one), post_key(key_of(other, writer), two)
    assert (place_of(first) < place_of(second)) == (one > two)
    assert item_at(first) == one
    assert first.startswith(key_of(tenant, actor))


@given(names, names, names, names, items, items)
def test_of_all_posts_the_oldest_comes_first_in_ages_which_say_whose_it_is(
    tenant: str, actor: str, other: str, writer: str, one: str, two: str
) -> None:
    first, second = age_key(tenant, actor, one), age_key(other, writer, two)
    assert aged(first) == (tenant, actor, one)
    if one != two:
        assert (first < second) == (one < two)


async def test_an_actor_has_two_hundred_posts_the_newest_in_whatever_order_they_came() -> None:
    store = MemoryStore()
    await keep(store, post(0, NOW, actor="bo"), *(post(n, NOW + n) for n in range(201, 0, -1)))
    assert kept(store) == list(range(201, 1, -1))
    assert kept(store, "bo") == [0]
    assert len([key for key in store.stored if key[:1] == b"d"]) == 201


@pytest.mark.parametrize(("age", "is_kept"), [(30 * DAY_MS, True), (30 * DAY_MS + 1, False)])
async def test_a_post_is_kept_for_thirty_days(age: int, is_kept: bool) -> None:
    store = MemoryStore()
    await keep(store, post(1, NOW - age))
    await keep(store, post(2, NOW))
    assert kept(store) == [2, *([1] if is_kept else [])]
    outbox = store.stored[b"b" + key_of("default", "bob")]
    assert OUTBOXES.decode(outbox) == f"{NOW}.{2:032x}"
