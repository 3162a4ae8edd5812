"""Deliveries that wait to be tried again: each once, each in its time, of each user their own."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.delivery import Content, Delivery
from schemas.encoding import encode
from schemas.vocabulary import Channel
from tables.storage.memory_store import MemoryStore
from tables.storage.step import Step
from tables.waiting import AT_ONCE, Due, Waiting
from tests.sinks.requests import recorder
from tests.tables.stored import turn_of

NOW = 1_795_000_000_000
FAR = 253_370_764_800_000  # 9999-01-01


def delivery(number: int, due_at: int, **fields: Any) -> Delivery:
    return recorder.delivery(
        Channel.EMAIL, "a@example.com", number, **{"due_at": due_at, "attempt": 1, **fields}
    )


class Kept:
    """One partition's, a transaction at a time."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.waiting = Waiting(self.store)

    async def add(self, *deliveries: Delivery) -> None:
        transaction = turn_of(self.store)
        for each in deliveries:
            self.waiting.add(transaction, each, encode(each))
        await transaction.commit()

    async def take(self, now: int) -> list[Due]:
        transaction = turn_of(self.store)
        found = self.waiting.take_due(transaction, now)
        await transaction.commit()
        return found

    async def numbers(self, now: int) -> list[int]:
        """Which are taken, by number."""
        return [int(due.delivery.delivery_id, 16) for due in await self.take(now)]

    async def drop(self, user: str, at: int, step: Step | None = None, tenant: str = "t") -> None:
        transaction = turn_of(self.store)
        self.waiting.drop(transaction, tenant, user, at, step or Step())
        await transaction.commit()

    async def restart(self) -> None:
        self.waiting = Waiting(self.store)
        await self.waiting.begin()

    def is_empty(self) -> bool:
        """Whether neither a record nor a timer is left."""
        return not self.store.stored and self.waiting.next_due(1 << 62) is None


@pytest.fixture
def kept() -> Kept:
    return Kept()


async def test_each_is_taken_out_once_as_it_was_written_and_no_sooner_than_it_is_due(
    kept: Kept,
) -> None:
    one = delivery(1, NOW)
    newer = encode(one)[:-1] + b',"what_only_another_version_knows":7}'
    transaction = turn_of(kept.store)
    kept.waiting.add(transaction, one, newer)
    await transaction.commit()
    assert (kept.waiting.count, kept.waiting.next_due(1 << 62)) == (1, NOW)
    assert await kept.take(NOW - 1) == []
    assert kept.waiting.count == 1
    assert await kept.take(NOW) == [Due(one, newer)]
    assert kept.waiting.count == 0
    assert await kept.take(FAR) == []
    assert kept.is_empty()


async def test_all_go_in_the_order_in_which_they_are_due(kept: Kept) -> None:
    await kept.add(
        delivery(1, NOW + 256),
        delivery(2, NOW + 255, user="ad"),
        delivery(3, FAR),
        delivery(4, 0),
        delivery(5, -7, user="bob"),
        delivery(6, NOW + 255, user="ad", tenant="other"),
    )
    assert kept.waiting.count == 6
    # What was due before 1970 is due at once, beside what never said when.
    assert kept.waiting.next_due(1 << 62) == 0
    assert sorted(await kept.numbers(0)) == [4, 5]
    assert kept.waiting.next_due(1 << 62) == NOW + 255
    assert sorted(await kept.numbers(NOW + 255)) == [2, 6]
    assert await kept.numbers(FAR) == [1, 3]
    assert kept.is_empty()


async def test_one_id_waits_once_for_each_user(kept: Kept) -> None:
    """Users and tenants whose names begin alike, or that together read alike, are others."""
    users = [("t", "ann"), ("t", "anna"), ("tan", "na"), ("ta", "nna")]
    for tenant, user in users:
        await kept.add(delivery(7, NOW, tenant=tenant, user=user))
    found = [(due.delivery.tenant, due.delivery.user) for due in await kept.take(NOW)]
    assert sorted(found) == sorted(users)
    assert kept.is_empty()


@pytest.mark.parametrize(
    ("attempt", "due_at", "is_newer"),
    [(3, NOW + 10, True), (3, NOW - 10, True), (3, NOW, True), (2, NOW - 10, False),
     (1, NOW - 10, False), (0, 0, False)],
)  # fmt: skip
async def test_of_one_id_what_has_more_attempts_behind_it_waits(
    kept: Kept, attempt: int, due_at: int, is_newer: bool
) -> None:
    first = delivery(1, NOW, attempt=2, catalogue="first")
    then = delivery(1, due_at, attempt=attempt, catalogue="then")
    await kept.add(first)
    await kept.add(then)
    assert kept.waiting.count == 1
    expected = then if is_newer else first
    assert kept.waiting.next_due(1 << 62) == expected.due_at
    assert await kept.take(expected.due_at - 1) == []
    assert await kept.take(expected.due_at) == [Due(expected, encode(expected))]
    assert kept.waiting.count == 0
    assert kept.is_empty()


async def test_of_one_id_in_one_turn_the_last_attempt_waits(kept: Kept) -> None:
    await kept.add(*(delivery(1, NOW + 5 * n, attempt=n) for n in (1, 3, 2)))
    assert (kept.waiting.count, kept.waiting.next_due(1 << 62)) == (1, NOW + 15)
    (due,) = await kept.take(FAR)
    assert due.delivery.attempt == 3


async def test_a_turn_takes_a_hundred_and_the_next_one_the_rest(kept: Kept) -> None:
    await kept.add(*(delivery(number, NOW + number) for number in range(AT_ONCE + 2)))
    assert await kept.numbers(FAR) == list(range(100))
    assert kept.waiting.count == 2
    assert await kept.numbers(FAR) == [100, 101]
    assert kept.is_empty()


async def test_a_turn_takes_no_more_than_a_few_mebibytes(kept: Kept) -> None:
    """It ends with the one that fills it: of three mebibytes each, the third of eight."""
    large = Content(body="x" * (3 << 20))
    await kept.add(*(delivery(number, NOW + number, content=large) for number in range(4)))
    assert await kept.numbers(FAR) == [0, 1, 2]
    assert (kept.waiting.count, kept.waiting.next_due(1 << 62)) == (1, NOW + 3)
    assert await kept.numbers(FAR) == [3]
    assert kept.is_empty()


async def test_after_a_restart_they_are_counted_and_due_as_before(kept: Kept) -> None:
    await kept.add(*(delivery(number, NOW + number) for number in range(3)))
    await kept.restart()
    assert (kept.waiting.count, kept.waiting.next_due(1 << 62)) == (3, NOW)
    assert await kept.numbers(NOW + 1) == [0, 1]
    await kept.restart()
    assert kept.waiting.count == 1


async def test_a_timer_without_its_record_goes_and_counts_for_nothing(kept: Kept) -> None:
    await kept.add(delivery(1, NOW), delivery(2, NOW))
    (row,) = [key for key in kept.store.stored if key[:1] == b"w" and key.endswith(b"1")]
    del kept.store.stored[row]
    assert await kept.numbers(NOW) == [2]
    assert kept.waiting.count == 1
    assert kept.is_empty()


async def test_of_a_user_who_is_erased_only_what_kafka_took_since_is_left(kept: Kept) -> None:
    ann = {"tenant": "t", "user": "ann"}
    await kept.add(
        delivery(1, NOW, accepted_at=999, **ann),
        delivery(2, NOW, accepted_at=1000, **ann),
        delivery(3, NOW, accepted_at=1001, **ann),
        delivery(4, FAR, accepted_at=5, **ann),
        delivery(5, NOW, accepted_at=5, tenant="t", user="anna"),
        delivery(6, NOW, accepted_at=5, tenant="ta", user="nn"),
        delivery(7, NOW, accepted_at=5, tenant="other", user="ann"),
    )
    await kept.drop("ann", 1000)
    assert kept.waiting.count == 4
    assert sorted(await kept.numbers(FAR)) == [3, 5, 6, 7]
    assert kept.is_empty()


async def test_dropping_ends_with_its_step_and_goes_on_in_the_next(kept: Kept) -> None:
    size = len(encode(delivery(1, NOW, user="ann", tenant="t")))
    await kept.add(*(delivery(number, NOW, user="ann", tenant="t") for number in range(1, 7)))
    by_rows = Step(2)
    await kept.drop("ann", FAR, by_rows)
    assert (kept.waiting.count, by_rows.is_over) == (4, True)
    # The third of these is the one with which so many bytes are reached.
    by_size = Step(size=2 * size + 1)
    await kept.drop("ann", FAR, by_size)
    assert (kept.waiting.count, by_size.is_over) == (1, True)
    last = Step(2)
    await kept.drop("ann", FAR, last)
    assert (kept.waiting.count, last.is_over) == (0, False)
    assert kept.is_empty()


async def test_what_is_looked_at_counts_also_where_it_stays(kept: Kept) -> None:
    """Else a user with much that is newer would be looked through in one transaction."""
    await kept.add(*(delivery(n, NOW, user="ann", tenant="t", accepted_at=9) for n in range(3)))
    step = Step(3)
    await kept.drop("ann", 8, step)
    assert (kept.waiting.count, step.is_over) == (3, True)


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(-2, 20), st.booleans()),
        max_size=25,
    )
)
async def test_what_is_taken_is_what_a_plain_list_would_say(
    steps: list[tuple[int, int, int, bool]],
) -> None:
    """Each step adds a delivery of an id, or takes what is due by then."""
    kept, expected = Kept(), dict[int, Delivery]()
    for number, attempt, time, is_added in steps:
        if is_added:
            new = delivery(number, time, attempt=attempt)
            await kept.add(new)
            if number not in expected or expected[number].attempt < attempt:
                expected[number] = new
        else:
            found = [due.delivery for due in await kept.take(time)]
            due = [each for each in expected.values() if max(0, each.due_at) <= time]
            assert sorted(each.delivery_id for each in found) == sorted(
                each.delivery_id for each in due
            )
            assert [max(0, each.due_at) for each in found] == sorted(
                max(0, each.due_at) for each in found
            )
            for each in due:
                del expected[int(each.delivery_id, 16)]
        assert kept.waiting.count == len(expected)
        first = min((max(0, each.due_at) for each in expected.values()), default=None)
        assert kept.waiting.next_due(1 << 62) == first


async def test_what_waits_is_stored_as_the_last_release_stores_it(kept: Kept) -> None:
    """The record under tenant, user and id; and its time, under which these are named again."""
    transaction = turn_of(kept.store)
    kept.waiting.add(transaction, delivery(10, 258, tenant="t", user="u", attempt=3), b"{}")
    await transaction.commit()
    name, number = b"\x00\x01t\x00\x01u", b"0" * 31 + b"a"
    assert kept.store.stored == {
        b"w" + name + b"\x00\x20" + number: msgspec.msgpack.encode(b"{}"),
        b"t0" + bytes(6) + b"\x01\x02" + name + b"\x00\x22" + number + b".3": (
            msgspec.msgpack.encode(["t", "u", "0" * 31 + "a.3"])
        ),
    }
