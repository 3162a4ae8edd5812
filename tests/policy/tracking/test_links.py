"""Tracked HTML: links lead by us to where they led, and to nowhere else."""

from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.tracking.links import is_signed, link_signature, with_links, with_pixel

BASE, KEY, TICKET = "https://n.example.com", b"key", "tick-et_1"
urls = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\"'<>"), max_size=40
).map(lambda rest: f"https://shop.example.com/{rest}")


def href(html: str) -> str:
    return unescape(html.partition('href="')[2].partition('"')[0])


@given(urls)
def test_a_link_leads_by_us_to_where_it_led(url: str) -> None:
    written = url.replace("&", "&amp;")
    html = with_links(f'<p><a class="b" href="{written}">x</a></p>', TICKET, BASE, KEY)
    parts = urlsplit(href(html))
    _, _, ticket, signature = parts.path.split("/")
    (to,) = parse_qs(parts.query, keep_blank_values=True)["to"]
    assert ticket == TICKET
    assert to == unescape(written)
    assert is_signed(TICKET, to, signature, KEY)


@pytest.mark.parametrize(
    "html",
    [
        '<a href="mailto:a@example.com">x</a>',
        '<a href="tel:+49">x</a>',
        '<a href="#top">x</a>',
        '<a href="javascript:x()">x</a>',
        f'<a href="{BASE}/unsubscribe/{TICKET}">x</a>',
        '<img src="https://shop.example.com/a.png">',
        "https://shop.example.com in plain words",
        '<link href="https://shop.example.com/style.css">',
    ],
)
def test_whatever_else_stays_as_it_is(html: str) -> None:
    assert with_links(html, TICKET, BASE, KEY) == html


def test_a_signature_is_of_one_message_and_one_link() -> None:
    signature = link_signature(TICKET, "https://a.example", KEY)
    assert is_signed(TICKET, "https://a.example", signature, KEY)
    assert not is_signed(TICKET, "https://b.example", signature, KEY)
    assert not is_signed("other", "https://a.example", signature, KEY)
    assert not is_signed(TICKET, "https://a.example", signature, b"other")
    assert not is_signed(TICKET, "https://a.example", "é", KEY)


def test_an_empty_key_opens_no_link_though_everybody_can_sign_with_it() -> None:
    url = "https://shop.example.com/"
    assert not is_signed(TICKET, url, link_signature(TICKET, url, b""), b"")


def test_the_pixel_stands_at_the_end_of_the_body() -> None:
    pixel = f'<img src="{BASE}/open/{TICKET}.gif" alt="" width="1" height="1">'
    assert with_pixel("<body>x</body></html>", TICKET, BASE) == f"<body>x{pixel}</body></html>"
    assert with_pixel("<p>x</p>", TICKET, BASE) == f"<p>x</p>{pixel}"
