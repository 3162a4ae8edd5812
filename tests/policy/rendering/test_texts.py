"""Templates that contradict each other, or their channel."""

from typing import Any

import msgspec
import pytest

from policy.catalogue.text_entry import Templates
from policy.rendering.rendering import BadTemplate, compile_rendering
from schemas.vocabulary import Channel

MAIL = {"title": "Hi", "body": "x"}
HX = {"template": f"HX{7:032x}"}


def refusal(channel: str, table: dict[str, Any]) -> BadTemplate:
    with pytest.raises(BadTemplate) as caught:
        compile_rendering("thing.x", Channel(channel), msgspec.convert(table, Templates), {})
    return caught.value


@pytest.mark.parametrize(
    ("channel", "table", "field", "complaint"),
    [
        ("email", {"body": "x"}, "title", "is missing, and an e-mail needs a subject"),
        ("sms", {"body": "x", "title": "x"}, "", "has more than a body"),
        ("sms", {"body": "x", "data": ["x"]}, "", "has more than a body"),
        ("sms", {"body": "x", "digest": {"title": "x"}}, "digest.title", "is not for SMS"),
        ("inapp", {"body": "x", "html": ""}, "html", "is for e-mail only"),
        ("push", {"body": "x", "mjml": "x"}, "mjml", "is for e-mail only"),
        ("push", {"body": "x", "segments": 4}, "segments", "is for SMS only"),
        ("push", {"body": "x", "digest": {"html": "x"}}, "digest.html", "is for e-mail only"),
        ("email", MAIL | {"html": "x", "mjml": "x"}, "html", "and mjml are both there"),
        ("email", MAIL | {"layout": "x"}, "layout", "needs html or mjml"),
        ("push", {"body": "x", "data": ["id", "from"]}, "data", "has from, a name that FCM keeps"),
        ("push", {"body": "x", "data": ["message_type"]}, "data", "has message_type, a name"),
        ("push", {"body": "x", "data": ["google.c.id"]}, "data", "has google.c.id, a name"),
        ("push", {"body": "x", "data": ["gcm_sender"]}, "data", "has gcm_sender, a name"),
        ("push", {"body": "x", "layout": "x"}, "layout", "needs html or mjml"),
        ("push", {"body": "x", "language": "xx"}, "language", "'xx' is not a locale"),
        ("push", {"body": "x", "locales": {"xx": {}}}, "locales.xx", "is not a locale"),
        (
            "push",
            {"body": "x", "locales": {"pt-BR": {}, "pt_br": {}}},
            "locales.pt_br",
            "is the same locale as pt-BR",
        ),
        (
            "push",
            {"body": "x", "locales": {"de": {"title": "x"}}},
            "locales.de.title",
            "translates a title that is not there",
        ),
        (
            "email",
            MAIL | {"mjml": "<mjml/>", "locales": {"de": {"html": "x"}}},
            "locales.de.html",
            "translates a html that is not there",
        ),
        (
            "email",
            MAIL | {"locales": {"de": {"digest": {"html": "x"}}}},
            "locales.de.digest.html",
            "translates a html that is not there",
        ),
        ("push", {"body": "x", "whatsapp": HX}, "whatsapp", "is for chats only"),
        ("sms", {"body": "x", "digest": {"whatsapp": HX}}, "digest.whatsapp", "is for chats only"),
        (
            "chat",
            {"body": "x", "locales": {"de": {"body": "y", "whatsapp": HX}}},
            "locales.de.whatsapp",
            "translates a whatsapp that is not there",
        ),
        (
            "chat",
            {"body": "x", "whatsapp": HX, "locales": {"de": {"body": "y"}}},
            "locales.de.whatsapp",
            "is missing, so that a message would be in two languages",
        ),
        (
            "chat",
            {"body": "x", "whatsapp": {"template": "a", "variables": ["{{ y }}"]}},
            "whatsapp.variables",
            "'y' is not one of",
        ),
        (
            "chat",
            {
                "body": "x",
                "whatsapp": HX,
                "digest": {"whatsapp": {"template": "a", "variables": ["{{"]}},
            },
            "digest.whatsapp.variables",
            "on its line 1",
        ),
        ("push", {"body": "{{ x }}"}, "body", "'x' is not one of"),
        ("push", {"body": "x", "title": "{{"}, "title", "on its line 1"),
        (
            "push",
            {"body": "x", "digest": {"body": "{{ x }}"}},
            "digest.body",
            "count, data, events",
        ),
        ("push", {"body": "x", "locales": {"de": {"body": "{{"}}}, "locales.de.body", "line 1"),
        (
            "push",
            {"body": "", "locales": {"de": {"digest": {"body": "{{ x }}"}}}},
            "locales.de.digest.body",
            "'x' is not one of",
        ),
        ("email", MAIL | {"html": "<a href={{ data.x }}>"}, "html", "needs quotes"),
    ],
)
def test_contradictions(channel: str, table: dict[str, Any], field: str, complaint: str) -> None:
    found = refusal(channel, table)
    assert found.field == field
    assert complaint in found.complaint
    assert not found.complaint.endswith(".")


COMMENTS = {
    "body": "{{ data.n | plural(one='# comment', other='# comments') }}",
    "title": "{{ data.n }}",
    "html": "<p class='note'>&nbsp;{{ data.n }}</p>",
    "digest": {"body": "{{ count }} comments", "html": "<b>{{ count }} comments</b>"},
}
GERMAN = {"body": "{{ data.n }} Kommentare", "digest": {"body": "{{ count }} Kommentare"}}


def compiled(table: dict[str, Any], **locales: dict[str, Any]) -> None:
    templates = msgspec.convert(table | {"locales": locales}, Templates)
    compile_rendering("thing.x", Channel.EMAIL, templates, {})


@pytest.mark.parametrize(
    ("locale", "translation", "field"),
    [
        ("ru", {}, "locales.ru.body"),
        ("de", GERMAN, "locales.de.digest.html"),
        ("de", {"body": "{{ data.n }} Kommentare"}, "locales.de.digest.body"),
        ("de-AT", {"digest": GERMAN["digest"]}, "locales.de-AT.body"),
    ],
)
def test_no_message_is_in_two_languages(
    locale: str, translation: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadTemplate, match="is missing, so that a message would be in two") as found:
        compiled(COMMENTS, **{locale: translation})
    assert found.value.field == field


def test_what_says_nothing_in_words_needs_no_translation() -> None:
    whole = GERMAN | {"digest": {"body": "…", "html": "<b>{{ count }} Kommentare</b>"}}
    # Of the texts without words, the base's do; a region has those of its language.
    compiled(COMMENTS, de=whole)
    compiled(COMMENTS, de=whole, **{"de-AT": {"title": "Neu: {{ data.n }}"}})


def test_a_region_of_the_base_texts_language_says_what_it_has_of_its_own() -> None:
    """Which is English where it is not said."""
    compiled(COMMENTS, **{"en-GB": {"title": "Colours"}})
    danish = COMMENTS | {"language": "da"}
    compiled(danish, da={"title": "Kommentarer"})
    with pytest.raises(BadTemplate, match="is missing, so that a message would be in two"):
        compiled(danish, **{"en-GB": {"title": "Colours"}})
    norwegian = COMMENTS | {"language": "no"}
    compiled(norwegian, nb={"title": "Kommentarer"})
