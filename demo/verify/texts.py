"""What a notification says, rendered by stock Jinja2 and CLDR from the catalogue's templates."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency
from jinja2 import Environment, StrictUndefined, Template

from demo.verify.notification import Notification
from demo.verify.outcome import Text


def text_of(notification: Notification, channel: str, locale: str) -> Text:
    """What the person should read on a channel.

    A text in the person's locale (`pt-BR`, then `pt`) takes the place of the type's own. Dates
    and amounts are by the person's locale; beside a text in another language, by that one's.
    """
    table = notification.spec.templates[channel]
    translation = _translation(table, locale)
    language = table.get("language")
    if translation is None and language and language != locale.partition("-")[0]:
        locale = language
    data = notification.claim.data
    fields = SimpleNamespace(**data)

    def rendered(name: str) -> str:
        source = (translation or {}).get(name, table.get(name, ""))
        return _template(locale, source).render(data=fields)

    return Text(
        title=rendered("title"),
        body=rendered("body"),
        data={name: data[name] for name in table.get("data", ())},
    )


def _translation(table: Mapping[str, Any], locale: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Mapping[str, Any]] = table.get("locales", {})
    return found.get(locale) or found.get(locale.partition("-")[0])


@lru_cache(maxsize=10_000)
def _template(locale: str, source: str) -> Template:
    return _environment(locale).from_string(source)


@lru_cache
def _environment(locale: str) -> Environment:
    # Text and no HTML, so nothing is escaped.
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701
    environment.policies["truncate.leeway"] = 0
    cldr = locale.replace("-", "_")
    environment.filters["date"] = partial(_date, cldr)
    environment.filters["currency"] = partial(_currency, cldr)
    return environment


def _date(locale: str, value: str, style: Any = "medium") -> str:
    return format_date(date.fromisoformat(value), style, locale=locale)


def _currency(locale: str, value: Any, code: str) -> str:
    return format_currency(Decimal(str(value)), code, locale=locale)
