"""Numbers, and STOPs of them, as they are stored."""

from tables.phones import PHONES, STOPPED
from tables.storage.memory_store import MemoryStore
from tables.storage.table import View, key_of, parts_of
from tests.tables.stored import read, written


def test_each_is_stored_as_the_last_release_stores_it() -> None:
    assert written(PHONES, True) == {b"nkey": True}
    assert read(PHONES, b"n", True) is True
    assert written(STOPPED, 1_772_366_400_000) == {b"vkey": 1_772_366_400_000}
    assert read(STOPPED, b"v", 1_772_366_400_000) == 1_772_366_400_000


async def test_a_stop_finds_all_who_gave_that_number_and_nobody_else() -> None:
    store = MemoryStore()
    view = View(PHONES, store)
    numbers = {"ann": "+15005550006", "bob": "+15005550006", "cy": "+150055500060", "di": "+1500"}
    for user, number in numbers.items():
        view.put(key_of(number, "t", user), True)
    await store.write(view.changes())
    found = [parts_of(key)[1:] for key in View(PHONES, store).keys(key_of("+15005550006"))]
    assert found == [["t", "ann"], ["t", "bob"]]
