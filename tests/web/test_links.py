"""The links of a message, each with what it writes and what whoever follows it sees."""

from collections.abc import AsyncIterator
from io import BytesIO
from urllib.parse import quote

import pytest
from aiohttp import web
from msgspec.structs import replace

from pipeline.catalogue_folder import FixedCatalogue
from policy.tracking.links import link_signature
from policy.tracking.ticket import LIFE_MS, Purpose, issue_stub, issue_ticket
from schemas.errors import Unavailable
from schemas.topics import DELIVERY_EVENTS, FEEDBACK
from schemas.vocabulary import Channel
from tests.policy.samples import shipped_catalogue
from tests.sinks.rig import delivery
from tests.sinks.set_clock import SetClock
from tests.sinks.test_sendgrid import SENDGRID
from tests.sinks.test_twilio import TWILIO
from tests.web.caller import KEY, Caller, Memory, calling, memory, settings, tickets
from tests.web.desk import Asked
from web.http.rate_limits import Limits, UserLimits
from web.links.routes import Links
from web.workers.report_writer import BackChannel

SAID = delivery(SENDGRID, 7, tenant="acme", category="comments")
OPEN = issue_ticket(SAID, Purpose.OPEN, KEY)
CLICK = issue_ticket(SAID, Purpose.CLICK, KEY)
MAIL = issue_ticket(SAID, Purpose.UNSUBSCRIBE, KEY)
REPORT = issue_ticket(SAID, Purpose.REPORT, KEY)
BILL = issue_ticket(
    delivery(SENDGRID, 7, tenant="acme", category="billing"), Purpose.UNSUBSCRIBE, KEY
)
TEXT = issue_ticket(
    delivery(TWILIO, 7, tenant="acme", category="<rides>"), Purpose.UNSUBSCRIBE, KEY
)
SHOP = "https://shop.example/orders?id=7&from=mail"
PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
CATALOGUES = FixedCatalogue(shipped_catalogue())
MOMENT, SHOWN = 1_753_000_000_000, "2025-07-20T08:26:40Z"


@pytest.fixture
def topics() -> Memory:
    return memory()


@pytest.fixture
async def links(topics: Memory) -> AsyncIterator[Caller]:
    clock = SetClock()
    clock.time = MOMENT
    app = web.Application()
    owners = Asked()
    owners.answer = Unavailable("no decider answers")
    found = tickets(settings(), owners)
    back = BackChannel(topics, settings(), found, CATALOGUES)
    app.add_routes(Links(back, found, CATALOGUES, KEY, clock).routes())
    async with calling(app) as caller:
        yield caller


def click(ticket: str = CLICK, to: str = SHOP, signed: str = SHOP) -> str:
    return f"/click/{ticket}/{link_signature(ticket, signed, KEY)}?to={quote(to, safe='')}"


async def test_the_pixel_is_an_image_that_nobody_keeps(links: Caller, topics: Memory) -> None:
    answer = await links.get(f"/open/{OPEN}.gif", headers=PERSON)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/gif")
    # One transparent pixel: 1 by 1, little-endian, after the signature.
    assert answer.body[:10] == b"GIF89a\x01\x00\x01\x00"
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    (event,) = topics.said(DELIVERY_EVENTS)
    told = (event["stage"], event["at"], event["tenant"], event["user"], event["provider"])
    assert told == ("opened", MOMENT, "acme", "user-7", "links")
    assert event.get("detail", "") == ""
    (seen,) = topics.said(FEEDBACK)
    assert (seen["stage"], seen["user"], seen["at"]) == ("opened", "user-7", SHOWN)


@pytest.mark.parametrize(
    ("method", "agent"),
    [("GET", "Mozilla/5.0 (compatible; Googlebot/2.1)"), ("GET", "curl/8"), ("HEAD", "Firefox")],
)
async def test_a_machines_open_is_nobodys(
    links: Caller, topics: Memory, method: str, agent: str
) -> None:
    await links.call(method, f"/open/{OPEN}.gif", headers={"User-Agent": agent})
    (event,) = topics.said(DELIVERY_EVENTS)
    assert (event["stage"], event["detail"]) == ("opened", "machine")
    assert topics.said(FEEDBACK) == []


async def test_a_click_leads_on_and_is_told(links: Caller, topics: Memory) -> None:
    answer = await links.get(click(), headers=PERSON)
    assert (answer.status, answer.headers["Location"]) == (302, SHOP)
    assert answer.headers["Cache-Control"] == "no-store, private"
    (event,) = topics.said(DELIVERY_EVENTS)
    assert (event["stage"], event.get("detail", "")) == ("clicked", "")
    assert [each["stage"] for each in topics.said(FEEDBACK)] == ["clicked"]


async def test_a_machines_click_leads_on_too(links: Caller, topics: Memory) -> None:
    answer = await links.get(click(), headers={"User-Agent": "SafeLinks"})
    assert answer.status == 302
    assert [event["detail"] for event in topics.said(DELIVERY_EVENTS)] == ["machine"]


async def test_while_nobody_answers_for_a_ticket_that_is_kept_links_lead_on(
    links: Caller, topics: Memory
) -> None:
    stubs = {purpose: issue_stub(SAID, 0, purpose, KEY) for purpose in Purpose}
    for answer in (
        await links.get(f"/unsubscribe/{stubs[Purpose.UNSUBSCRIBE]}"),
        await links.post(f"/unsubscribe/{stubs[Purpose.UNSUBSCRIBE]}"),
    ):
        assert answer.status == 503
        assert "<h1>Please try again</h1>" in answer.text
    assert (await links.get(click(stubs[Purpose.CLICK]))).status == 302
    assert (await links.get(f"/open/{stubs[Purpose.OPEN]}.gif")).status == 200
    assert topics.topics == {}


@pytest.mark.parametrize(
    "path",
    [
        click(to="https://evil.example/"),
        click(to="", signed=SHOP),
        f"/click/{CLICK}/{link_signature(TEXT, SHOP, KEY)}?to={quote(SHOP, safe='')}",
        f"/unsubscribe/{MAIL[:-3]}",
    ],
)
async def test_what_we_did_not_make_leads_nowhere(links: Caller, topics: Memory, path: str) -> None:
    answer = await links.get(path)
    assert answer.status == 404
    assert "<h1>This link is not valid</h1>" in answer.text
    assert "Location" not in answer.headers
    assert topics.said(DELIVERY_EVENTS) == []


@pytest.mark.parametrize(
    "ticket",
    [OPEN, CLICK, REPORT, issue_stub(SAID, 0, Purpose.OPEN, KEY)],
    ids=["open", "click", "report", "stub"],
)
async def test_a_ticket_of_one_place_leads_nowhere_from_another(
    links: Caller, topics: Memory, ticket: str
) -> None:
    for method in ("GET", "POST"):
        answer = await links.call(method, f"/unsubscribe/{ticket}")
        assert answer.status == 404
        assert "<h1>This link is not valid</h1>" in answer.text
    assert topics.topics == {}


async def test_nothing_is_counted_by_a_ticket_of_another_place(
    links: Caller, topics: Memory
) -> None:
    for ticket in (CLICK, MAIL, REPORT):
        assert (await links.get(f"/open/{ticket}.gif", headers=PERSON)).status == 200
    # Only we sign links, and each leads where it says.
    for ticket in (OPEN, MAIL, REPORT):
        assert (await links.get(click(ticket=ticket), headers=PERSON)).status == 302
    assert topics.topics == {}


def long_ago(purpose: Purpose, ms: int) -> str:
    """A ticket that ends so many milliseconds after now."""
    said = replace(SAID, accepted_at=MOMENT - LIFE_MS + ms)
    return issue_ticket(said, purpose, KEY)


async def test_what_is_too_old_still_leads_on_and_is_not_counted(
    links: Caller, topics: Memory
) -> None:
    opened = f"/open/{long_ago(Purpose.OPEN, 0)}.gif"
    assert (await links.get(opened, headers=PERSON)).headers["Content-Type"] == "image/gif"
    answer = await links.get(click(ticket=long_ago(Purpose.CLICK, 0)), headers=PERSON)
    assert (answer.status, answer.headers["Location"]) == (302, SHOP)
    assert topics.topics == {}
    await links.get(click(ticket=long_ago(Purpose.CLICK, 1)), headers=PERSON)
    await links.get(f"/open/{long_ago(Purpose.OPEN, 1)}.gif", headers=PERSON)
    assert [event["stage"] for event in topics.said(DELIVERY_EVENTS)] == ["clicked", "opened"]


@pytest.mark.parametrize("purpose", [Purpose.UNSUBSCRIBE, Purpose.ANY])
async def test_one_click_counts_until_its_ticket_ends(
    links: Caller, topics: Memory, purpose: Purpose
) -> None:
    """Those of ANY are of a release before tickets had a purpose."""
    for method in ("GET", "POST"):
        answer = await links.call(method, f"/unsubscribe/{long_ago(purpose, 0)}")
        assert answer.status == 410
        assert "<h1>This link has ended</h1>" in answer.text
        assert "<form" not in answer.text
    assert topics.topics == {}
    assert (await links.post(f"/unsubscribe/{long_ago(purpose, 1)}")).status == 200
    assert len(topics.said_as("subscription")) == 1


async def test_to_open_the_unsubscribe_page_changes_nothing(links: Caller, topics: Memory) -> None:
    answer = await links.get(f"/unsubscribe/{MAIL}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<title>Unsubscribe?</title>" in answer.text
    assert "You will get no more e-mail about <strong>Comments</strong>." in answer.text
    assert '<input type="hidden" name="do" value="unsubscribe">' in answer.text
    policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
    assert answer.headers["Content-Security-Policy"] == policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert topics.topics == {}


@pytest.mark.parametrize("form", [{"do": "unsubscribe"}, {"List-Unsubscribe": "One-Click"}, {}])
async def test_one_click_unsubscribes(links: Caller, topics: Memory, form: dict[str, str]) -> None:
    answer = await links.post(f"/unsubscribe/{MAIL}", data=form)
    assert answer.status == 200
    assert "<h1>You are unsubscribed</h1>" in answer.text
    assert '<input type="hidden" name="do" value="subscribe">' in answer.text
    (said,) = topics.said_as("subscription")
    assert said == {
        "user": "user-7", "category": "comments", "channel": "email", "at": SHOWN, "tenant": "acme",
    }  # fmt: skip
    assert [event["stage"] for event in topics.said(DELIVERY_EVENTS)] == ["unsubscribed"]


ONE_CLICK = b"List-Unsubscribe=One-Click"
PART = (
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded; charset=UTF-8", ONE_CLICK),
        ("application/x-www-form-urlencoded; charset=x-unknown", ONE_CLICK),
        ("application/x-www-form-urlencoded", b"a=\xff%ff"),
        ("application/x-www-form-urlencoded", b"a=b&" * 30_000),
        ("application/x-www-form-urlencoded", b"a" * (1 << 21)),
        ("multipart/form-data; boundary=b", PART),
        ("multipart/form-data", PART),
        ("multipart/form-data; boundary=b", PART[:60]),
        ("multipart/form-data; boundary=b", PART.replace(b'; name="List-Unsubscribe"', b"")),
        ("multipart/form-data; boundary=b", PART.replace(b"One-Click", b"One\xffClick")),
        ("multipart/mixed; boundary=b", PART),
        ("application/json", b"{}"),
        ("text/plain", ONE_CLICK),
        ("none", b""),
    ],
)
async def test_one_click_counts_however_a_mail_program_writes_its_body(
    links: Caller, topics: Memory, kind: str, body: bytes
) -> None:
    """RFC 8058, section 3.2, has receivers use either kind of form; what they send differs, see
    https://github.com/Notifuse/notifuse/issues/362."""
    answer = await links.post(
        f"/unsubscribe/{MAIL}", data=BytesIO(body), headers={"Content-Type": kind}
    )
    assert answer.status == 200
    assert "subscribed" not in topics.said_as("subscription")[0]


async def test_what_comes_all_the_same_can_not_be_left_and_the_page_says_so(
    links: Caller, topics: Memory
) -> None:
    """`invoice_due` is the one type about billing, and transactional."""
    for answer in (
        await links.get(f"/unsubscribe/{BILL}"),
        await links.post(f"/unsubscribe/{BILL}"),
    ):
        assert answer.status == 200
        assert "<h1>These messages always come</h1>" in answer.text
        assert "about <strong>Invoices</strong>" in answer.text
        assert "no more" not in answer.text
        assert "<form" not in answer.text
    # Types change: what was said counts once one of them may be left.
    assert [said["category"] for said in topics.said_as("subscription")] == ["billing"]


async def test_the_pages_speak_the_language_of_the_browser(links: Caller) -> None:
    german = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
    page = await links.get(f"/unsubscribe/{MAIL}", headers=german)
    assert '<html lang="de">' in page.text
    assert "Du bekommst keine E-Mails zum Thema <strong>Kommentare</strong> mehr." in page.text
    lost = await links.get("/unsubscribe/x", headers=german)
    assert (lost.status, "<h1>Dieser Link gilt nicht</h1>" in lost.text) == (404, True)
    other = await links.get(f"/unsubscribe/{MAIL}", headers={"Accept-Language": "fr"})
    assert '<html lang="en">' in other.text


async def test_another_click_subscribes_again(links: Caller, topics: Memory) -> None:
    answer = await links.post(f"/unsubscribe/{TEXT}", data={"do": "subscribe"})
    assert answer.status == 200
    assert "<h1>You are subscribed</h1>" in answer.text
    assert "You will get text messages about <strong>&lt;rides&gt;</strong> again." in answer.text
    (said,) = topics.said_as("subscription")
    assert (said["subscribed"], said["channel"]) == (True, Channel.SMS)
    assert topics.said(DELIVERY_EVENTS) == []


async def test_a_strangers_click_unsubscribes_nobody(links: Caller, topics: Memory) -> None:
    assert (await links.post(f"/unsubscribe/{'t' * 120}")).status == 404
    assert topics.topics == {}


async def test_while_kafka_is_away_pictures_and_ways_on_come_all_the_same(
    links: Caller, topics: Memory
) -> None:
    topics.is_away = True
    assert (await links.get(f"/open/{OPEN}.gif")).status == 200
    assert (await links.get(click())).status == 302


async def test_who_can_not_be_unsubscribed_now_is_told_so(links: Caller, topics: Memory) -> None:
    topics.is_away = True
    answer = await links.post(f"/unsubscribe/{MAIL}")
    assert answer.status == 503
    assert "<h1>Please try again</h1>" in answer.text


async def test_beyond_their_limit_people_get_what_they_came_for_and_nothing_is_stored(
    topics: Memory,
) -> None:
    app, limited = web.Application(), settings(user_requests_per_minute=12)  # two at once
    limits = UserLimits(Limits(monotonic=lambda: 1.0), limited)
    found = tickets(limited)
    back = BackChannel(topics, limited, found, CATALOGUES)
    app.add_routes(Links(back, found, CATALOGUES, KEY, SetClock(), limits).routes())
    async with calling(app) as links:
        opened = [await links.get(f"/open/{OPEN}.gif", headers=PERSON) for _ in range(4)]
        assert {each.status for each in opened} == {200}
        assert len({each.body for each in opened}) == 1
        answer = await links.get(click(), headers=PERSON)
        assert (answer.status, answer.headers["Location"]) == (302, SHOP)
        assert len(topics.said(DELIVERY_EVENTS)) == 2
        refused = await links.post(f"/unsubscribe/{MAIL}")
        assert (refused.status, refused.headers["Retry-After"]) == (429, "10")
