"""The page of a person's preferences, with what it shows and what a form writes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
from aiohttp import web

from policy.catalogue.catalogue import parse
from policy.tracking.ticket import Purpose, issue_stub, issue_ticket, ticket_of
from policy.user.user_view import Known
from schemas.errors import Unavailable
from schemas.profile import Contacts, Preferences, QuietHours
from schemas.question import ReadTicket, ReadUser
from schemas.topics import BLOCKS, CONTACTS, PREFERENCES, PROFILE_CHANGES, SUBSCRIPTIONS
from schemas.vocabulary import Channel, Frequency, Weekday
from tests.policy.samples import TYPE
from tests.sinks.rig import delivery
from tests.sinks.test_sendgrid import SENDGRID
from tests.web.caller import KEY, Answer, Caller, Memory, calling, memory, settings
from tests.web.desk import Asked, desk_of
from web.gateway.token import Subscriber, make_token, subscriber_secret
from web.http.rate_limits import Limits
from web.preferences.routes import PreferencePages

NOW, NOW_SHOWN = 1_753_000_000_000, "2025-07-20T08:26:40Z"
MAIL = delivery(SENDGRID, 7, tenant="acme")
TICKETS = [issue_ticket(MAIL, each, KEY) for each in Purpose if each is not Purpose.PREFERENCES]
"""What messages bear, and what they bore before tickets had a purpose."""
TOKEN = make_token(
    subscriber_secret(KEY, "acme"), Subscriber("acme", "user-7"), NOW // 1000, life=60
)
ENDED = make_token(
    subscriber_secret(KEY, "acme"), Subscriber("acme", "user-7"), NOW // 1000 - 61, life=60
)
CATALOGUE = parse(
    {
        "thing.toml": TYPE.replace("things", "big_things"),
        "receipt.toml": TYPE.replace("thing", "receipt").replace(
            'priority = "normal"', 'priority = "normal"\ntransactional = true'
        ),
        "tenants.toml": '[tenants.acme]\nzone = "Europe/Berlin"\nlocale = "de"\n',
    }
)
NIGHT = QuietHours(start="22:00", end="07:30", days=(Weekday.MON,))


@dataclass
class Person:
    """Somebody with a link, and what is known of them."""

    caller: Caller
    owners: Asked
    topics: Memory

    def is_known(self, **fields: Any) -> None:
        contacts = {"user": "user-7", "tenant": "acme", **fields.pop("contacts", {})}
        preferences = {"user": "user-7", "tenant": "acme", **fields.pop("preferences", {})}
        self.owners.answer = Known(
            contacts=Contacts(**contacts), preferences=Preferences(**preferences), **fields
        )

    async def sees(self, token: str = TOKEN, query: str = "", **headers: str) -> Answer:
        return await self.caller.get(f"/preferences/{token}{query}", headers=headers)

    async def says(self, token: str = TOKEN, **form: Any) -> Answer:
        pairs = [(k, v) for k, vs in form.items() for v in (vs if isinstance(vs, list) else [vs])]
        return await self.caller.post(f"/preferences/{token}", data=pairs)

    @property
    def change(self) -> dict[str, Any]:
        """What was written, which is a change and never all that is known."""
        assert self.topics.said(PREFERENCES) == self.topics.said(CONTACTS) == []
        (said,) = self.topics.said(PROFILE_CHANGES)
        return dict(said)


@pytest.fixture
async def person() -> AsyncIterator[Person]:
    topics, owners = memory(), Asked()
    desk = desk_of(topics, settings(), NOW, owners, CATALOGUE)
    app = web.Application()
    app.add_routes(PreferencePages(desk).routes())
    async with calling(app) as caller:
        found = Person(caller, owners, topics)
        found.is_known()
        yield found


class Page(HTMLParser):
    """What a page has: boxes and whether they are on, what is selected, fields, and its text."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.boxes: dict[str, bool] = {}
        self.selected: dict[str, str] = {}
        self.options: dict[str, list[str]] = {}
        self.fields: dict[str, str] = {}
        self.language = ""
        self._select = ""
        self._is_picked = self._is_option = False
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.language = given["lang"]
        elif tag == "input" and given["type"] == "checkbox":
            self.boxes[given["value"]] = "checked" in given
        elif tag == "input":
            self.fields[given["name"]] = given["value"]
        elif tag == "select":
            self._select = given["name"]
            self.options[self._select] = []
        elif tag == "option":
            self._is_option, self._is_picked = True, "selected" in given

    def handle_data(self, data: str) -> None:
        if self._is_option:
            self.options[self._select].append(data)
            if self._is_picked:
                self.selected[self._select] = data
            self._is_option = self._is_picked = False


MESSAGES = {f"messages.{each}": True for each in Channel}
ALL_BUT_SMS = MESSAGES | {
    "messages.sms": False,
    "big_things.push": True,
    "big_things.email": True,
    "big_things.sms": False,
    "big_things.inapp": True,
}


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


@pytest.mark.parametrize("token", [TOKEN[:-3], ENDED, "x", *TICKETS])
async def test_a_link_that_is_none_shows_and_changes_nothing(person: Person, token: str) -> None:
    """That of a message too: it stands in pixels and callbacks, and so in others' logs."""
    for answer in (await person.sees(token), await person.says(token)):
        assert answer.status == 404
        assert "<h1>This link is not valid</h1>" in answer.text
        assert "It was cut, or has ended." in answer.text
        assert "Retry-After" not in answer.headers
    assert person.owners.asked == []
    german = await person.sees(token, **{"Accept-Language": "de-DE,en"})
    assert "<h1>Dieser Link gilt nicht</h1>" in german.text


MAIL_LINK = issue_ticket(
    delivery(SENDGRID, 7, tenant="acme", accepted_at=NOW), Purpose.PREFERENCES, KEY
)
"""Of a mail that was accepted just now."""
SIXTY_DAYS = 60 * 86_400_000


async def test_a_mails_own_link_opens_the_page_without_whom_the_person_blocks(
    person: Person,
) -> None:
    person.is_known(blocked={"eve": NOW_SHOWN})
    answer = await person.sees(MAIL_LINK)
    assert answer.status == 200
    assert Page(answer).boxes == ALL_BUT_SMS
    assert "eve" not in answer.text
    assert 'name="block"' not in answer.text
    assert person.owners.asked == [
        ("decider", "user-7", ReadUser(tenant="acme", user="user-7"), {})
    ]
    form = {"shown": "big_things.push", "blocked_shown": "eve", "block": "bob"}
    said = await person.says(MAIL_LINK, **form)
    assert (said.status, said.headers["Location"]) == (
        303,
        f"/preferences/{MAIL_LINK}?after=profile-changes:1",
    )
    assert person.change["categories"] == {"big_things": {"push": False}}
    assert person.topics.said(BLOCKS) == []


@pytest.mark.parametrize(("age", "status"), [(SIXTY_DAYS - 1, 200), (SIXTY_DAYS, 404)])
async def test_a_mails_own_link_has_an_end(person: Person, age: int, status: int) -> None:
    old = delivery(SENDGRID, 7, tenant="acme", accepted_at=NOW - age)
    assert (await person.sees(issue_ticket(old, Purpose.PREFERENCES, KEY))).status == status


async def test_a_mails_long_names_are_asked_for_where_they_are_kept(person: Person) -> None:
    long = delivery(SENDGRID, 7, tenant="acme", user="user-7", accepted_at=NOW)
    stub = issue_stub(long, 0, Purpose.PREFERENCES, KEY)
    known = person.owners.answer

    def answer(_: str, asked: Any) -> Any:
        return [ticket_of(long)] if isinstance(asked, ReadTicket) else known

    person.owners.answer = answer
    assert (await person.sees(stub)).status == 200
    # One of another purpose is not even asked for.
    other = issue_stub(long, 0, Purpose.UNSUBSCRIBE, KEY)
    assert (await person.sees(other)).status == 404
    person.owners.answer = Unavailable("nobody has the partition")
    assert (await person.sees(stub)).status == (await person.says(stub)).status == 503


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
    assert person.topics.said(SUBSCRIPTIONS) == []


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
    assert person.topics.said(SUBSCRIPTIONS) == [
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
