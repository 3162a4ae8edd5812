"""Messages whose texts the caller gives: what may stand in them, and that it stays text."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from policy.catalogue.catalogue import Catalogue, parse
from policy.condition import compile_condition
from policy.message import MESSAGE, BadMessage, is_message, message_of
from policy.rendering.channels.push import PAYLOAD, payload_bytes
from policy.rendering.channels.sms import segments_of
from schemas.delivery import Action
from schemas.errors import BadCatalogue, BadRecord
from schemas.event import Event, Notify
from schemas.vocabulary import Channel, Priority, Reason
from tests.policy.samples import TYPE

CATALOGUE = parse({"thing.toml": TYPE})
HELLO = {"title": "Hi", "body": "Hello", "channels": ["push"]}


def event(data: dict[str, Any], **fields: Any) -> Event:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return Event(id="m1", type=MESSAGE, actor="shop", occurred_at=at, data=data, **fields)


def said(catalogue: Catalogue, channel: Channel, **data: Any) -> Any:
    """What a message says on a channel."""
    found = event({**HELLO, "channels": [channel], **data})
    (spec,) = catalogue.for_event(found)
    plan = spec.plan_of(channel)
    assert plan is not None
    return plan.rendering.content(found, "en")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"body": "x"}, "data: Object missing required field `channels`"),
        ({"channels": ["push"]}, "data: Object missing required field `body`"),
        ({**HELLO, "body": ""}, "data.body: Expected `str` of length >= 1"),
        ({**HELLO, "body": "x" * 20_001}, "data.body: Expected `str` of length <= 20000"),
        ({**HELLO, "title": "x" * 251}, "data.title: Expected `str` of length <= 250"),
        ({**HELLO, "channels": []}, "data.channels: Expected `array` of length >= 1"),
        ({**HELLO, "channels": ["fax"]}, "data.channels[0]: Invalid enum value 'fax'"),
        ({**HELLO, "channels": ["push"] * 2}, "data.channels: names a channel more than once"),
        ({**HELLO, "priority": "bulk"}, "data.priority: Invalid enum value 'bulk'"),
        ({**HELLO, "html": "<b>"}, "data: Object contains unknown field `html`"),
        (
            {"body": "x", "channels": ["push", "email"]},
            "data.title: is missing, and an e-mail needs a subject",
        ),
        (
            {**HELLO, "category": "thimgs"},
            "data.category: 'thimgs' is no category: there are messages, things",
        ),
    ],
)
def test_what_is_no_message_is_told_by_its_field(data: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadRecord) as caught:
        CATALOGUE.for_event(event(data))
    assert (caught.value.reason, caught.value.detail) == (Reason.INVALID, complaint)
    assert not CATALOGUE.knows(event(data))


def test_a_message_is_of_its_category_and_priority() -> None:
    (spec,) = CATALOGUE.for_event(event({**HELLO, "priority": "high", "category": "things"}))
    assert (spec.name, spec.category, spec.priority) == (MESSAGE, "things", Priority.HIGH)
    assert not spec.transactional
    (other,) = CATALOGUE.for_event(event(HELLO))
    assert (other.category, other.priority) == ("messages", Priority.NORMAL)
    by_name = event(HELLO, notify=Notify(type=MESSAGE, users=("ann",)))
    assert is_message(by_name)
    assert message_of(by_name).channels == (Channel.PUSH,)
    assert not is_message(event(HELLO, notify=Notify(type="thing", users=("ann",))))


class Read(HTMLParser):
    """What a browser would show of HTML, and which tags it has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</div><style>*{display:none}</style>",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{% include '/etc/passwd' %}{# not here #}",
        "a & b < c\nand a second line",
    ],
)
def test_texts_are_data_and_markup_in_them_is_escaped(text: str) -> None:
    for channel in Channel:
        assert said(CATALOGUE, channel, body=text).body == text
    mail = said(CATALOGUE, Channel.EMAIL, body=text, title="{{ data.body }}")
    assert mail.title == "{{ data.body }}"
    read = Read(mail.html)
    assert (read.tags, read.text) == (["div"], text)


def test_images_and_buttons_are_shown_where_they_can_be() -> None:
    actions = [{"label": f"{{{{ {n} }}}}", "url": f"https://x.example/{n}"} for n in range(3)]
    image = "https://x.example/p.png"
    for channel in Channel:
        found = said(CATALOGUE, channel, image=image, actions=actions)
        shows = channel in (Channel.PUSH, Channel.INAPP, Channel.CHAT)
        assert found.image == (image if shows else "")
        expected = tuple(Action(**each) for each in actions) if shows else ()
        assert found.actions == expected
    (one,) = said(CATALOGUE, Channel.CHAT, actions=actions[:1]).actions
    assert one == Action(label="{{ 0 }}", url="https://x.example/0")
    assert said(CATALOGUE, Channel.CHAT).actions == ()


def test_a_message_is_cut_to_what_its_channel_holds() -> None:
    long = "“Ünïcödé” " * 2_000
    push = said(CATALOGUE, Channel.PUSH, body=long)
    assert payload_bytes(push.title, push.body, push.data) <= PAYLOAD
    assert push.body.endswith("…")
    assert segments_of(said(CATALOGUE, Channel.SMS, body=long).body).count <= 4
    assert len(said(CATALOGUE, Channel.CHAT, body=long).body) <= 2000
    assert said(CATALOGUE, Channel.EMAIL, body='"' * 20_000).html.count("&#34;") == 20_000
    assert (
        said(CATALOGUE, Channel.EMAIL, title="a\r\nBcc: b@x.example").title == "a Bcc: b@x.example"
    )


def test_no_file_can_say_what_the_built_in_event_sets_off() -> None:
    with pytest.raises(BadCatalogue) as caught:
        parse({"thing.toml": TYPE.replace('"thing.happened"', f'"{MESSAGE}"')})
    told = "event: is built in: it sets off messages with texts of their own"
    assert [problem.split(" ", 1)[1] for problem in str(caught.value).splitlines()][
        -1
    ] == f"{told}."


def test_a_category_of_messages_alone_may_have_a_limit() -> None:
    limit = "[categories.messages]\nrate_limit = { count = 1, seconds = 60 }"
    found = parse({"thing.toml": f"{TYPE}\n{limit}"})
    (spec,) = found.for_event(event(HELLO))
    plan = spec.plan_of(Channel.PUSH)
    assert plan is not None
    assert [limited.window for limited in plan.limits] == ["push", "category.messages"]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"body": " \u0000"}, "body"),
        ({"body": "b", "title": "\u0007", "channels": ["email"]}, "title"),
        ({"body": "b", "image": "https://"}, "image"),
        ({"body": "b", "image": "https://e.com/a b.png"}, "image"),
        ({"body": "b", "actions": [{"label": "x", "url": "https://e.com/my order"}]},
         "actions[0].url"),
        ({"body": "b", "actions": [{"label": " ", "url": "https://e.com"}]}, "actions[0].label"),
    ],
)  # fmt: skip
def test_what_could_not_be_shown_is_refused_and_not_left_out(
    data: dict[str, Any], field: str
) -> None:
    event = Event(
        id="1", type=MESSAGE, actor="a", occurred_at=datetime(2026, 11, 30, tzinfo=UTC),
        data={"channels": ["push"], **data},
    )  # fmt: skip
    with pytest.raises(BadMessage) as refused:
        message_of(event)
    assert refused.value.field == field


@pytest.mark.parametrize("source", ["(" * 100 + "user.age" + ")" * 100, "not " * 200 + "user.age"])
def test_an_expression_that_is_nested_too_deep_is_said_to_be(source: str) -> None:
    with pytest.raises(ValueError, match="nested too deep"):
        compile_condition(source, frozenset({"user"}), leaves_out=True)
