"""Finds out what became of notifications, by whatever somebody knows of them."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from analytics.clickhouse import ClickHouse
from analytics.timeline import Happening, lately, opt_outs_of
from pipeline.kafka.topic_reading import read_topic
from pipeline.settings import Settings
from policy.time.timestamps import in_utc, moment
from schemas.encoding import UNDECODABLE
from schemas.errors import Unavailable
from schemas.event import Name
from schemas.profile import Contacts
from schemas.question import CircuitState, ReadCircuits
from schemas.topics import CONTACTS, DAY_MS, SINKS
from schemas.vocabulary import Channel, Stage
from web.workers.leaving import left, with_opt_outs
from web.workers.letters import SEARCH_SECONDS, find
from web.workers.partition_router import Owners
from web.workers.whereabouts import (
    Whereabouts,
    unusable,
    waiting_channels,
    whereabouts,
    with_digests,
)

By = Literal["user", "address", "notification", "event", "provider_id"]
MOST_USERS = 20
"""At one address, of whom is told."""
MOST_DIGESTS = 200
"""Of which is told what became of them, beside those that were asked for."""
WAITED = timedelta(days=31)
"""What happens now may be of an event as old as that."""
KEPT = timedelta(days=396)
"""For which delivery events are there: an opt-out holds for longer than what is asked about."""
_contacts = msgspec.json.Decoder(Contacts).decode


class WhereaboutsQuery(Struct, frozen=True, kw_only=True):
    """Whose, or which, by what is known of it; where anything happened to it in the last `days`,
    of events that are up to a month older: some wait for as long, and some come late."""

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
    transactional: Collection[str] = (),
) -> list[Whereabouts]:
    """The newest first; why something waits is asked of the sinks themselves. `now` is epoch ms.

    Records that nobody could use are told of where a user or an event is asked about, and what a
    user left where they are, however long ago. `transactional` has the types that go out all the
    same. An address is looked for among all contacts that Kafka has. Raises Unavailable.
    """
    by, names = query.by, [query.what]
    if by == "address":
        by, names = "user", await _users_at(settings, tenant, query.what)
    since = moment(now) - timedelta(days=query.days)
    happenings: list[Happening] = []
    if names:
        every = await lately(clickhouse, tenant, by, names, since - WAITED)
        happenings = _of_those_since(every, since)
    circuits = await _circuits(owners, happenings)
    rows = whereabouts(happenings, circuits, now)
    rows = await _with_digests(clickhouse, tenant, rows, happenings, since, now)
    users = names if by == "user" else sorted({row.user for row in rows if row.user})
    if users:
        opt_outs = await opt_outs_of(clickhouse, tenant, users, moment(now) - KEPT)
        rows = with_opt_outs(rows, opt_outs, transactional)
        if by == "user":
            rows += left(opt_outs)
    if by in ("user", "event"):
        start = now - DAY_MS * query.days
        letters = [each for each in await find(settings) if each.at >= start]
        for name in names:
            user, event = (name, "") if by == "user" else ("", name)
            rows += unusable(letters, tenant, user, event)
    return sorted(rows, key=lambda row: row.at, reverse=True)


def _of_those_since(happenings: Iterable[Happening], since: datetime) -> list[Happening]:
    """All that happened to notifications to which something happened since then."""
    every = list(happenings)
    recent = {each.notification_id for each in every if in_utc(each.at) >= since}
    return [each for each in every if each.notification_id in recent]


async def _with_digests(
    clickhouse: ClickHouse,
    tenant: str,
    rows: list[Whereabouts],
    happenings: Sequence[Happening],
    since: datetime,
    now: int,
) -> list[Whereabouts]:
    """The rows; what was combined says what became of its digest, asked for or not."""
    named = {
        each.notification_id: each.digest
        for each in happenings
        if each.stage is Stage.DIGESTED and each.digest
    }
    if not named:
        return rows
    known = {row.notification_id: row for row in rows}
    others = sorted(set(named.values()) - known.keys())[:MOST_DIGESTS]
    if others:
        found = await lately(clickhouse, tenant, "notification", others, since - WAITED)
        known |= {row.notification_id: row for row in whereabouts(found, {}, now)}
    return with_digests(rows, known, named)


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
