"""Links of ours, as they leave: each good for one thing, of this message, where it was meant."""

import pytest

from policy.rendering.channels.own_links import STAND_INS
from policy.tracking.ticket import Purpose, read_ticket
from schemas.delivery import Content
from schemas.vocabulary import Channel
from sinks.email.own_links import WITHOUT_URL, OwnLinks
from sinks.provider import Fault
from sinks.tracking import Tracking
from tests.sinks.requests.recorder import PUBLIC, delivery, settings

KEY = b"a key to sign with"
LEAVE, PREFER = STAND_INS["unsubscribe_url"], STAND_INS["preferences_url"]
ELSEWHERE = '<a href="https://x.example/">x</a>'
HTML = f'<a href="{LEAVE}">No more</a> <a href="{PREFER}">All</a> {ELSEWHERE}'
CONTENT = Content(body=f"{LEAVE} {PREFER}", title="T", html=HTML)
MAIL = delivery(Channel.EMAIL, "ada@example.com", content=CONTENT)


def test_each_is_signed_for_one_thing() -> None:
    sent = OwnLinks(settings()).linked(MAIL).content
    leave, prefer = sent.body.split()
    for url, path, purpose in (
        (leave, "/unsubscribe/", Purpose.UNSUBSCRIBE),
        (prefer, "/preferences/", Purpose.PREFERENCES),
    ):
        start = f"{PUBLIC}{path}"
        assert url.startswith(start)
        for other in Purpose:
            found = read_ticket(url.removeprefix(start), other, KEY)
            assert (found is not None) == (other is purpose)
    assert f'href="{leave}"' in sent.html
    assert f'href="{prefer}"' in sent.html


def test_a_click_on_them_is_counted_by_nobody_else() -> None:
    """What leads to us anyway does not lead by us."""
    chosen = settings(track_clicks=True, track_opens=False)
    sent = Tracking(chosen).tracked(OwnLinks(chosen).linked(MAIL)).content.html
    assert sent.count(f"{PUBLIC}/click/") == 1
    assert f'href="{PUBLIC}/unsubscribe/' in sent


def test_what_has_none_stays_what_it_is() -> None:
    plain = delivery(Channel.EMAIL, "ada@example.com")
    links = OwnLinks(settings())
    assert links.linked(plain) is plain
    assert not OwnLinks(settings(public_url="")).lacks(plain)
    push = delivery(Channel.PUSH, "token", content=MAIL.content)
    assert links.linked(push) is push


@pytest.mark.parametrize("update", [{"public_url": ""}, {"signing_key": ""}])
def test_without_a_place_of_ours_it_waits_and_nobody_else_does(update: dict[str, str]) -> None:
    assert OwnLinks(settings(**update)).lacks(MAIL)
    assert not OwnLinks(settings()).lacks(MAIL)
    assert WITHOUT_URL.whose is Fault.MESSAGE
    assert not WITHOUT_URL.concerns_all
