"""Images and buttons: what they say and where they lead, and what is left out."""

from typing import Any

import pytest

from policy.catalogue.catalogue import parse
from policy.catalogue.text_entry import ActionEntry, Translation, WhatsAppEntry
from policy.message import MOST_LABEL
from policy.rendering.channels.buttons import FIRST, beside_of
from policy.rendering.channels.push import ENVELOPE, PAYLOAD, payload_bytes
from policy.rendering.joint_digest import together
from policy.rendering.rendering import BadTemplate
from schemas.delivery import Action, Content
from schemas.errors import BadCatalogue, BadRecord
from tests.policy.samples import TYPE
from tests.policy.templates import event, rendering

GO = ActionEntry(label="Open {{ data.name }}", url="https://x.example/{{ data.id }}")
URL = "{{ data.url }}"
PHOTO = "https://x.example/p.png"


def said(data: dict[str, Any], locale: str = "en", **fields: Any) -> Content:
    return rendering("chat", body="b", **fields).content(event(**data), locale)


def test_a_message_has_an_image_and_buttons_of_its_event() -> None:
    found = said(
        {"photo": PHOTO, "name": "Ada\n", "id": 7}, image="{{ data.photo|link }}", actions=(GO,)
    )
    assert found.image == PHOTO
    assert found.actions == (Action(label="Open Ada", url="https://x.example/7"),)
    assert said({}) == Content(body="b")


@pytest.mark.parametrize(
    ("url", "is_image", "is_page"),
    [
        (PHOTO, True, True),
        ("http://x.example/", False, True),
        ("mailto:a@x.example", False, False),
        ("javascript:alert(1)", False, False),
        ("data:image/png;base64,x", False, False),
        ("https://", False, False),
        ("https://x.example/ y", False, False),
        ("https://x.example/" + "y" * 2048, False, False),
        ("", False, False),
    ],
)
def test_what_is_no_address_is_left_out_and_the_message_goes(
    url: str, is_image: bool, is_page: bool
) -> None:
    found = said({"url": url}, image=URL, actions=(ActionEntry(label="x", url=URL),))
    assert (bool(found.image), bool(found.actions)) == (is_image, is_page)
    assert found.body == "b"


def test_a_label_is_one_short_line() -> None:
    entry = ActionEntry(label="{{ data.x }}", url=PHOTO)
    (action,) = said({"x": "y" * 100}, actions=(entry,)).actions
    assert (len(action.label), action.label[-1]) == (MOST_LABEL, "…")
    assert said({"x": "\n\u202e "}, actions=(entry,)).actions == ()
    with pytest.raises(BadRecord, match="'x' is missing"):
        said({}, actions=(entry,))


def test_a_digest_has_those_of_its_newest_event() -> None:
    made = rendering("chat", body="b", actions=(GO,))
    old, new = event(name="old", id=1), event(name="new", id=2)
    expected = (Action(label="Open new", url="https://x.example/2"),)
    found = made.digest([old, new], "en")
    assert (found.actions, found.body) == (expected, "b\nb")
    other = rendering("chat", body="other", title="T")
    joined = together([(made, [old, new]), (other, [event()])], "en")
    assert (joined.actions, joined.body) == (expected, "b\nb\nT\nother")


def test_buttons_are_translated() -> None:
    german = Translation(body="x", actions=(ActionEntry(label="Öffnen", url=GO.url),))
    made = rendering("chat", body="b", actions=(GO,), locales={"de": german})
    assert made.content(event(id=1), "de-AT").actions[0].label == "Öffnen"
    with pytest.raises(BadTemplate, match=r"locales\.de\.actions is missing, so that"):
        rendering("chat", body="b", actions=(GO,), locales={"de": Translation(body="x")})
    with pytest.raises(BadTemplate, match=r"locales\.de\.actions are not as many"):
        rendering("chat", body="b", actions=(GO, GO), locales={"de": german})


CHAT = TYPE.replace('"inapp"]', '"inapp", "chat"]') + 'chat = { body = "b", %s }\n'


@pytest.mark.parametrize(
    ("fields", "line", "told"),
    [
        ('image = "{{ data.x"', 16, "templates.chat.image: unexpected end"),
        (
            'image = "{{ unsubscribe_url }}"',
            16,
            "templates.chat.image: 'unsubscribe_url' is not one",
        ),
        (
            'actions = [{ label = "y", url = "z" },\n{ label = "{{ x }}", url = "z" }]',
            17,
            "templates.chat.actions[1].label: 'x' is not one of",
        ),
        ('actions = [{ label = "x" }]', 16, "templates.chat.actions[0]: Object missing"),
        (
            "actions = [" + '{ label = "x", url = "https://x.example/" },' * 4 + "]",
            16,
            "templates.chat.actions: Expected `array` of length <= 3",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(fields: str, line: int, told: str) -> None:
    with pytest.raises(BadCatalogue) as caught:
        parse({"thing.toml": CHAT % fields})
    assert f"thing.toml:{line}: types.thing.{told}" in str(caught.value)


@pytest.mark.parametrize("channel", ["sms", "email", "webhook"])
def test_channels_that_show_none_have_none(channel: str) -> None:
    fields: dict[str, Any] = {"title": "t"} if channel == "email" else {}
    with pytest.raises(BadTemplate, match=f"image has no effect on {channel}"):
        rendering(channel, body="b", image=PHOTO, **fields)
    with pytest.raises(BadTemplate, match=f"actions has no effect on {channel}"):
        rendering(channel, body="b", actions=(GO,), **fields)


def test_a_push_leaves_out_what_would_take_the_texts_place() -> None:
    """APNs and FCM take 4 KB, and three addresses alone may have six."""
    three = tuple(ActionEntry(label=f"{n}" * 40, url="{{ data.url }}") for n in range(3))
    made = rendering("push", title="T", body="{{ data.text }}", image=URL, actions=three)
    kept = {}
    for length in (20, 400, 700, 1200, 2000):
        url = "https://x.example/" + "y" * length
        found = made.content(event(url=url, text="é" * 500), "en")
        beside = beside_of(found.data, found.image, found.actions)
        assert payload_bytes("T", found.body, beside) <= PAYLOAD - ENVELOPE
        assert len(found.body) >= FIRST
        kept[length] = (bool(found.image), len(found.actions))
    assert kept == {20: (True, 3), 400: (True, 3), 700: (True, 2), 1200: (True, 0), 2000: (True, 0)}


def test_data_and_what_travels_by_itself_have_names_of_their_own() -> None:
    with pytest.raises(BadTemplate, match="data has image, which travels there by itself"):
        rendering("push", body="b", image=PHOTO, data=("image",))
    rendering("push", body="b", actions=(GO,), data=("image",))


def test_what_whatsapp_approved_goes_beside_an_image() -> None:
    told = WhatsAppEntry(template="shipped", variables=("{{ data.id }}",))
    found = said({"id": 7}, image=PHOTO, whatsapp=told)
    assert found.image == PHOTO
    assert found.approved is not None
    assert found.approved.variables == ("7",)
