"""In which language a page speaks."""

from collections.abc import Mapping
from typing import TypeVar

from aiohttp import web

from policy.rendering.locales import chain

ENGLISH = "en"
Words = TypeVar("Words")


def spoken(words: Mapping[str, Words], *locales: str) -> tuple[str, Words]:
    """The language and its words: of the first of these locales whose language the page speaks."""
    for locale in locales:
        for name in chain(locale) if locale else ():
            if name in words:
                return name, words[name]
    return ENGLISH, words[ENGLISH]


def language_of(request: web.Request) -> str:
    """The first language that a browser asks for; empty where it asks for none."""
    first = request.headers.get("Accept-Language", "").partition(",")[0]
    return first.partition(";")[0].strip()
