"""In which language the page speaks."""

import pytest

from schemas.vocabulary import Channel, Frequency
from web.preferences.words import words_of


@pytest.mark.parametrize(
    ("locales", "language"),
    [
        (["de"], "de"),
        (["de-AT"], "de"),
        (["en-GB", "de"], "en"),
        (["fr", "de-CH"], "de"),
        (["", "de"], "de"),
        (["fr"], "en"),
        ([""], "en"),
        ([], "en"),
    ],
)
def test_it_is_that_of_the_first_locale_that_it_speaks(locales: list[str], language: str) -> None:
    title = {"en": "Your notifications", "de": "Deine Benachrichtigungen"}[language]
    found, words = words_of(*locales)
    assert (found, words["title"]) == (language, title)


def test_every_language_has_every_word() -> None:
    english, german = words_of("en")[1], words_of("de")[1]
    assert english.keys() == german.keys()
    assert {*Channel, *Frequency} <= english.keys()
    assert all(german.values())
