"""Locales as CLDR knows them, and which falls back to which."""

import re
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global

_NAME = re.compile(r"[A-Za-z]{2,3}(?:_[A-Za-z0-9]{2,8}){0,5}")
_FALLBACK = "en"
_NORWEGIAN, _BOKMAL = "no", "nb"


def is_locale(name: str) -> bool:
    """Whether CLDR knows this locale, with all that its name says."""
    return _parsed(name.replace("-", "_")) is not None


@lru_cache(maxsize=4096)
def chain(name: str) -> tuple[str, ...]:
    """The locales whose texts will do, best first: `pt-BR` gives `pt_BR` and `pt`.

    By CLDR's parents, so `es-MX` gives `es_419` too. Norwegian is mostly written as Bokmål, so `no`
    and `nn` give `nb`. What is unknown at the end of a name is passed over; of a name that is no
    locale at all, there are none.
    """
    wanted = _nearest(name)
    found = [] if wanted is None else [str(wanted)]
    while found:
        parent = get_global("parent_exceptions").get(found[-1]) or found[-1].rpartition("_")[0]
        if not parent or parent == "root":
            break
        found.append(str(parent))
    if found and found[-1] == _NORWEGIAN and _BOKMAL not in found:
        found.append(_BOKMAL)
    return tuple(found)


@lru_cache(maxsize=4096)
def locale_of(name: str) -> Locale:
    """How this locale writes dates and numbers; as in English where it is unknown."""
    return _nearest(name) or Locale.parse(_FALLBACK)


def _nearest(name: str) -> Locale | None:
    # Some platforms say `de_DE.UTF-8` or `de_DE@euro`.
    left = re.split("[.@]", name)[0].replace("-", "_")
    while left:
        found = _parsed(left)
        if found is not None:
            return found
        left = left.rpartition("_")[0]
    return None


def _parsed(name: str) -> Locale | None:
    if not _NAME.fullmatch(name):
        return None
    try:
        return Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        return None
