"""What fills a template that WhatsApp approved."""

import msgspec
import pytest

from policy.catalogue.text_entry import Templates, WhatsAppEntry
from policy.rendering.channels.approved import MOST_VARIABLE
from policy.rendering.rendering import Rendering, compile_rendering
from schemas.delivery import Approved
from schemas.errors import BadRecord
from schemas.vocabulary import Channel, Reason
from tests.policy.templates import event

SHIPPED = {"template": "HX1", "variables": ["{{ data.name }}", "{{ data.n | number }}"]}
GERMAN = {"template": "HX2", "language": "de", "variables": ["{{ data.n | number }}"]}
TABLE = {
    "body": "x",
    "whatsapp": SHIPPED,
    "digest": {"body": "{{ count }}"},
    "locales": {"de": {"body": "y", "whatsapp": GERMAN, "digest": {"body": "{{ count }}"}}},
}


def chat(table: object = TABLE) -> Rendering:
    return compile_rendering("thing.chat", Channel.CHAT, msgspec.convert(table, Templates), {})


@pytest.mark.parametrize(
    ("locale", "approved"),
    [
        ("en", Approved(template="HX1", variables=("Ann", "1,234"))),
        ("fr", Approved(template="HX1", variables=("Ann", "1\u202f234"))),
        ("de", Approved(template="HX2", language="de", variables=("1.234",))),
    ],
)
def test_the_template_of_the_users_language(locale: str, approved: Approved) -> None:
    assert chat().content(event(name="Ann", n=1234), locale).approved == approved


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("Ann", "Ann"),
        ("", "-"),
        (" \n ", "-"),
        ("two\nlines", "two lines"),
        ("a\tb     c", "a b c"),
        ("\u202eturned", "turned"),
        ("x" * MOST_VARIABLE, "x" * MOST_VARIABLE),
        ("x" * (MOST_VARIABLE + 1), "x" * (MOST_VARIABLE - 1) + "…"),
    ],
)
def test_a_variable_is_a_line_that_says_something(name: str, variable: str) -> None:
    """WhatsApp refuses a message for any other, and with it all that it says."""
    approved = chat().content(event(name=name, n=1), "en").approved
    assert approved is not None
    assert approved.variables[0] == variable


def test_a_variable_that_is_missing_is_named() -> None:
    with pytest.raises(BadRecord) as caught:
        chat().content(event(n=1), "en")
    assert caught.value.reason is Reason.RENDER_FAILED
    assert caught.value.detail == "thing.chat: the variable 'name' is missing"


def test_a_digest_has_a_template_only_if_there_is_one_for_digests() -> None:
    events = [event(name="Ann", n=1), event(name="Bob", n=2)]
    assert chat().digest(events, "en").approved is None
    own = {"whatsapp": {"template": "HX3", "variables": ["{{ count }}"]}}
    said = chat(TABLE | {"digest": own, "locales": {}}).digest(events, "en").approved
    assert said == Approved(template="HX3", variables=("2",))


def test_other_texts_have_no_template() -> None:
    assert chat({"body": "x"}).content(event(), "en").approved is None


def test_data_are_made_up_for_variables_too() -> None:
    assert set(SHIPPED["variables"]) <= set(chat().sources)


@pytest.mark.parametrize("name", ["", "two words", "x" * 513])
def test_a_template_has_a_name_as_providers_write_them(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"template": name}, WhatsAppEntry)
