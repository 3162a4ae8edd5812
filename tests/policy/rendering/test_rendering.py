from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.catalogue.text_entry import Texts, Translation
from policy.rendering.channels.sms import segments_of
from policy.rendering.sandbox.render_limits import MOST_BYTES
from schemas.delivery import Content
from schemas.errors import BadRecord
from schemas.event import Event
from schemas.vocabulary import Channel, Reason
from tests.policy.samples import shipped_catalogue
from tests.policy.templates import NOON, event, mail, rendering

LOCALES = {
    "pt": Translation(body="pt {{ data.n | number }}", title="título"),
    "pt-BR": Translation(body="br {{ data.n | number }}"),
    "de": Translation(title="Titel"),
    "zh_Hant": Translation(title="標題"),
}


def several(*texts: str) -> list[Event]:
    return [
        Event(
            id=f"e{number}",
            type="thing.happened",
            actor=f"actor{number}",
            occurred_at=NOON + timedelta(hours=number),
            data={"x": each, "n": number},
        )
        for number, each in enumerate(texts)
    ]


def test_a_constant_title_is_a_single_line_as_any_other() -> None:
    made = rendering("push", title="Hi\r\nBcc: \u202eall", body="b")
    assert made.content(event(), "en").title == "Hi Bcc: all"
    assert made.digest(several("a"), "en").title == "Hi Bcc: all"


def test_a_text_knows_who_did_what_when() -> None:
    made = rendering("push", title="{{ actor }}", body="{{ occurred_at | date }} {{ data.x }}")
    content = made.content(several("a")[0], "en")
    assert (content.title, content.body) == ("actor0", "Mar 1, 2026 a")


@pytest.mark.parametrize(
    ("source", "detail"),
    [
        ("{{ data.price }}", "the variable 'price' is missing"),
        ("{{ data['price'] }}", "the variable 'price' is missing"),
        ("{{ data.none }}", "the variable 'none' is missing"),
        ("{{ data.price.amount }}", "the variable 'price' is missing"),
        ("{{ data.x.amount }}", "has no attribute 'amount'"),
        ("{{ data.x + 1 }}", "TypeError"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ data.x | date }}", "the filter 'date' can't use '1': it is not a moment"),
        ("{% for x in data.x.y %}{% endfor %}", "has no attribute 'y'"),
        ("{% for x in data.price %}{% endfor %}", "the variable 'price' is missing"),
        ("{% for i in data.list %}{{ i.name }}{% endfor %}", "the variable 'name' is missing"),
        ("{{ data.list | map(attribute='name') | join }}", "the variable 'name' is missing"),
    ],
)
def test_a_record_that_lacks_a_variable_is_bad(source: str, detail: str) -> None:
    with pytest.raises(BadRecord, match=detail) as caught:
        rendering("push", body=source).content(event(x="1", none=None, list=[{}]), "en")
    assert caught.value.reason is Reason.RENDER_FAILED
    assert caught.value.detail.startswith("thing.push: ")


def test_a_field_to_send_beside_is_needed_too() -> None:
    with pytest.raises(BadRecord, match="the variable 'order_id' is missing"):
        rendering("push", body="x", data=("order_id",)).content(event(), "en")


def test_a_title_is_one_line_and_what_it_sets_stays_there() -> None:
    made = rendering(
        "email", body="{{ data.x }}", title="{% set data = {'x': 'no'} %}Hi\r\nBcc: all👩‍🚀"
    )
    assert made.content(event(x="yes"), "en") == Content(title="Hi Bcc: all👩‍🚀", body="yes")


def test_a_mail_has_a_plain_text_part() -> None:
    made = rendering("email", title="Hi", body="{{ data.x }}\u202e\0", html="<p>{{ data.x }}\u202e")
    content = made.content(event(x="<é>"), "en")
    assert content == Content(title="Hi", body="<é>", html="<p>&lt;é&gt;")


@pytest.mark.parametrize(
    ("locale", "title", "body"),
    [
        ("pt-BR", "título", "br 1.234,5"),
        ("pt_br.UTF-8", "título", "br 1.234,5"),
        ("pt", "título", "pt 1.234,5"),
        ("pt-AO", "título", "pt 1\xa0234,5"),
        ("de-CH", "Titel", "= 1\u2019234.5"),
        ("zh-TW", "標題", "= 1,234.5"),
        ("fr", "title", "= 1\u202f234,5"),
        ("xx-YY", "title", "= 1,234.5"),
        ("@@@", "title", "= 1,234.5"),
        ("", "title", "= 1,234.5"),
    ],
)
def test_each_field_falls_back_along_the_chain(locale: str, title: str, body: str) -> None:
    made = rendering("push", title="title", body="= {{ data.n | number }}", locales=LOCALES)
    assert made.content(event(n=1234.5), locale) == Content(title=title, body=body)


def test_base_texts_of_a_known_language_are_formatted_by_it() -> None:
    source = "{{ data.n | plural(one='# item', other='# items') }}"
    german = "{{ data.n | plural(one='# Ding', other='# Dinge') }}"
    made = rendering("push", body=source, language="en", locales={"de": Translation(body=german)})
    unsaid = rendering("push", body=source)
    assert made.content(event(n=0), "fr").body == "0 items"
    assert unsaid.content(event(n=0), "fr").body == "0 item"
    assert made.content(event(n=1234), "en-IN").body == "1,234 items"
    assert made.content(event(n=1234), "de").body == "1.234 Dinge"


def test_an_sms_is_cut_to_its_segments() -> None:
    content = rendering("sms", body="{{ data.x }}", segments=2).content(event(x="x" * 9999), "en")
    assert content.body.endswith("x...")
    assert segments_of(content.body).count == 2
    unsaid = rendering("sms", body="{{ data.x }}").content(event(x="x" * 9999), "en")
    assert segments_of(unsaid.body).count == 4


@pytest.mark.parametrize("channel", [*Channel])
@given(text=st.text(min_size=1), length=st.integers(1, MOST_BYTES + 9))
def test_no_content_is_too_large_for_a_record(channel: Channel, text: str, length: int) -> None:
    text = (text * length)[:length]
    fields: dict[str, Any] = {"body": "{{ data.x }}"}
    if channel is not Channel.SMS:
        fields["title"] = "{{ data.x }}"
    if channel is Channel.EMAIL:
        fields["html"] = "{{ data.x }}"
    try:
        content = rendering(channel, **fields).content(event(x=text), "en")
    except BadRecord as error:
        assert "more than 196608 bytes" in error.detail
    else:
        assert len(msgspec.json.encode(content)) < 900_000


def test_data_beside_are_bounded() -> None:
    with pytest.raises(BadRecord, match="its data have more than 131072 bytes"):
        rendering("inapp", body="x", data=("x",)).content(event(x="x" * 200_000), "en")


def test_a_digest_speaks_of_its_events() -> None:
    made = rendering(
        "push",
        title="{{ data.x }}",
        body="{{ data.x }}",
        data=("n",),
        digest=Texts(
            title="{{ count | plural(one='# thing', other='# things') }}, last {{ data.x }}",
            body="{% for e in events %}{{ e.actor }}: {{ e.data.x }} at "
            "{{ e.occurred_at | time }}\n{% endfor %}",
        ),
    )
    assert made.digest(several("a", "b"), "de") == Content(
        title="2 things, last b",
        body="actor0: a at 12:00\nactor1: b at 13:00\n",
        data={"n": 1},
    )


def test_a_digest_without_texts_is_made_of_what_its_events_say() -> None:
    made = rendering("inapp", title="Of {{ data.x }}", body=" {{ data.x }}\n")
    assert made.digest(several("a", "b", "c"), "en") == Content(title="Of c", body="a\nb\nc")
    long = made.digest(several(*map(str, range(100))), "en")
    assert long.body.splitlines() == [*map(str, range(50, 100)), "+50"]
    email = rendering("email", title="Hi", body="{{ data.x }}", html="<p>{{ data.x }}")
    assert email.digest(several("a", "b"), "en") == Content(title="Hi", body="a\n\nb")


def test_a_digest_without_texts_has_what_the_channel_holds() -> None:
    sms = rendering("sms", body="{{ data.x }}", segments=1)
    assert sms.digest(several("a" * 90, "b" * 90, "c" * 60), "en").body == (
        "b" * 90 + "\n" + "c" * 60 + "\n+1"
    )
    only = sms.digest(several("a", "b" * 200), "en").body
    assert only == "b" * 154 + "...\n+1"
    push = rendering("push", body="{{ data.x }}").digest(several(*["é" * 400] * 9), "en").body
    assert push.splitlines() == [*["é" * 400] * 4, "+5"]


def test_a_digest_falls_back_along_the_chain() -> None:
    made = rendering(
        "push",
        title="one",
        body="1: {{ data.x }}",
        digest=Texts(body="{{ count }}!"),
        locales={
            "de": Translation(title="eins", digest=Texts(body="{{ count }} Dinge")),
            "de-AT": Translation(digest=Texts(title="{{ count }}")),
            "fr": Translation(title="un"),
        },
    )
    events = several("a", "b")
    assert made.digest(events, "de-AT") == Content(title="2", body="2 Dinge")
    assert made.digest(events, "de-DE") == Content(title="eins", body="2 Dinge")
    assert made.digest(events, "fr") == Content(title="un", body="2!")


def test_a_digest_has_html_of_its_own() -> None:
    made = rendering(
        "email",
        title="Hi",
        body="x",
        digest=Texts(html="{% for e in events %}<i>{{ e.data.x }}</i>{% endfor %}"),
    )
    assert made.digest(several("<", "b"), "en").html == "<i>&lt;</i><i>b</i>"


@pytest.mark.parametrize(
    ("ending", "tail"),
    [
        ("{% if more %}, and {{ more }} of {{ count }} more{% endif %}", ", and 6 of 8 more"),
        ("", "\n+6"),
    ],
)
def test_a_list_beyond_the_bounds_of_a_text_tells_the_oldest_and_how_many_more(
    ending: str, tail: str
) -> None:
    # Four of 50,000 bytes are more than a text may have, and two are less.
    listed = "{% for each in events %}{{ each.data.x }}{% endfor %}"
    made = rendering("email", title="Hi", body="x", digest=Texts(body=listed + ending))
    long = made.digest(several(*(letter * 50_000 for letter in "abcdefgh")), "en")
    assert long.body == "a" * 50_000 + "b" * 50_000 + tail
    short = made.digest(several("a", "b"), "en")
    assert short.body == "ab"


def test_one_event_beyond_the_bounds_of_a_text_is_not_told() -> None:
    made = rendering("email", title="Hi", body="x", digest=Texts(body="{{ data.x }}"))
    with pytest.raises(BadRecord, match="more than 196608 bytes"):
        made.digest(several("a", "b" * 200_000), "en")


def test_a_digest_names_what_an_event_lacks() -> None:
    made = rendering(
        "push", body="x", digest=Texts(body="{% for e in events %}{{ e.data.price }}{% endfor %}")
    )
    with pytest.raises(BadRecord, match=r"thing\.push: the variable 'price' is missing"):
        made.digest(several("a", "b"), "en")


def test_a_link_that_is_none_is_left_out_or_named() -> None:
    source = "{% if data.x is link %}<a href='{{ data.x | link }}'>{% endif %}"
    assert mail(source, {"x": "https://x/?a&b"}) == "<a href='https://x/?a&amp;b'>"
    assert mail(source, {"x": "javascript:x"}) == ""
    with pytest.raises(BadRecord, match="the filter 'link' can't use 'javascript:x'"):
        mail("<a href='{{ data.x | link }}'>", {"x": "javascript:x"})


def test_the_shipped_mail_escapes_and_links_only_to_addresses() -> None:
    plan = shipped_catalogue().types["order_shipped"].plan_of(Channel.EMAIL)
    assert plan is not None
    data = {"order_id": "<A>", "carrier": "DHL", "tracking_number": "1", "items": ["<i>"]}
    html = plan.rendering.content(event(**data, tracking_url="https://x/?a&b"), "en").html
    assert "&lt;A&gt;" in html
    assert "<li>&lt;i&gt;</li>" in html
    assert 'href="https://x/?a&amp;b"' in html
    evil = plan.rendering.content(event(**data, tracking_url="javascript:x"), "en").html
    assert "href" not in evil
    german = plan.rendering.content(event(**data), "de-CH")
    assert german.title == "Bestellung <A> ist unterwegs"
    assert 'lang="de-CH"' in german.html
    assert "tracking" not in german.html.lower()
