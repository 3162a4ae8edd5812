"""What ends is gone, and no call looks at what it is not about."""

from pipeline.expiring import Expiring


class Counted(str):
    """A key that counts how often any of its kind is looked at, as every look hashes it."""

    looks = 0

    def __hash__(self) -> int:
        Counted.looks += 1
        return super().__hash__()


def test_a_value_counts_until_it_ends() -> None:
    found = Expiring[int]()
    found.put("a", 1, ends=10, now=0)
    found.put("b", 0, ends=20, now=0)
    assert [found.get("a", at) for at in (0, 9.9, 10, 11)] == [1, 1, None, None]
    assert found.get("b", 19) == 0
    assert found.get("c", 0) is None


def test_what_is_written_again_counts_from_then_on() -> None:
    found = Expiring[int]()
    found.put("a", 1, ends=10, now=0)
    found.put("b", 2, ends=12, now=2)
    found.put("a", 3, ends=15, now=5)
    assert found.get("a", 14) == 3
    found.put("c", 4, ends=30, now=20)
    assert len(found) == 1


def test_what_was_dropped_is_gone_and_what_is_not_there_can_be_dropped() -> None:
    found = Expiring[int]()
    found.put("a", 1, ends=10, now=0)
    found.drop("a")
    found.drop("a")
    assert found.get("a", 0) is None


def test_ended_values_do_not_pile_up() -> None:
    found = Expiring[None]()
    for number in range(10_000):  # one in a second, each for ten seconds
        found.put(str(number), None, ends=number + 10, now=number)
    assert len(found) <= 11


def test_after_a_flood_no_call_pays_for_all_that_ended() -> None:
    found = Expiring[None]()
    for number in range(1000):
        found.put(Counted(number), None, ends=10, now=0)
    sizes, most = [len(found)], 0
    for number in range(600):
        Counted.looks = 0
        found.put(Counted(1000 + number), None, ends=1000, now=10)
        found.get(Counted(1), now=10)
        most = max(most, Counted.looks)
        sizes.append(len(found))
    assert most <= 12
    # Two go and one comes, until all thousand are gone.
    assert sizes[1] == 999
    assert sizes[500] == 500
    assert sizes[600] == 600
