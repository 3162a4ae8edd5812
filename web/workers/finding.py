"""Finds out what became of notifications, by whatever somebody knows of them."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from analytics.clickhouse import ClickHouse
from analytics.timeline import Happening, lately
from pipeline.kafka.topic_reading import read_topic
from pipeline.records.dead_letter_reading import find
from pipeline.settings import Settings
from policy.time.timestamps import moment
from schemas.circuit import CircuitState, ReadCircuits
from schemas.encoding import UNDECODABLE
from schemas.errors import Unavailable
from schemas.event import Name
from schemas.profile import Contacts
from schemas.topics import CONTACTS, DAY_MS, SINKS
from schemas.vocabulary import Channel
from web.workers.partition_router import Owners
from web.workers.whereabouts import Whereabouts, unusable, waiting_channels, whereabouts

By = Literal["user", "address", "notification", "event", "provider_id"]
MOST_USERS = 20
"""At one address, of whom is told."""
SEARCH_SECONDS = 15.0
_contacts = msgspec.json.Decoder(Contacts).decode


class WhereaboutsQuery(Struct, frozen=True, kw_only=True):
    """Whose, or which, by what is known of it; of events of the last `days`."""

    by: By
    what: Name
    days: Annotated[int, Meta(ge=1, le=396)] = 7


async def found(
    settings: Settings,
    clickhouse: ClickHouse,
    owners: Owners,
    tenant: str,
    query: WhereaboutsQuery,
    now: int,
) -> list[Whereabouts]:
    """The newest first; why something waits is asked of the sinks themselves. `now` is epoch ms.

    Records that nobody could use are told of where a user or an event is asked about. An address
    is looked for among all contacts that Kafka has. Raises Unavailable.
    """
    by, names = query.by, [query.what]
    if by == "address":
        by, names = "user", await _users_at(settings, tenant, query.what)
    since = moment(now) - timedelta(days=query.days)
    happenings = await lately(clickhouse, tenant, by, names, since) if names else []
    rows = whereabouts(happenings, await _circuits(owners, happenings), now)
    if by in ("user", "event"):
        start = now - DAY_MS * query.days
        letters = [each for each in await find(settings) if each.at >= start]
        for name in names:
            user, event = (name, "") if by == "user" else ("", name)
            rows += unusable(letters, tenant, user, event)
    return sorted(rows, key=lambda row: row.at, reverse=True)


async def _circuits(
    owners: Owners, happenings: Iterable[Happening]
) -> dict[Channel, list[CircuitState]]:
    channels = sorted(waiting_channels(happenings) & {*map(Channel, SINKS)})
    question = ReadCircuits()
    answers = await asyncio.gather(
        *(owners.ask_each(name, question, list[CircuitState]) for name in channels)
    )
    return {
        channel: [each for circuits in answer.values() for each in circuits or ()]
        for channel, answer in zip(channels, answers, strict=True)
    }


async def _users_at(settings: Settings, tenant: str, address: str) -> list[str]:
    """Who has it now; raises Unavailable where that can't be found out in time."""
    wanted = address.strip().casefold()
    holders: dict[str, bool] = {}
    try:
        async with asyncio.timeout(SEARCH_SECONDS):
            async for record in read_topic(settings.brokers, CONTACTS.name):
                try:
                    said = _contacts(record.value or b"")
                except UNDECODABLE:
                    continue
                if said.tenant == tenant:
                    # Of what was said of a user the last counts.
                    holders[said.user] = wanted in _addresses(said)
    except TimeoutError:
        raise Unavailable(
            f"There are too many contacts to look through within {SEARCH_SECONDS:g} s. Ask by the "
            "user instead."
        ) from None
    return [user for user, has_it in holders.items() if has_it][:MOST_USERS]


def _addresses(said: Contacts) -> set[str]:
    plain = (said.email, said.phone, *(each.token for each in said.devices), *said.webhooks)
    others = (*(each.url for each in said.chats), *(each.chat for each in said.bot_chats))
    return {each.strip().casefold() for each in (*plain, *others) if each}
