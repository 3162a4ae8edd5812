"""What the page of a person's preferences shows."""

import pytest
from aiohttp import web

from schemas.errors import Unavailable
from schemas.question import ReadUser
from schemas.topics import PREFERENCES
from schemas.vocabulary import Channel, Frequency
from tests.web.caller import calling, memory, settings
from tests.web.desk import Asked, desk_of
from tests.web.preferences.person import ALL_BUT_SMS, CATALOGUE, MESSAGES, NIGHT, NOW, Page, Person
from web.http.rate_limits import Limits
from web.preferences.routes import PreferencePages


async def test_the_page_shows_what_holds(person: Person) -> None:
    answer = await person.sees()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Cache-Control"] == "no-store, private"
    page = Page(answer)
    # What is transactional can't be turned off, and is not shown.
    assert page.boxes == ALL_BUT_SMS
    assert page.selected == {
        "frequency.big_things": "Sofort",
        "frequency.messages": "Sofort",
        "zone": "Europe/Berlin",
    }
    assert (page.fields["start"], page.fields["end"]) == ("", "")
    assert "Big things" in answer.text
    assert 'role="status"' not in answer.text
    question = ReadUser(tenant="acme", user="user-7")
    assert person.owners.asked == [("decider", "user-7", question, {})]


async def test_how_often_is_offered_in_full(person: Person) -> None:
    page = Page(await person.sees())
    assert page.options["frequency.big_things"] == [
        *("Sofort", "Stündlich", "Täglich", "Wöchentlich"),
    ]


async def test_what_the_person_said_before_is_shown(person: Person) -> None:
    person.is_known(
        contacts={"zone": "Asia/Tokyo", "locale": "en-GB"},
        preferences={
            "channels": {Channel.SMS: True},
            "categories": {"big_things": {Channel.PUSH: False}},
            "quiet_hours": (NIGHT,),
            "frequency": {"big_things": Frequency.DAILY},
        },
        unsubscribed={"big_things": (Channel.EMAIL,)},
    )
    page = Page(await person.sees())
    assert page.boxes == MESSAGES | {
        "big_things.push": False,
        "big_things.email": False,
        "big_things.sms": True,
        "big_things.inapp": True,
    }
    assert page.selected == {
        "frequency.big_things": "Daily",
        "frequency.messages": "At once",
        "zone": "Asia/Tokyo",
    }
    assert (page.fields["start"], page.fields["end"]) == ("22:00", "07:30")


async def test_an_odd_zone_is_kept_in_the_list(person: Person) -> None:
    person.is_known(contacts={"zone": "Mars/Base"})
    page = Page(await person.sees())
    assert page.selected["zone"] == "Mars/Base"
    assert page.options["zone"].count("Europe/Berlin") == 1


@pytest.mark.parametrize(
    ("locale", "accepted", "language"),
    [
        ("en", "de", "en"),
        ("", "en-US;q=0.8, de", "en"),
        ("fr", "en, de", "en"),
        ("", "", "de"),  # the tenant's
        ("fr", "fr", "de"),
    ],
)
async def test_the_page_speaks_the_persons_language(
    person: Person, locale: str, accepted: str, language: str
) -> None:
    person.is_known(contacts={"locale": locale})
    answer = await person.sees(**({"Accept-Language": accepted} if accepted else {}))
    assert Page(answer).language == language


async def test_what_was_saved_is_read_after_it(person: Person) -> None:
    answer = await person.sees(query="?after=profile-changes:4")
    assert '<p class="said" role="status">Gespeichert.</p>' in answer.text
    assert person.owners.asked[0][3] == {"profile-changes": 4}


@pytest.mark.parametrize("query", ["?after=nonsense", "?after=events:1"])
async def test_a_position_that_is_none_is_told(person: Person, query: str) -> None:
    answer = await person.sees(query=query)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


async def test_while_nobody_answers_the_page_says_so(person: Person) -> None:
    person.owners.answer = Unavailable("No decider answers.")
    for answer in (await person.sees(), await person.says()):
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "<h1>Please try again</h1>" in answer.text


async def test_beyond_their_limit_people_are_asked_to_come_again() -> None:
    topics, owners = memory(), Asked()
    desk = desk_of(topics, settings(user_requests_per_minute=12), NOW, owners, CATALOGUE)
    desk.limits = Limits(monotonic=lambda: 1.0)  # two at once
    app = web.Application()
    app.add_routes(PreferencePages(desk).routes())
    async with calling(app) as caller:
        found = Person(caller, owners, topics)
        found.is_known()
        answers = [await found.sees() for _ in range(3)]
        assert [each.status for each in answers] == [200, 200, 429]
        assert answers[2].headers["Retry-After"] == answers[2].headers["RateLimit-Reset"] == "10"
        assert "Please try again" in answers[2].text
        assert (await found.says(shown=[])).status == 429
    assert topics.said(PREFERENCES) == []
