"""Texts that an audience reads alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.catalogue.text_entry import Translation
from policy.rendering.common_texts import CommonTexts
from policy.rendering.rendering import Rendering
from schemas.errors import BadRecord
from schemas.event import Event
from tests.policy.templates import event, rendering

Asked = tuple[Event, Rendering, str]
LOCALES = {"de": Translation(body="{{ data.n | number }} neue")}
RENDERINGS = [
    rendering(body="{{ data.n | number }} new", locales=LOCALES),
    rendering(body="{{ data.n }}"),
]
EVENTS = [event(n=1000), event(n=1000), event(n=2)]
ASKED = st.tuples(
    st.sampled_from(EVENTS), st.sampled_from(RENDERINGS), st.sampled_from(["en", "de", "de-AT", ""])
)


@given(st.lists(ASKED, max_size=20))
def test_they_are_what_each_rendering_says_by_itself(
    asked: list[Asked],
) -> None:
    texts = CommonTexts()
    for each, found, locale in asked:
        assert texts.content(found, each, locale) == found.content(each, locale)


def test_an_audience_of_a_locale_has_one_text() -> None:
    texts, told, (first, second) = CommonTexts(), event(n=3), RENDERINGS
    german = texts.content(first, told, "de")
    assert texts.content(first, told, "en") is not german
    assert texts.content(second, told, "de") is not german
    assert texts.content(first, told, "de") is german
    assert texts.content(first, event(n=3), "de") is not german


def test_what_can_not_be_rendered_is_told_of_each_reader() -> None:
    texts, told = CommonTexts(), event()
    for _ in range(2):
        with pytest.raises(BadRecord, match="n"):
            texts.content(RENDERINGS[0], told, "en")
