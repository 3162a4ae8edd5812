"""In which language the page speaks."""

import pytest
from aiohttp.test_utils import make_mocked_request

from schemas.vocabulary import Channel, Frequency
from web.http.languages import language_of
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


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, ""),
        ("", ""),
        ("de", "de"),
        ("de-AT;q=0.9", "de-AT"),
        (" fr ; q=1, de;q=0.8, en", "fr"),
        ("fr,de,en;q=0.5", "fr"),
    ],
)
def test_the_first_language_of_a_browser_counts(header: str | None, language: str) -> None:
    headers = {} if header is None else {"Accept-Language": header}
    assert language_of(make_mocked_request("GET", "/", headers=headers)) == language
