"""Sources of a catalogue, and what they make of records, for tests."""

from typing import Any

from policy.catalogue.catalogue import parse
from policy.source.record import Outcome, SourceRecord
from policy.source.source import Source
from tests.policy.samples import TYPE

AT = 1_773_480_389_589
"""The time of a record, 2026-03-14T09:26:29.589Z."""
ORDERS = """
[sources.orders]
topics = ["shop.public.orders"]
format = "debezium+json"
into = "events"
when = "before.status != 'shipped' and after.status == 'shipped'"
[sources.orders.set]
type = "thing.happened"
actor = "{{ after.shop_id }}"
occurred_at = "{{ source.ts_ms | epoch_ms }}"
tenant = "{{ headers['x-tenant'] or 'default' }}"
data = { customer_id = "{{ after.customer_id }}", order_id = "{{ after.id }}" }
"""


def source_of(text: str, **files: str) -> Source:
    """The only source of this text, beside a type."""
    named = {name.replace("_json", ".json"): each for name, each in files.items()}
    (source,) = parse({"a.toml": TYPE, "b.toml": text} | named).sources.values()
    return source


def plain(settings: str = "", into: str = "events", **made: str) -> Source:
    """A source of JSON with these settings and fields, each as TOML."""
    if into == "events":
        made = {"type": '"thing.happened"', "actor": '"{{ who }}"'} | made
    lines = "\n".join(f"{name} = {value}" for name, value in made.items())
    text = (
        f'[sources.it]\ntopics = "theirs"\ninto = "{into}"\n{settings}\n[sources.it.set]\n{lines}'
    )
    return source_of(text)


def record(value: bytes | None, **more: Any) -> SourceRecord:
    """A record of a topic of theirs."""
    return SourceRecord(**{"value": value, "timestamp": AT, "topic": "theirs"} | more)


async def said(source: Source, value: bytes | None, **more: Any) -> Outcome:
    """What comes of a record with this value."""
    return await source.outcome(record(value, **more))
