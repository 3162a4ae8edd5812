"""What an HTTP status alone means, URLs that can't be called, and mail that leads by us."""

import pytest

from policy.tracking.links import link_signature
from policy.tracking.ticket import Purpose, issue_ticket
from schemas.delivery import Content
from schemas.errors import Misconfigured
from schemas.vocabulary import Channel, Reason
from sinks.http.client import MOST_BYTES, Reply, failure_of, require_url, retry_after, unreadable
from sinks.provider import Outcome, PermanentFailure, TransientFailure
from sinks.tracking import Tracking
from tests.sinks.replies.table import down, ours, reply, throttled
from tests.sinks.requests.recorder import PUBLIC, delivery, settings

LONG = "x" * 201


def odd(status: int) -> TransientFailure:
    detail = f"HTTP {status} with 3 bytes not understood"
    return TransientFailure(Reason.UNREADABLE_REPLY, detail, uncertain=status < 300)


def refused(status: int) -> PermanentFailure:
    return PermanentFailure(Reason.REJECTED, f"HTTP {status}: said")


SAID: dict[int, Outcome] = {
    199: odd(199),
    200: odd(200),
    299: odd(299),
    300: odd(300),
    399: odd(399),
    400: refused(400),
    401: ours("HTTP 401: said"),
    402: ours("HTTP 402: said"),
    403: ours("HTTP 403: said"),
    404: refused(404),
    407: refused(407),
    408: TransientFailure(Reason.TIMEOUT, "HTTP 408: said"),
    409: refused(409),
    410: refused(410),
    # https://github.com/mailgun/mailgun-java/issues/50
    420: throttled("HTTP 420: said", 8.0),
    421: down("HTTP 421: said", 8.0),
    424: refused(424),
    425: down("HTTP 425: said", 8.0),
    428: refused(428),
    429: throttled("HTTP 429: said", 8.0),
    430: refused(430),
    499: refused(499),
    500: down("HTTP 500: said", 8.0),
    501: down("HTTP 501: said", 8.0),
    502: TransientFailure(Reason.PROVIDER_ERROR, "HTTP 502: said", 8.0, uncertain=True),
    503: down("HTTP 503: said", 8.0),
    504: TransientFailure(Reason.PROVIDER_ERROR, "HTTP 504: said", 8.0, uncertain=True),
    505: down("HTTP 505: said", 8.0),
    # https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
    520: TransientFailure(Reason.PROVIDER_ERROR, "HTTP 520: said", 8.0, uncertain=True),
    521: down("HTTP 521: said", 8.0),
    522: down("HTTP 522: said", 8.0),
    524: TransientFailure(Reason.PROVIDER_ERROR, "HTTP 524: said", 8.0, uncertain=True),
    599: down("HTTP 599: said", 8.0),
}


@pytest.mark.parametrize("status", SAID)
def test_what_a_status_means_where_the_provider_words_it(status: int) -> None:
    assert failure_of(reply(status, b"abc", {"retry-after": "8"}), "said") == SAID[status]


@pytest.mark.parametrize("status", SAID)
def test_only_the_provider_itself_refuses_a_message(status: int) -> None:
    found = failure_of(reply(status, b"abc", {"retry-after": "8"}), None)
    assert isinstance(found, TransientFailure)
    if isinstance(SAID[status], PermanentFailure):
        assert found == odd(status)


def test_two_hundred_characters_of_a_providers_words_are_kept() -> None:
    found = failure_of(reply(400, b""), LONG)
    assert found == PermanentFailure(Reason.REJECTED, f"HTTP 400: {LONG[:200]}")


def test_a_mebibyte_of_a_strangers_reply_is_read() -> None:
    assert MOST_BYTES == 1_048_576


def test_a_body_that_is_not_understood_is_counted_and_not_shown() -> None:
    assert unreadable(reply(200, b"secret")).detail == "HTTP 200 with 6 bytes not understood"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Thu, 01 Jan 1970 00:01:40 -0000", 40.0),  # of no zone: UTC
        ("Thu, 01 Jan 1970 01:01:40 +0100", 40.0),
        ("01 Jan 1970 00:01:00", 0.0),
        ("1.5", None),
        ("+5", None),
        ("3600", 3600.0),
    ],
)
def test_what_a_date_or_a_number_asks_for(value: str, seconds: float | None) -> None:
    assert retry_after(value, 60.0) == seconds
    assert Reply(503, {"retry-after": value}, b"", 60.0).retry_after == seconds


class Garbled(dict[str, str]):
    """Headers of which one can't be turned into text."""

    def get(self, key: str, default: object = None) -> str:
        raise ValueError(key)


def test_a_header_that_can_not_be_read_is_none() -> None:
    garbled = Reply(503, Garbled(), b"", 0.0)
    assert (garbled.header("x"), garbled.retry_after) == (None, None)


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("https://api.example.com", True),
        ("http://127.0.0.1:9/x", True),
        ("ftp://api.example.com", False),
        ("api.example.com", False),
        ("https://", False),
        ("https:///path", False),
        ("", False),
    ],
)
def test_which_urls_can_be_called(url: str, is_one: bool) -> None:
    if is_one:
        require_url("TOCSIN_X_URL", url)
    else:
        with pytest.raises(Misconfigured, match=r"^TOCSIN_X_URL is not an http or https URL\.$"):
            require_url("TOCSIN_X_URL", url)


LINK = "https://shop.example.com/7"
HTML = f'<body><a href="{LINK}">7</a></body>'
KEY = b"a key to sign with"


@pytest.mark.parametrize(
    ("update", "channel", "html", "has_link", "has_pixel"),
    [
        ({}, Channel.EMAIL, HTML, True, True),
        ({"track_opens": False}, Channel.EMAIL, HTML, True, False),
        ({"track_clicks": False}, Channel.EMAIL, HTML, False, True),
        ({"track_opens": False, "track_clicks": False}, Channel.EMAIL, HTML, False, False),
        ({"public_url": ""}, Channel.EMAIL, HTML, False, False),
        ({"signing_key": ""}, Channel.EMAIL, HTML, False, False),
        ({}, Channel.PUSH, HTML, False, False),
        ({}, Channel.EMAIL, "", False, False),
    ],
)
def test_what_of_a_mail_leads_by_us(
    update: dict[str, object], channel: Channel, html: str, has_link: bool, has_pixel: bool
) -> None:
    said = delivery(channel, "ada@example.com", content=Content(body=HTML, title="T", html=html))
    found = Tracking(settings(**update)).tracked(said)
    ticket = issue_ticket(said, Purpose.CLICK, KEY)
    signature = link_signature(ticket, LINK, KEY)
    by_us = f"{PUBLIC}/click/{ticket}/{signature}?to=https%3A%2F%2Fshop.example.com%2F7"
    link = by_us if has_link else LINK
    ticket = issue_ticket(said, Purpose.OPEN, KEY)
    pixel = f'<img src="{PUBLIC}/open/{ticket}.gif" alt="" width="1" height="1">'
    expected = html.replace(LINK, link).replace("</body>", f"{pixel if has_pixel else ''}</body>")
    assert found.content.html == expected
    assert (found.content.body, found.content.title) == (HTML, "T")
    assert (found.address, found.delivery_id) == (said.address, said.delivery_id)
    assert (found is said) == (not has_link and not has_pixel)
