"""Which writes share a batch: in their order, whole where that is possible, each asked before."""

import asyncio
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.producing.write_queue import RECORD_OVERHEAD, Entry, Submission, WriteQueue, size_of

MOST = 10 * (RECORD_OVERHEAD + 10)
"""Ten records of these tests fill a batch."""
SIZES = st.lists(st.integers(1, 25), min_size=1, max_size=20)


class Full(list[Entry]):
    """A batch of ten records."""

    def extend(self, entries: Iterable[Entry]) -> int:  # type: ignore[override]
        added = 0
        for entry in entries:
            if len(self) == 10:
                break
            self.append(entry)
            added += 1
        return added

    def record_count(self) -> int:
        return len(self)

    def size(self) -> int:
        return size_of(self)


class Refused(Exception):
    """Raised by what keeps a write from leaving."""


def refuse() -> None:
    raise Refused


async def submitted(number: int, records: int, *, refused: bool = False) -> Submission:
    entries: list[Entry] = [(b"%4d" % number, b"%6d" % record) for record in range(records)]
    end = asyncio.get_running_loop().create_future()
    return Submission(entries, end, refuse if refused else lambda: None)


def batches_of(queue: WriteQueue) -> tuple[list[Full], list[tuple[int, Submission, int]]]:
    """All batches, and in which one, and where in it, each submission ends."""
    batches: list[Full] = []
    ends = []
    while queue:
        batches.append(Full())
        ends += [(len(batches) - 1, *taken) for taken in queue.fill(batches[-1], MOST)]
    return batches, ends


@given(SIZES)
def test_all_is_written_in_order_and_nothing_is_split_that_fits(sizes: list[int]) -> None:
    async def fill() -> None:
        queue = WriteQueue()
        submissions = [await submitted(*each) for each in enumerate(sizes)]
        for submission in submissions:
            queue.put(submission)
        batches, ends = batches_of(queue)
        assert [entry for batch in batches for entry in batch] == [
            entry for submission in submissions for entry in submission.entries
        ]
        assert [submission for _, submission, _ in ends] == submissions
        for at, submission, end in ends:
            assert batches[at][end - 1] == submission.entries[-1]
            if len(submission.entries) <= 10:
                assert batches[at][end - len(submission.entries) : end] == submission.entries

    asyncio.run(fill())


async def test_what_may_not_leave_is_left_out_and_told_why() -> None:
    queue = WriteQueue()
    first, refused, last = [await submitted(n, 2, refused=n == 1) for n in range(3)]
    for submission in (first, refused, last):
        queue.put(submission)
    batches, _ = batches_of(queue)
    assert batches == [[*first.entries, *last.entries]]
    with pytest.raises(Refused):
        await refused.end


async def test_where_all_may_not_leave_there_is_nothing_to_send() -> None:
    queue, batch = WriteQueue(), Full()
    queue.put(refused := await submitted(0, 2, refused=True))
    assert queue.fill(batch, MOST) == []
    assert not batch
    assert not queue
    assert refused.end.exception()


async def test_of_a_write_that_failed_halfway_the_rest_is_not_sent() -> None:
    queue = WriteQueue()
    large, other = await submitted(0, 15), await submitted(1, 3)
    for submission in (large, other):
        queue.put(submission)
    assert queue.fill(Full(), MOST) == []
    queue.drop(large)
    queue.fail(Refused(), begun_only=True)
    batches, _ = batches_of(queue)
    assert batches == [other.entries]
    with pytest.raises(Refused):
        await large.end


async def test_what_can_not_be_put_into_a_batch_fails_with_what_was_to_share_it() -> None:
    class Broken(Full):
        def extend(self, entries: Iterable[Entry]) -> int:  # type: ignore[override]
            entries = list(entries)
            if entries[0][0] == b"%4d" % 1:
                raise TypeError
            return super().extend(entries)

    queue = WriteQueue()
    submissions = [await submitted(n, 2) for n in range(3)]
    for submission in submissions:
        queue.put(submission)
    with pytest.raises(TypeError):
        queue.fill(Broken(), MOST)
    for submission in submissions[:2]:
        with pytest.raises(TypeError):
            await submission.end
    assert batches_of(queue)[0] == [submissions[2].entries]
