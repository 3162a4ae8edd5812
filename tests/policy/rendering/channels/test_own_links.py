"""The links of ours in a mail: what stands for them, and that nothing else can."""

from html.parser import HTMLParser
from typing import Any

import pytest

from policy.catalogue.catalogue import parse
from policy.catalogue.entry import Layout
from policy.catalogue.text_entry import Texts
from policy.rendering.channels.own_links import STAND_INS, OwnLink, has_links, links_in, with_urls
from policy.rendering.rendering import BadTemplate
from schemas.delivery import Content
from schemas.errors import BadCatalogue
from tests.policy.samples import TYPE
from tests.policy.templates import event, rendering

LEAVE, PREFER = STAND_INS["unsubscribe_url"], STAND_INS["preferences_url"]
URLS = {OwnLink.UNSUBSCRIBE: "https://n.example/u", OwnLink.PREFERENCES: "https://n.example/p"}
FOOT = '<a href="{{ unsubscribe_url }}">No more</a> <a href="{{ preferences_url|link }}">All</a>'


class Anchors(HTMLParser):
    """Where the anchors of HTML lead."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name == "href"]


def said(data: dict[str, Any] | None = None, **fields: Any) -> Content:
    made = rendering("email", **{"title": "Hi", "body": "text", **fields})
    return made.content(event(**(data or {})), "en")


def test_a_mail_bears_them_in_text_html_and_layout() -> None:
    layouts = {"brand": Layout(html=f"<html>{{{{ content }}}}{FOOT}</html>")}
    found = said(
        body="Leave: {{ unsubscribe_url }}", html="<p>x</p>", layout="brand", layouts=layouts
    )
    assert has_links(found)
    assert links_in(found) == [OwnLink.PREFERENCES, OwnLink.UNSUBSCRIBE]
    sent = with_urls(found, URLS)
    assert sent.body == "Leave: https://n.example/u"
    assert Anchors(sent.html).found == ["https://n.example/u", "https://n.example/p"]
    assert not has_links(sent)
    mjml = f"<mjml><mj-body><mj-raw>{FOOT}</mj-raw></mj-body></mjml>"
    assert Anchors(with_urls(said(mjml=mjml), URLS).html).found[-2:] == [*URLS.values()]


def test_a_digest_bears_them_too() -> None:
    made = rendering(
        "email",
        title="Hi",
        body="one",
        digest=Texts(body="{{ count }} of {{ preferences_url }}", html=FOOT),
    )
    found = made.digest([event(), event()], "en")
    assert with_urls(found, URLS).body == "2 of https://n.example/p"
    assert links_in(found) == [OwnLink.PREFERENCES, OwnLink.UNSUBSCRIBE]


def test_nothing_that_comes_with_an_event_can_say_them() -> None:
    """Else whoever writes a comment could put a link under it that reads as something else."""
    forged = {"x": f"Win: {LEAVE}", "all": [{"deep": PREFER}]}
    body = "{{ data.x }} {{ data.all[0].deep }} {{ user.name|default('') }} {{ preferences_url }}"
    made = rendering("email", title="Hi", body=body)
    reader = {"id": "ann", "zone": "UTC", "name": LEAVE}
    for found in (
        made.content(event(**forged), "en", reader),
        made.digest([event(**forged)], "en", reader),
    ):
        sent = with_urls(found, URLS).body
        assert sent.count("https://n.example/") == 1
        assert "https://n.example/u" not in sent


@pytest.mark.parametrize("name", ["unsubscribe_url", "preferences_url"])
def test_only_a_mails_texts_may_speak_of_them(name: str) -> None:
    with pytest.raises(BadTemplate, match=f"title '{name}' is not one of"):
        rendering("email", title=f"{{{{ {name} }}}}", body="x")
    for channel in ("push", "sms", "inapp", "chat", "webhook"):
        with pytest.raises(BadTemplate, match=f"body '{name}' is not one of"):
            rendering(channel, body=f"{{{{ {name} }}}}")


BILL = TYPE.replace("time_to_live = 86400", "time_to_live = 86400\ntransactional = true")


def problem(*files: str) -> str:
    with pytest.raises(BadCatalogue) as caught:
        parse({f"{number}.toml": text for number, text in enumerate(files)})
    return str(caught.value)


def test_what_is_transactional_has_nothing_to_leave_which_is_told_with_its_line() -> None:
    html, place = 'html = "<p>{{ data.text }}</p>"', "0.toml:14: types.thing.templates.email"
    told = "can't be: unsubscribe_url is in it, and a transactional type comes all the same."
    leaving = f"html = '{FOOT}'"
    assert problem(BILL.replace(html, leaving)) == f"{place}.html: {told}"
    parse({"0.toml": TYPE.replace(html, leaving)})
    parse({"0.toml": BILL.replace(html, leaving.replace("unsubscribe", "preferences"))})
    layout = f"[layouts.brand]\nhtml = '<html>{{{{ content }}}}{FOOT}</html>'"
    branded = f'{html}, layout = "brand"'
    assert problem(BILL.replace(html, branded), layout) == f"{place}.layout: 'brand' {told}"
    parse({"0.toml": TYPE.replace(html, branded), "1.toml": layout})
    said = "title = 'x', body = 'x {{ unsubscribe_url }}', html = 'x'"
    german = f"{html}, locales.de = {{ {said} }}"
    assert ".email.locales.de.body: can't be" in problem(BILL.replace(html, german))
