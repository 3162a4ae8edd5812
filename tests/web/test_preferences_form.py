"""The preference page's form, over HTTP: what a post stores, and what it leaves alone."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp
import pytest
from aiohttp import web
from msgspec import Struct

from pipeline.catalogue_folder import FixedCatalogue
from pipeline.settings import Settings
from policy.catalogue.catalogue import parse
from policy.user.user_view import Known
from schemas.errors import Unavailable
from schemas.profile import Contacts, Preferences, ProfileChange, QuietHours
from schemas.topics import PROFILE_CHANGES, SUPPRESSIONS, Topic
from schemas.vocabulary import Channel, Frequency, Weekday
from tests.policy.samples import TYPE
from tests.sinks.requests.recorder import NOW, SETTINGS, Still
from tests.web.desk import Asked
from web.app import serving
from web.gateway.token import Subscriber, make_token, subscriber_secret
from web.http.rate_limits import Limits
from web.preferences.routes import PreferencePages
from web.preferences.words import words_of

KEY = SETTINGS.signing_key.get_secret_value().encode()
EMAIL, PUSH = Channel.EMAIL, Channel.PUSH
TOKEN = make_token(subscriber_secret(KEY, "acme"), Subscriber("acme", "ada"), NOW // 1000)
NIGHT = QuietHours(start="22:00", end="07:00", days=(Weekday.MON,))
NOON = QuietHours(start="12:00", end="13:00")
BILL = TYPE.replace("thing", "bill") + "\n"


class Said(NamedTuple):
    """Where a write ended."""

    position: str


@dataclass
class Desk:
    """Knows one user, keeps what is written, and may be without Kafka."""

    known_user: Known
    catalogues: FixedCatalogue
    settings: Settings = SETTINGS
    clock: Still = field(default_factory=Still)
    written: list[tuple[str, Struct]] = field(default_factory=list)
    asked: list[str | None] = field(default_factory=list)
    is_away: bool = False
    limits: Limits = field(default_factory=Limits)
    owners: Asked = field(default_factory=Asked)

    async def known(self, tenant: str, user: str, after: str | None = None) -> Known:
        assert (tenant, user) == ("acme", "ada")
        self.asked.append(after)
        if self.is_away:
            raise Unavailable("nobody has the partition")
        return self.known_user

    async def write(self, topic: Topic, value: Struct) -> Said:
        self.written.append((topic.name, value))
        return Said(f"{topic.name}:{len(self.written)}")

    async def write_all(self, topic: Topic, values: Iterable[Struct]) -> None:
        self.written += [(topic.name, value) for value in values]


@dataclass
class Page:
    """The page of ada's, and its form."""

    desk: Desk
    url: str
    session: aiohttp.ClientSession

    async def ask(
        self, method: str, link: str = TOKEN, query: str = "", **options: Any
    ) -> tuple[int, str, Mapping[str, str]]:
        url = f"{self.url}/preferences/{link}{query}"
        async with self.session.request(
            method, url, allow_redirects=False, **options
        ) as answer:  # fmt: skip
            return answer.status, await answer.text(), answer.headers

    async def post(self, *fields: tuple[str, str]) -> list[tuple[str, Any]]:
        """What is stored of a form that is taken."""
        status, _, headers = await self.ask("POST", data=list(fields))
        assert status == 303
        stored = self.desk.written
        count = len([name for name, _ in stored if name != SUPPRESSIONS.name])
        names = [name for name, _ in stored][:count]
        after = ",".join(f"{name}:{n + 1}" for n, name in enumerate(names))
        assert headers["Location"] == f"/preferences/{TOKEN}?after={after}"
        return stored


def known(**fields: Any) -> Known:
    wants = Preferences(
        user="ada",
        tenant="acme",
        channels={Channel.SMS: True},
        categories={"things": {PUSH: False}, "elsewhere": {EMAIL: False}},
        quiet_hours=(NIGHT, NOON),
        frequency={"elsewhere": Frequency.DAILY},
    )
    contacts = Contacts(user="ada", tenant="acme", email="ada@example.com", locale="de-AT")
    return Known(**{"contacts": contacts, "preferences": wants, **fields})


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    desk = Desk(known(), FixedCatalogue(parse({"thing.toml": TYPE, "bill.toml": BILL})))
    app = web.Application()
    app.add_routes(PreferencePages(desk).routes())  # type: ignore[arg-type]
    async with serving(app, "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
        yield Page(desk, url, session)


QUIET = [("start", "22:00"), ("end", "07:00")]
"""As it stands in the page when nobody touched it."""
ALL = [("shown", f"things.{channel}") for channel in ("push", "email", "sms", "inapp")]


async def test_what_was_shown_is_stored_on_and_off_and_the_rest_stays(page: Page) -> None:
    fields = [*ALL, *QUIET, ("on", "things.push"), ("on", "bills.email"), ("on", "things.chat")]
    ((topic, stored),) = await page.post(*fields)
    assert topic == PROFILE_CHANGES.name
    assert stored == ProfileChange(
        user="ada",
        by="page",
        tenant="acme",
        categories={
            "things": {PUSH: True, EMAIL: False, Channel.SMS: False, Channel.INAPP: False},
        },
    )


async def test_everything_off(page: Page) -> None:
    ((_, stored),) = await page.post(*ALL, *QUIET, ("on", "things.push"), ("do", "off"))
    assert not any(stored.categories["things"].values())
    assert len(stored.categories["things"]) == 4


@pytest.mark.parametrize(
    ("said", "frequency"),
    [
        ("daily", Frequency.DAILY),
        ("hourly", Frequency.HOURLY),
        ("weekly", Frequency.WEEKLY),
        ("never", None),
        ("", None),
    ],
)
async def test_how_often(page: Page, said: str, frequency: Frequency | None) -> None:
    ((_, stored),) = await page.post(*QUIET, ("frequency.things", said), ("frequency.x", "daily"))
    assert stored.frequency == ({} if frequency is None else {"things": frequency})


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("22:00", "07:00", None),  # not touched: its days and the other span stay
        ("23:00", "07:00", (QuietHours(start="23:00", end="07:00"),)),
        ("22:00", "08:00", (QuietHours(start="22:00", end="08:00"),)),
        ("", "", ()),
    ],
)
async def test_quiet_hours(page: Page, start: str, end: str, hours: tuple[Any, ...] | None) -> None:
    ((_, stored),) = await page.post(("start", start), ("end", end))
    assert stored.quiet_hours == hours


@pytest.mark.parametrize(
    "fields",
    [
        [("start", "22:00"), ("end", "")],
        [("start", ""), ("end", "07:00")],
        [("start", "23:00"), ("end", "23:00")],
        [("start", "25:00"), ("end", "07:00")],
        [*QUIET, ("zone", "Europe/Atlantis")],
    ],
)
async def test_what_can_not_be_stores_nothing(page: Page, fields: list[tuple[str, str]]) -> None:
    status, text, _ = await page.ask("POST", data=fields)
    assert status == 400
    assert words_of("de")[1]["wrong"] in text
    assert page.desk.written == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data; boundary=b", b"--b"),
        ("application/json", b"{}"),
        ("application/x-www-form-urlencoded", b"zone=%ff"),
    ],
)
async def test_a_body_that_is_no_form_of_the_page_stores_nothing(
    page: Page, kind: str, body: bytes
) -> None:
    status, text, _ = await page.ask("POST", data=body, headers={"Content-Type": kind})
    assert (status, page.desk.written) == (400, [])
    assert words_of("de")[1]["wrong"] in text


@pytest.mark.parametrize(
    ("zone", "is_stored"), [("Europe/Berlin", True), ("UTC", False), ("", False)]
)
async def test_a_zone_is_stored_only_where_it_is_another(
    page: Page, zone: str, is_stored: bool
) -> None:
    ((_, stored),) = await page.post(*QUIET, ("zone", zone))
    assert stored == ProfileChange(
        user="ada", tenant="acme", by="page", zone=zone if is_stored else None
    )


@pytest.mark.parametrize(
    ("fields", "back"),
    [
        ([("shown", "things.email"), ("on", "things.email")], [("things", EMAIL)]),
        ([("shown", "things.email")], []),
        ([("on", "things.email")], []),  # it was not shown
        ([("shown", "things.email"), ("on", "things.email"), ("do", "off")], []),
    ],
)
async def test_what_was_left_by_one_click_comes_back_when_it_is_ticked(
    page: Page, fields: list[tuple[str, str]], back: list[tuple[str, Channel]]
) -> None:
    page.desk.known_user = known(unsubscribed={"things": (EMAIL,), "elsewhere": (EMAIL,)})
    stored = await page.post(*QUIET, *fields)
    clicks: list[Any] = [value for topic, value in stored if topic == SUPPRESSIONS.name]
    assert [(each.category, each.channel) for each in clicks] == back
    for each in clicks:
        assert (each.user, each.tenant, each.subscribed) == ("ada", "acme", True)
        assert each.at.timestamp() * 1000 == page.desk.clock.time


async def test_what_holds_now_is_shown(page: Page) -> None:
    page.desk.known_user = known(unsubscribed={"things": (EMAIL,)})
    status, text, headers = await page.ask("GET")
    assert status == 200
    assert '<html lang="de">' in text
    assert 'name="start" value="22:00"' in text
    assert 'name="end" value="07:00"' in text
    checked = [line for line in text.split("<input") if "checked" in line]
    assert [cell for cell in ("push", "email", "sms", "inapp") for line in checked
            if f'value="things.{cell}"' in line] == ["sms", "inapp"]  # fmt: skip
    assert words_of("de")[1]["saved"] not in text
    assert headers["Cache-Control"] == "no-store, private"
    assert page.desk.asked == [None]


async def test_after_it_was_stored_it_says_so_and_waits_for_it(page: Page) -> None:
    status, text, _ = await page.ask("GET", query="?after=preferences:7")
    assert status == 200
    assert words_of("de")[1]["saved"] in text
    assert page.desk.asked == ["preferences:7"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("link", ["nonsense", TOKEN[:-1] + "AA"])
async def test_a_link_that_is_not_ours(page: Page, method: str, link: str) -> None:
    headers = {"Accept-Language": "de-CH;q=0.9,en"}
    status, text, _ = await page.ask(method, link, headers=headers)
    assert status == 404
    assert words_of("de")[1]["invalid"] in text
    assert (page.desk.asked, page.desk.written) == ([], [])


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_while_nothing_can_be_known_it_is_tried_again(page: Page, method: str) -> None:
    page.desk.is_away = True
    status, text, headers = await page.ask(method, data=QUIET if method == "POST" else None)
    assert (status, headers["Retry-After"]) == (503, "5")
    assert words_of("en")[1]["later"] in text
    assert page.desk.written == []


@pytest.mark.parametrize(
    ("locales", "language"),
    [
        ((), "en"),
        (("",), "en"),
        (("de",), "de"),
        (("de-AT", "en"), "de"),
        (("fr", "de"), "de"),
        (("", "", "de"), "de"),
        (("en-GB", "de"), "en"),
        (("fr",), "en"),
    ],
)
def test_the_first_language_that_the_page_speaks(locales: tuple[str, ...], language: str) -> None:
    name, words = words_of(*locales)
    assert name == language
    assert words["title"] == {"en": "Your notifications", "de": "Deine Benachrichtigungen"}[name]


def test_both_languages_say_the_same_things() -> None:
    english, german = words_of("en")[1], words_of("de")[1]
    assert english.keys() == german.keys()
    assert {*Channel, *Frequency} <= english.keys()
