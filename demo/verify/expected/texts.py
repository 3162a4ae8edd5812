"""What a notification says, rendered by stock Jinja2 and CLDR from the catalogue's templates."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from types import SimpleNamespace
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency
from jinja2 import Environment, StrictUndefined, Template

from demo.verify.expected.notification import Notification
from demo.verify.expected.outcome import Text

MOST_BODIES = 50
"""Events that a digest without a body of its own tells of in full."""
PLAIN_SPACES = str.maketrans(dict.fromkeys("\u00a0\u2009\u202f", " "))
"""In an SMS, where a space that GSM-7 doesn't have would halve what fits."""


def text_of(notification: Notification, channel: str, locale: str) -> Text:
    """What the person should read on a channel.

    A text in the person's locale (`pt-BR`, then `pt`) takes the place of the type's own. Dates
    and amounts are by the person's locale; beside a text in another language, by that one's.
    """
    return _filled(notification, channel, locale, {}, {})


def digest_text_of(notifications: Sequence[Notification], channel: str, locale: str) -> Text:
    """What a digest should say; the newest notification is the last.

    Those of one type and key are told as one; of several, the newest comes first and gives the
    title, and before each other one its own title stands.
    """
    parts: dict[tuple[str, str], list[Notification]] = {}
    for each in reversed(notifications):
        rule = each.spec.digests.get(channel)
        key = str(each.claim.data.get(rule.key, "")) if rule else ""
        parts.setdefault((each.spec.name, key), []).insert(0, each)
    text, *others = (_part_of(part, channel, locale) for part in parts.values())
    bodies = [f"{other.title}\n{other.body}" if other.title else other.body for other in others]
    between = "\n\n" if channel == "email" else "\n"
    return replace(text, body=between.join([text.body, *bodies]))


def _part_of(notifications: Sequence[Notification], channel: str, locale: str) -> Text:
    """What a digest of one type and key should say, which has texts of its own.

    Templates have `count`, how many events there are, all `events`, and the data of the newest.
    Without a body of its own it has those of its newest events, and says how many others there are.
    """
    newest = notifications[-1]
    own = newest.spec.templates[channel].get("digest", {})
    events = [SimpleNamespace(data=SimpleNamespace(**it.claim.data)) for it in notifications]
    more = {"count": len(notifications), "events": events, "more": 0}
    text = _filled(newest, channel, locale, own, more)
    if "body" in own:
        return text
    bodies = [text_of(each, channel, locale).body.strip() for each in notifications[-MOST_BODIES:]]
    between = "\n\n" if channel == "email" else "\n"
    rest = len(notifications) - len(bodies)
    return replace(text, body=between.join(bodies) + (f"\n+{rest}" if rest else ""))


def _filled(
    notification: Notification,
    channel: str,
    locale: str,
    own: Mapping[str, str],
    more: Mapping[str, Any],
) -> Text:
    table = notification.spec.templates[channel]
    translation = _translation(table, locale)
    language = table.get("language")
    if translation is None and language and language != locale.partition("-")[0]:
        locale = language
    data = notification.claim.data
    fields = SimpleNamespace(**data)
    sources = {**table, **own, **(translation or {})}
    if own and translation and "digest" in translation:
        sources |= translation["digest"]

    def rendered(name: str) -> str:
        # Nobody in the demo has said more of themselves than where to reach them.
        user = SimpleNamespace(id=notification.user)
        return _template(locale, sources.get(name, "")).render(data=fields, user=user, **more)

    body = rendered("body")
    return Text(
        title=rendered("title"),
        body=body.translate(PLAIN_SPACES) if channel == "sms" else body,
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
    environment.filters["plural"] = partial(_plural, cldr)
    return environment


def _date(locale: str, value: str, style: Any = "medium") -> str:
    return format_date(date.fromisoformat(value), style, locale=locale)


def _plural(locale: str, value: int, **forms: str) -> str:
    return forms.get(Locale.parse(locale).plural_form(value), forms["other"])


def _currency(locale: str, value: Any, code: str) -> str:
    return format_currency(Decimal(str(value)), code, locale=locale)
