"""Items that were accepted in one millisecond are read in the order in which they came."""

from hashlib import blake2b

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.delivery import Content, Delivery
from schemas.inbox import Page, ReadInbox
from schemas.topics import DELIVER
from schemas.vocabulary import Channel, Priority
from tests.simulation.roles import NOW, Roles

HIGH = DELIVER[Channel.INAPP, Priority.HIGH]


def message(number: int, at: int) -> Delivery:
    """Accepted so many ms after NOW, with an id that says nothing of the order."""
    name = blake2b(str(number).encode(), digest_size=16).hexdigest()
    return Delivery(
        delivery_id=name,
        notification_id=name,
        event_id=f"e{number}",
        type="post",
        category="social",
        user="ann",
        channel=Channel.INAPP,
        priority=Priority.HIGH,
        address="",
        content=Content(body=str(number)),
        occurred_at=NOW,
        accepted_at=NOW + at,
        expires_at=NOW + 10**6,
    )


async def inbox_with(moments: list[int]) -> Roles:
    roles = Roles(inbox_size=100)
    await roles.say(HIGH, *(message(number, at) for number, at in enumerate(moments)))
    await roles.store()
    return roles


async def ask(roles: Roles, **fields: object) -> Page:
    asked = ReadInbox(tenant="default", user="ann", **fields)  # type: ignore[arg-type]
    answer = await roles.inapp.answer(msgspec.json.encode(asked))
    return msgspec.json.decode(answer, type=Page)


def bodies(page: Page) -> list[str]:
    return [item.body for item in page.items]


async def test_six_of_one_request_are_read_as_they_were_written() -> None:
    """As RFC 9562, 6.2, says of ids: a time in milliseconds alone does not order them."""
    roles = await inbox_with([0] * 6)
    assert bodies(await ask(roles)) == ["5", "4", "3", "2", "1", "0"]


@given(
    moments=st.lists(st.integers(0, 2), min_size=1, max_size=12),
    limit=st.integers(1, 5),
    newest_first=st.booleans(),
)
async def test_pages_have_all_items_once_and_in_order(
    moments: list[int], limit: int, newest_first: bool
) -> None:
    roles = await inbox_with(moments)
    expected = sorted(range(len(moments)), key=lambda number: (moments[number], number))
    found: list[str] = []
    if newest_first:
        expected.reverse()
        page = await ask(roles, limit=limit)
    else:
        page = await ask(roles, limit=limit, after=f"{NOW - 1:013d}.{0:032x}")
    while True:
        found += bodies(page)
        if page.next is None:
            break
        cursor = {"before" if newest_first else "after": page.next}
        page = await ask(roles, limit=limit, **cursor)
    assert found == [str(number) for number in expected]


async def test_a_page_goes_on_where_the_last_item_is_gone() -> None:
    roles = await inbox_with([0, 1, 2])
    gone = f"{NOW + 1:013d}.{'f' * 32}"
    assert bodies(await ask(roles, before=gone)) == ["1", "0"]
    assert bodies(await ask(roles, after=gone)) == ["1", "2"]
