"""What the form of a person's preferences writes."""

from typing import Any

import pytest

from schemas.topics import BLOCKS
from schemas.vocabulary import Channel
from tests.web.preferences.person import ALL_BUT_SMS, NIGHT, NOW_SHOWN, TOKEN, Page, Person


async def test_while_kafka_is_away_nothing_is_said_to_be_stored(person: Person) -> None:
    person.topics.is_away = True
    assert (await person.says(shown="big_things.push")).status == 503


async def test_what_was_shown_and_is_off_is_turned_off(person: Person) -> None:
    answer = await person.says(
        shown=["big_things.push", "big_things.email", "big_things.fax"],
        on=["big_things.email", "big_things.inapp"],
        **{"frequency.big_things": "hourly"},
    )
    assert answer.status == 303
    assert answer.headers["Location"] == f"/preferences/{TOKEN}?after=profile-changes:1"
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert person.change == {
        "user": "user-7",
        "by": "page",
        "tenant": "acme",
        # What was not shown stays as it is.
        "categories": {"big_things": {"push": False, "email": True}},
        "frequency": {"big_things": "hourly"},
    }
    assert person.topics.said_as("subscription") == []


async def test_one_button_turns_all_off(person: Person) -> None:
    cells = ["big_things.push", "big_things.email"]
    await person.says(shown=cells, on=cells, do="off")
    assert person.change["categories"] == {"big_things": {"push": False, "email": False}}


async def test_a_frequency_that_is_none_is_left(person: Person) -> None:
    await person.says(**{"frequency.big_things": "never"})
    assert "frequency" not in person.change


async def test_another_zone_changes_nothing_else_of_the_contacts(person: Person) -> None:
    person.is_known(contacts={"email": "ada@example.com"})
    await person.says(zone="Asia/Tokyo")
    wanted = {"user": "user-7", "tenant": "acme", "by": "page", "zone": "Asia/Tokyo"}
    assert person.change == wanted


async def test_the_tenants_zone_is_not_made_the_persons_own(person: Person) -> None:
    await person.says(zone="Europe/Berlin")
    assert "zone" not in person.change


async def test_whom_the_person_blocked_is_shown_and_can_be_heard_of_again(person: Person) -> None:
    since = "2025-07-01T00:00:00.000Z"
    person.is_known(blocked={"eve": since, "<bob>": since, "mal": since})
    shown = await person.sees()
    assert Page(shown).boxes == ALL_BUT_SMS | {"eve": True, "<bob>": True, "mal": True}
    assert "<bob>" not in shown.text
    answer = await person.says(
        blocked_shown=["eve", "<bob>", "gone"], blocked=["eve"], block=" zoe "
    )
    whose = {"user": "user-7", "tenant": "acme", "at": NOW_SHOWN}
    assert person.topics.said(BLOCKS) == [
        {**whose, "actor": "<bob>", "blocked": False},
        {**whose, "actor": "zoe"},
    ]
    places = answer.headers["Location"].partition("?after=")[2]
    assert places == "profile-changes:1,blocks:1,blocks:2"


async def test_a_page_without_names_blocks_nobody(person: Person) -> None:
    person.is_known(blocked={"eve": "2025-07-01T00:00:00.000Z"})
    await person.says(block="  ")
    assert person.topics.said(BLOCKS) == []


async def test_who_was_unsubscribed_and_turns_it_on_is_back(person: Person) -> None:
    person.is_known(
        unsubscribed={"big_things": (Channel.EMAIL, Channel.PUSH), "gone": (Channel.SMS,)}
    )
    await person.says(
        shown=["big_things.email", "big_things.push"], on=["big_things.email", "gone.sms"]
    )
    assert person.topics.said_as("subscription") == [
        {
            "user": "user-7", "tenant": "acme", "category": "big_things", "channel": "email",
            "at": NOW_SHOWN, "subscribed": True,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("start", "end", "stored"),
    [
        ("23:00", "06:00", [{"start": "23:00", "end": "06:00"}]),
        ("", "", []),
        # Not touched: the days, which the page does not show, stay.
        ("22:00", "07:30", None),
        ("22:00", "08:00", [{"start": "22:00", "end": "08:00"}]),
        ("21:00", "07:30", [{"start": "21:00", "end": "07:30"}]),
    ],
)
async def test_quiet_hours_are_stored(
    person: Person, start: str, end: str, stored: list[Any] | None
) -> None:
    person.is_known(preferences={"quiet_hours": (NIGHT,)})
    await person.says(start=start, end=end)
    assert person.change.get("quiet_hours") == stored


@pytest.mark.parametrize(
    "form",
    [
        {"start": "22:00"},
        {"end": "22:00"},
        {"start": "22:00", "end": "22:00"},
        {"start": "25:00", "end": "07:00"},
        {"zone": "Mars/Base"},
        {"block": "x" * 201},
    ],
)
async def test_what_can_not_be_is_told_and_changes_nothing(
    person: Person, form: dict[str, str]
) -> None:
    answer = await person.says(**form)
    assert answer.status == 400
    assert "nichts hat sich geändert" in answer.text
    assert Page(answer).boxes == ALL_BUT_SMS
    assert person.topics.topics == {}
