"""The list of changes that nobody could notice."""

from tests.mutation.benign import Entry, read_benign
from tests.mutation.test_sample import mutant

ENTRY = Entry("x.py", "", "1", "2", "It is read by nobody.")


def test_an_entry_means_its_change_wherever_it_stands() -> None:
    assert ENTRY.matches(mutant(1))
    assert ENTRY.matches(mutant(2))
    only_second = Entry("x.py", "", "1", "2", "It is read by nobody.", 2)
    assert [only_second.matches(mutant(number)) for number in (1, 2)] == [False, True]
    for other in (("y.py", "", "1", "2"), ("x.py", "f", "1", "2"), ("x.py", "", "1", "3")):
        assert not Entry(*other, "").matches(mutant(1))


def test_each_entry_has_a_reason_and_there_are_few() -> None:
    entries = read_benign()
    assert all(entry.reason.endswith(".") for entry in entries)
    assert len({(e.path, e.where, e.before, e.after, e.number) for e in entries}) == len(entries)
    assert len(entries) < 90
