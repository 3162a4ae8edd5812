"""Somebody with a link to their preferences, and the page that they see."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
from aiohttp import web

from policy.catalogue.catalogue import parse
from policy.user.user_view import Known
from schemas.profile import Contacts, Preferences, QuietHours
from schemas.topics import CONTACTS, PREFERENCES, PROFILE_CHANGES
from schemas.vocabulary import Channel, Weekday
from tests.policy.samples import TYPE
from tests.sinks.rig import delivery
from tests.sinks.test_sendgrid import SENDGRID
from tests.web.caller import KEY, Answer, Caller, Memory, calling, memory, settings
from tests.web.desk import Asked, desk_of
from web.gateway.token import Subscriber, make_token, subscriber_secret
from web.preferences.routes import PreferencePages

NOW, NOW_SHOWN = 1_753_000_000_000, "2025-07-20T08:26:40Z"

MAIL = delivery(SENDGRID, 7, tenant="acme")

TOKEN = make_token(
    subscriber_secret(KEY, "acme"), Subscriber("acme", "user-7"), NOW // 1000, life=60
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
