"""A company's own topics, as they are: read once, in order, whatever happens meanwhile."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import orjson
import pytest
from aiokafka import ConsumerRecord
from prometheus_client import REGISTRY

from agents.intake import source_reading
from agents.intake.placed import accepted_at
from pipeline.admin.source_lag import SourceLag, source_lags
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.processing.partitions import QueryHandler
from pipeline.records.dead_letter_reading import send_again
from pipeline.records.made_record import make_record
from pipeline.records.source_decoders import SourceDecoders
from pipeline.records.source_log import SourceLog
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue
from policy.source.decoding import Decoder, JsonDecoder, RegistryUnavailable
from policy.source.source import Source
from schemas.delivery_event import DeliveryEvent
from schemas.misplaced import Misplaced
from schemas.profile import Contacts
from schemas.request import Request
from schemas.topics import CONTACTS, DELIVERY_EVENTS, EVENTS, PLACED, REQUESTS
from schemas.vocabulary import Channel, Priority, Reason
from tests.agents.company import SHIPPED, Company
from tests.agents.names import unique
from tests.agents.samples import order_shipped, reachable
from tests.agents.stage import Stage
from tests.patience import until, until_told

ORDERS = REQUESTS[Priority.HIGH]
TRACKED = SHIPPED.replace('carrier = "UPS"', 'carrier = "UPS", tracking_number = "JD1"')
"""With all that the type's texts speak of."""
TRACE = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


@pytest.fixture
async def company(stage: Stage) -> AsyncIterator[Company]:
    """A company whose topic has three partitions; Tocsin's have two."""
    made = Company(stage)
    await made.create(3)
    yield made


NEWEST = """
[sources.{name}]
topics = "{topic}"
into = "events"
[sources.{name}.set]
type = "order.shipped"
actor = "{{{{ shop }}}}"
data = {{ customer_id = "{{{{ customer }}}}" }}
"""
"""Reads what comes from now on."""


def order(number: int, **more: Any) -> dict[str, Any]:
    """An order as the company writes it: ids are numbers."""
    status = "shipped" if number % 2 == 0 else "paid"
    return {
        "order": number,
        "shop": number % 5,
        "customer": unique("user"),
        "status": status,
    } | more


def said(each: Misplaced) -> Any:
    """What the source made of the record."""
    return orjson.loads(bytes(each.value))


async def placed(stage: Stage, role: str = "router") -> list[Misplaced]:
    """What was written to a placed topic."""
    return await stage.read(PLACED[role], Misplaced)


async def test_records_of_any_key_become_events_once_and_in_order(
    stage: Stage, company: Company
) -> None:
    orders = [order(number) for number in range(60)]
    keys = [None if number % 3 else f"order-{number}" for number in range(60)]
    async with company.reading(company.catalogue(TRACKED)):
        await company.write(*orders[:30], keys=keys[:30], headers=[TRACE])
        await company.write(*orders[30:], keys=keys[30:], headers=[TRACE])
        await company.caught_up()
    found = await placed(stage)
    assert len({each.partition for each in found}) == 3, "one partition shows little"
    by_place = defaultdict(list)
    for each in found:
        assert (each.topic, each.headers) == (company.topic, (TRACE,))
        by_place[each.partition, said(each)["actor"]].append(each.offset)
    assert all(offsets == sorted(offsets) for offsets in by_place.values())
    await stage.work(stage.router)
    requests = await stage.read(ORDERS, Request)
    shipped = [each["customer"] for each in orders if each["status"] == "shipped"]
    assert sorted(each.user for each in requests) == sorted(shipped)
    assert {each.event.data["order_id"] for each in requests} == set(range(0, 60, 2))
    # The company's record, from the request to whatever is said of its notification.
    where = {f"{company.source}/{company.topic}/{e.partition}/{e.offset}" for e in found}
    assert {each.origin.source for each in requests} == where
    await stage.say(CONTACTS, reachable(requests[0].user))
    await stage.work(stage.decider)
    rows = await stage.read(DELIVERY_EVENTS, DeliveryEvent)
    assert {each.origin for each in rows} == where
    (sent, *_) = await stage.deliveries(Channel.PUSH)
    assert sent.origin == requests[0].origin.source
    assert await stage.letters() == []


async def test_whoever_is_killed_before_a_commit_repeats_what_changes_nothing(
    stage: Stage, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's address was changed by somebody else meanwhile; the old one must not come back."""
    user, other = unique("user"), unique("user")
    text = """
[sources.{name}]
topics = "{topic}"
into = "contacts"
[sources.{name}.set]
user = "{{{{ who }}}}"
email = "{{{{ mail }}}}"
"""
    catalogue = company.catalogue(text)
    await company.write({"who": user, "mail": "old@example.com"}, partition=2)
    commit = SourceLog.commit

    async def never(self: SourceLog, *, always: bool = False) -> None:
        """As if it were killed before each commit."""

    monkeypatch.setattr(SourceLog, "commit", never)
    async with company.reading(catalogue):
        await until_told(lambda: placed(stage, "decider"), lambda found: len(found) == 1)
    await stage.work(stage.decider)
    await stage.say(CONTACTS, Contacts(user=user, email="new@example.com"))
    await stage.work(stage.decider)
    monkeypatch.setattr(SourceLog, "commit", commit)
    await company.write({"who": other, "mail": "other@example.com"}, partition=2)
    async with company.reading(catalogue):
        await company.caught_up()
    assert len(await placed(stage, "decider")) == 3
    await stage.work(stage.decider)
    await stage.say(EVENTS, order_shipped(user), order_shipped(other))
    await stage.work(stage.router, stage.decider)
    mails = [each.address for each in await stage.deliveries(Channel.EMAIL)]
    assert sorted(mails) == ["new@example.com", "other@example.com"]


async def test_dead_letters_have_the_bytes_and_are_mapped_anew(
    stage: Stage, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = unique("user")
    bad = {"order": 1, "status": "shipped", "customer": user}
    async with company.reading():
        await company.write(b"no JSON", bad, order(2), keys=["a", "b", "c"], headers=[TRACE])
        await company.caught_up()
    letters = {each.key: each for each in await stage.letters()}
    assert (letters[b"a"].value, letters[b"a"].reason) == (b"no JSON", Reason.UNDECODABLE)
    letter = letters[b"b"]
    assert orjson.loads(letter.value or b"") == bad
    assert letter.headers == (TRACE,)
    assert (letter.topic, letter.source) == (company.topic, company.source)
    assert letter.detail.endswith("`actor` (set.actor gave nothing)")
    mended = company.catalogue().sources
    read = "pipeline.records.dead_letter_reading.read_catalogue"
    monkeypatch.setattr(read, lambda _: Catalogue({}, {}, "", sources=mended))
    assert await send_again(stage.settings, [letter]) == (0, 1)
    text = """
[sources.{name}]
topics = "{topic}"
into = "events"
[sources.{name}.set]
type = "order.shipped"
actor = "{{{{ shop or 'unknown' }}}}"
data = {{ customer_id = "{{{{ customer }}}}", order_id = "{{{{ order }}}}", carrier = "UPS" }}
"""
    mended = company.catalogue(text).sources
    assert await send_again(stage.settings, [letter]) == (1, 0)
    assert not await stage.raw(EVENTS)
    (again,) = [each for each in await stage.raw(PLACED["router"]) if each.headers]
    assert dict(again.headers)["dead-letter"].decode() == letter.id
    sent = msgspec.json.decode(again.value, type=Misplaced)
    assert (sent.source, sent.headers) == (company.source, (TRACE,))
    value = orjson.loads(bytes(sent.value))
    place = f"{company.source}/{company.topic}/{letter.partition}/{letter.offset}"
    assert (value["actor"], value["id"]) == ("unknown", place)
    assert await company.left() == 0, "it was written to the company's own topic"
    await stage.work(stage.router)
    requests = await stage.read(ORDERS, Request)
    (request,) = [each for each in requests if each.event.id == place]
    assert request.origin.source == place


async def test_records_with_one_id_count_once_or_are_a_conflict(
    stage: Stage, company: Company
) -> None:
    """The company's id is none: a user is told of the first record that has it."""
    user = unique("user")
    text = TRACKED + 'id = "{{{{ order }}}}"\n'
    name = unique("order")
    same = order(0, order=name, customer=user)
    await stage.say(CONTACTS, reachable(user))
    async with company.reading(company.catalogue(text)):
        await company.write(same, same, same | {"shop": 9}, partition=1)
        await company.caught_up()
    await stage.work(stage.router, stage.decider)
    told = await stage.deliveries(Channel.PUSH)
    assert [each.event_id for each in told] == [name]
    rows = await stage.read(DELIVERY_EVENTS, DeliveryEvent)
    refused = {each.reason for each in rows if each.reason in ("duplicate", "conflict")}
    assert refused == {Reason.DUPLICATE, Reason.CONFLICT}


async def test_a_source_that_refuses_most_stops_until_the_catalogue_is_mended(
    stage: Stage, company: Company
) -> None:
    """Its records stay in the topic; those of other sources go on."""
    wrong = company.catalogue().sources[company.source]
    text = """
[sources.{name}]
topics = "{topic}"
into = "events"
start = "beginning"
[sources.{name}.set]
type = "order.shipped"
actor = "{{{{ shop_id }}}}"
data = {{ customer_id = "{{{{ customer }}}}" }}
"""
    catalogues = FixedCatalogue(company.catalogue(text))
    await company.write(*[order(0) for _ in range(400)], partition=1)
    async with company.reading(catalogues) as sources:
        (letters,) = [await until_told(stage.letters, lambda found: len(found) >= 199)]
        await until(lambda: sources.waits(company.source))
        assert len(await stage.letters()) == len(letters) == 199
        catalogues.current = company.catalogue()
        await company.caught_up()
    assert wrong.name == company.source
    assert len(await placed(stage)) == 201


class Registry(SourceDecoders, JsonDecoder):
    """Is away at first."""

    def __init__(self) -> None:
        super().__init__(Settings())
        self.asked = 0

    def of(self, source: Source) -> Decoder:
        """Itself, whatever the format is."""
        return self

    async def decode(self, value: bytes, topic: str) -> object:
        self.asked += 1
        if self.asked <= 2:
            raise RegistryUnavailable("the schema registry does not answer")
        return await super().decode(value, topic)


async def test_while_a_registry_is_away_records_wait_and_none_is_a_dead_letter(
    stage: Stage, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_reading, "PAUSE", 0.05)
    catalogue, registry = company.catalogue(), Registry()
    await company.write(*[order(0) for _ in range(3)], partition=0)
    async with company.reading(catalogue, decoders=registry):
        await company.caught_up()
    assert registry.asked == 5
    assert len(await placed(stage)) == 3
    assert await stage.letters() == []


async def test_what_another_role_refuses_names_the_company_s_record(
    stage: Stage, company: Company
) -> None:
    """The mapped record can't be used by a role that has another catalogue by now."""
    async with company.reading():
        await company.write(order(0), partition=2, keys=["k"])
        await company.caught_up()
    stage.catalogue = Catalogue({}, {}, "none")
    await stage.work(stage.router)
    (letter,) = await stage.letters()
    assert (letter.topic, letter.partition, letter.offset) == (company.topic, 2, 0)
    assert (letter.source, letter.reason) == (company.source, Reason.UNKNOWN_TYPE)
    assert letter.truncated, "a replay would take what was made of the record for the record"


def test_a_record_s_own_clock_is_never_ahead_of_ours() -> None:
    now = 1_773_480_389_589
    for at, expected in [(now - 5, now - 5), (now + 9, now), (-1, now), (0, now)]:
        record = make_record(ConsumerRecord, "t", 0, 0, at, None, b"")
        assert accepted_at(record, now) == expected


async def test_five_megabytes_are_read_alone(stage: Stage, company: Company) -> None:
    large = order(0, noise="x" * (5 << 20))
    text = """
[sources.{name}]
topics = "{topic}"
into = "contacts"
[sources.{name}.set]
user = "{{{{ customer }}}}"
"""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": company.kafka, "message.max.bytes": 9 << 20})
    async with company.reading(company.catalogue(text)):
        producer.produce(company.topic, orjson.dumps(large))
        producer.flush()
        await company.caught_up()
    assert [said(each)["user"] for each in await placed(stage, "decider")] == [large["customer"]]


async def test_two_sources_of_one_topic_each_say_what_they_make_of_a_record(
    stage: Stage, company: Company
) -> None:
    other = unique("people")
    text = (
        SHIPPED
        + """
[sources.{other}]
topics = "{topic}"
into = "contacts"
[sources.{other}.set]
user = "{{{{ customer }}}}"
email = "{{{{ customer }}}}@example.com"
"""
    )
    users = [unique("user") for _ in range(4)]
    orders = [order(number, customer=user) for number, user in enumerate(users)]
    async with company.reading(company.catalogue(text, other=other)):
        await company.write(*orders, b"no JSON", partition=1)
        await company.caught_up()
        await until_told(lambda: placed(stage, "decider"), lambda found: len(found) == 4)
        await until_told(stage.letters, lambda found: len(found) == 2)
    people = [said(each)["user"] for each in await placed(stage, "decider")]
    assert sorted(people) == sorted(users)
    told = [said(each)["data"]["customer_id"] for each in await placed(stage)]
    assert sorted(told) == sorted(users[::2])
    assert len({each.id for each in await stage.letters()}) == 2

    def counted(source: str, outcome: str) -> float:
        labels = {"source": source, "outcome": outcome}
        return REGISTRY.get_sample_value("tocsin_source_records_total", labels) or 0.0

    outcomes = ("moved", "skipped", "dead")
    assert [counted(company.source, each) for each in outcomes] == [2, 2, 1]
    assert [counted(other, each) for each in outcomes] == [4, 0, 1]
    assert REGISTRY.get_sample_value("tocsin_source_lag", {"source": other}) == 0


async def test_the_role_and_kafka_say_how_far_each_source_is(
    stage: Stage, company: Company
) -> None:
    catalogue = company.catalogue()
    source = catalogue.sources[company.source]
    await company.write(order(0), order(1), b"no JSON", partition=1)
    (before,) = await source_lags(stage.settings.brokers, [source])
    assert before == SourceLag(
        source=company.source, topic=company.topic, partitions=3, lag=0, unread=3
    )
    async with company.reading(catalogue) as sources:
        await company.caught_up()
        (state,) = sources.states()
    assert (state.source, state.lag) == (company.source, 0)
    assert (state.moved, state.skipped, state.dead) == (1, 1, 1)
    assert state.last_error.startswith(f"{company.topic}/1/2: is not JSON")
    await company.write(order(0), order(2), partition=1)
    (after,) = await source_lags(stage.settings.brokers, [source])
    assert after == SourceLag(source=company.source, topic=company.topic, partitions=3, lag=2)


async def test_who_asks_the_role_is_told_of_all_sources(stage: Stage) -> None:
    placing = stage.intake.open_handler(0, asyncio.Event())
    assert isinstance(placing, QueryHandler)
    assert await placing.answer(b'{"type":"sources"}') == b"[]"
    with pytest.raises(msgspec.ValidationError):
        await placing.answer(b'{"type":"circuits"}')
