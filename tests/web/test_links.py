"""The links that messages bear, over HTTP and with nothing behind them: what each answers and what
each reports."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from pipeline.errors import Unavailable
from policy.report import Kind, Report
from policy.ticket import Ticket, issue_ticket, read_ticket
from policy.tracking import link_signature
from schemas.vocabulary import Channel
from tests.sinks.requests.recorder import NOW, Still, delivery
from web.app import serving
from web.links.pages import ask_page, back_page, done_page, later_page, unknown_page
from web.links.routes import OURS, PIXEL, Links

KEY = b"a key"
SAID = delivery(Channel.EMAIL, "ada@example.com", category="<news>")
TICKET = issue_ticket(SAID, KEY)
URL = "https://shop.example.com/7?a=1&b=ü"
CLICK = f"/click/{TICKET}/{link_signature(TICKET, URL, KEY)}"
PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
ROBOT = {"User-Agent": "GoogleImageProxy"}


@dataclass
class Back:
    """A back channel that keeps what it is told, unless Kafka is away."""

    taken: list[tuple[str, Report]] = field(default_factory=list)
    is_away: bool = False

    def ticket(self, text: str) -> Ticket | None:
        return read_ticket(text, KEY)

    async def take(self, reports: Sequence[Report], provider: str) -> int:
        if self.is_away:
            raise Unavailable("Kafka does not answer")
        self.taken += [(provider, report) for report in reports]
        return len(reports)


@dataclass
class Reader:
    """Somebody with a mail open."""

    back: Back
    url: str
    session: aiohttp.ClientSession

    async def asks(
        self, path: str, method: str = "GET", status: int = 200, **options: object
    ) -> tuple[str, aiohttp.ClientResponse]:
        options.setdefault("headers", PERSON)
        call = self.session.request(
            method,
            self.url + path,
            allow_redirects=False,
            **options,  # type: ignore[arg-type]
        )
        async with call as answer:
            assert answer.status == status
            return await answer.text("latin-1"), answer


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    back = Back()
    app = web.Application()
    app.add_routes(Links(back, KEY, Still()).routes())  # type: ignore[arg-type]
    async with serving(app, "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
        yield Reader(back, url, session)


def report(kind: Kind, *, machine: bool = False, ticket: str = TICKET) -> tuple[str, Report]:
    return OURS, Report(kind=kind, at=NOW, ticket=ticket, machine=machine)


def assert_private(answer: aiohttp.ClientResponse, *, is_page: bool) -> None:
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
    assert answer.headers.get("Content-Security-Policy") == (policy if is_page else None)
    assert answer.headers.get("X-Content-Type-Options") == ("nosniff" if is_page else None)


@pytest.mark.parametrize(("headers", "machine"), [(PERSON, False), (ROBOT, True)])
async def test_a_pixel(reader: Reader, headers: dict[str, str], machine: bool) -> None:
    text, answer = await reader.asks(f"/open/{TICKET}.gif", headers=headers)
    assert text.encode("latin-1") == PIXEL
    assert PIXEL.startswith(b"GIF89a\x01\x00\x01\x00")
    assert answer.headers["Content-Type"] == "image/gif"
    assert_private(answer, is_page=False)
    assert reader.back.taken == [report(Kind.OPENED, machine=machine)]


@pytest.mark.parametrize(("headers", "machine"), [(PERSON, False), (ROBOT, True)])
async def test_a_click(reader: Reader, headers: dict[str, str], machine: bool) -> None:
    _, answer = await reader.asks(CLICK, status=302, params={"to": URL}, headers=headers)
    assert answer.headers["Location"] == URL
    assert_private(answer, is_page=False)
    assert reader.back.taken == [report(Kind.CLICKED, machine=machine)]


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (CLICK, "https://evil.example"),
        (CLICK, ""),
        (f"/click/{TICKET}/{'0' * 16}", URL),
        (f"/click/x/{link_signature('x', URL, KEY)}", URL),  # ours, but for no message
    ],
)
async def test_a_click_leads_nowhere_else(reader: Reader, path: str, to: str) -> None:
    text, answer = await reader.asks(path, status=404, params={"to": to})
    assert text == unknown_page()
    assert "Location" not in answer.headers
    assert reader.back.taken == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_to_look_at_the_unsubscribe_link_reports_nothing(reader: Reader, method: str) -> None:
    text, answer = await reader.asks(f"/unsubscribe/{TICKET}", method)
    assert text == (ask_page("<news>", "email") if method == "GET" else "")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert_private(answer, is_page=True)
    assert reader.back.taken == []


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ({"List-Unsubscribe": "One-Click"}, Kind.UNSUBSCRIBED),
        ({"do": "unsubscribe"}, Kind.UNSUBSCRIBED),
        ({"do": "subscribe"}, Kind.RESUBSCRIBED),
        ({"do": "Subscribe"}, Kind.UNSUBSCRIBED),
        ({}, Kind.UNSUBSCRIBED),
    ],
)
@pytest.mark.parametrize("headers", [PERSON, ROBOT])
async def test_a_post_is_meant_whoever_sends_it(
    reader: Reader, form: dict[str, str], kind: Kind, headers: dict[str, str]
) -> None:
    """A mail program's one click comes from a server of its maker's."""
    text, answer = await reader.asks(f"/unsubscribe/{TICKET}", "POST", data=form, headers=headers)
    page = done_page if kind is Kind.UNSUBSCRIBED else back_page
    assert text == page("<news>", "email")
    assert_private(answer, is_page=True)
    assert reader.back.taken == [report(kind)]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_link_that_is_not_ours(reader: Reader, method: str) -> None:
    text, _ = await reader.asks("/unsubscribe/nonsense", method, 404, data={})
    assert text == unknown_page()
    assert reader.back.taken == []


async def test_while_kafka_is_away_people_get_on_and_no_opt_out_is_lost_unsaid(
    reader: Reader,
) -> None:
    reader.back.is_away = True
    text, _ = await reader.asks(f"/unsubscribe/{TICKET}", "POST", 503, data={})
    assert text == later_page()
    await reader.asks(CLICK, status=302, params={"to": URL})
    await reader.asks(f"/open/{TICKET}.gif")


def test_the_pages_words() -> None:
    title = "<title>{0}</title>"
    who = "e-mail about <strong>&lt;news&gt;</strong>"
    for page, name, said, button in (
        (ask_page, "Unsubscribe?", f"no more {who}.", 'value="unsubscribe"'),
        (done_page, "You are unsubscribed", f"no more {who}.", 'value="subscribe"'),
        (back_page, "You are subscribed", f"get {who} again.", ""),
    ):
        text = page("<news>", "email")
        assert title.format(name) in text
        assert f"<h1>{name}</h1>" in text
        assert said in text
        assert button in text
        assert ("<form" in text) == bool(button)
    assert "text messages about" in ask_page("x", "sms")
    assert "push messages about" in ask_page("x", "push")
    assert "webhook about" in ask_page("x", "webhook")
    assert title.format("This link is not valid") in unknown_page()
    assert title.format("Please try again") in later_page()
