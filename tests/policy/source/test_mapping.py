"""What records of a company's own topics become, by what their source says."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from policy.source.record import Mapped, Refused, Skipped
from schemas.event import Event
from schemas.profile import Contacts, DeviceChange, Preferences
from schemas.vocabulary import Channel, Reason
from tests.policy.source.payloads import AFTER, BEFORE, KEY, change
from tests.policy.source.sources import AT, ORDERS, plain, said, source_of

SHIPPED = {"id": 7, "status": "shipped", "shop_id": 31, "customer_id": "ann"}
PAID = SHIPPED | {"status": "paid"}


async def made(source: Any, value: Any, **more: Any) -> Any:
    """The record that comes of it."""
    raw = value if isinstance(value, bytes) else orjson.dumps(value)
    outcome = await said(source, raw, **more)
    assert isinstance(outcome, Mapped), outcome
    return outcome.value


@pytest.mark.parametrize("schema", [True, False])
async def test_a_change_of_a_row_becomes_an_event(schema: bool) -> None:
    value = change("u", PAID, SHIPPED, schema=schema)
    place = {"topic": "shop.public.orders", "partition": 11, "offset": 1 << 40}
    event = await made(source_of(ORDERS), value, **place, headers=(("x-tenant", b"acme"),))
    assert event == Event(
        id=f"orders/shop.public.orders/11/{1 << 40}",
        type="thing.happened",
        actor="31",
        occurred_at=datetime(2016, 6, 10, 17, 50, 29, 100_000, tzinfo=UTC),
        data={"customer_id": "ann", "order_id": 7},
        tenant="acme",
    )


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (change("u", PAID, PAID), "when"),
        (change("u", SHIPPED, SHIPPED), "when"),
        (change("c", None, PAID), "when"),
        (change("d", SHIPPED, None), "a delete"),
        (change("t"), "a delete"),
        (change("r", None, SHIPPED), "a row of a snapshot"),
        (None, "a delete"),
        (orjson.dumps({"schema": None, "payload": None}), "a delete"),
    ],
)
async def test_what_a_source_leaves_out_says_why(value: bytes | None, why: str) -> None:
    assert await said(source_of(ORDERS), value) == Skipped(why)


async def test_a_row_that_is_inserted_differs_from_each_that_was_there_before() -> None:
    event = await made(source_of(ORDERS), change("c", None, SHIPPED))
    assert (event.tenant, event.data["order_id"]) == ("default", 7)


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (b"{", Reason.UNDECODABLE, "is not JSON"),
        (b"\xff", Reason.UNDECODABLE, "is not JSON"),
        (b"[" * 5000, Reason.UNDECODABLE, "is not JSON"),
        (b"{}", Reason.UNDECODABLE, "no field op"),
        (b"[]", Reason.UNDECODABLE, "no object"),
        (
            change("c", None, {"status": "shipped"}),
            Reason.INVALID,
            "Object missing required field `actor` (set.actor gave nothing)",
        ),
        (
            change("c", None, SHIPPED | {"shop_id": [1]}),
            Reason.INVALID,
            "got `array` - at `$.actor",
        ),
        (b" " * (8 << 20) + b"{}", Reason.TOO_LARGE, "8388608 are allowed"),
    ],
)
async def test_what_can_not_be_used_says_what_is_wrong(
    value: bytes, reason: Reason, detail: str
) -> None:
    outcome = await said(source_of(ORDERS), value)
    assert isinstance(outcome, Refused)
    assert outcome.reason is reason
    assert detail in outcome.detail


async def test_five_megabytes_are_read_and_no_more_said_than_a_public_record_may_say() -> None:
    value = orjson.dumps({"who": "ann", "noise": "x" * (5 << 20)})
    assert (await made(plain(), value)).actor == "ann"
    outcome = await said(plain(data='{ all = "{{ noise }}" }'), value)
    assert isinstance(outcome, Refused)
    assert "524288 are allowed - at `$.data`" in outcome.detail


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ n }}", 3),
        ("{{ n }}.", "3."),
        ("{{ f }}", 2.5),
        ("{{ yes }}", True),
        ("{{ list }}", [1, {"a": None}]),
        ("{{ value }}", None),  # set below: the whole record
        ("{{ n + 1 }}", 4),
        ("{{ n if yes else f }}", 3),
        ("{{ nothing or n }}", 3),
        ("{{ nothing | default('none') }}", "none"),
        ("{{ deep.er.still or 'no' }}", "no"),
        ("{{ nothing is none and gone is none }}", True),
        ("{{ nothing is defined or gone is defined }}", False),
        ("{{ n > 2 and n != none }}", True),
        ("{{ list | length }}", 2),
        ("{{ (text | parse_json).b }}", [False]),
        ("{{ topic ~ '/' ~ partition ~ '/' ~ offset }}", "theirs/2/9"),
        ("{{ headers['x'] }}", "last"),
        ("{{ key.id }}", 1004),
        ("{{ value.topic }}", "their own field"),
        ("words", "words"),
        ("", ""),
    ],
)
async def test_values_keep_their_types(template: str, value: object) -> None:
    record = {
        "who": "ann",
        "n": 3,
        "f": 2.5,
        "yes": True,
        "list": [1, {"a": None}],
        "nothing": None,
        "text": '{"b": [false]}',
        "topic": "their own field",
    }
    source = plain(data=f"""{{ it = {orjson.dumps(template).decode()} }}""")
    event = await made(
        source,
        record,
        partition=2,
        offset=9,
        key=orjson.dumps(KEY),
        headers=(("x", b"first"), ("x", b"last")),
    )
    expected = record if template == "{{ value }}" else value
    assert event.data == {"it": expected}
    assert type(event.data["it"]) is type(expected)


async def test_what_a_record_lacks_is_left_out_within_texts_it_is_refused() -> None:
    event = await made(
        plain(data='{ a = "{{ gone }}", b = ["{{ gone }}", 1], c = 2 }'), {"who": "x"}
    )
    assert event.data == {"b": [1], "c": 2}
    outcome = await said(plain(data='{ a = "of {{ gone }}" }'), b'{"who": "x"}')
    assert outcome == Refused(Reason.INVALID, "set.data: gone is missing")


@pytest.mark.parametrize(
    ("number", "unit"),
    [
        (1_773_480_389, "s"),
        (1_773_480_389_000, "ms"),
        ("1773480389000", "ms"),
        (1_773_480_389_000_000, "us"),
        (1_773_480_389_000_000_000, "ns"),
        (1_773_480_389.0, "s"),
    ],
)
async def test_a_clock_is_read_in_the_unit_that_it_has_and_in_no_other(
    number: object, unit: str
) -> None:
    at = datetime(2026, 3, 14, 9, 26, 29, tzinfo=UTC)
    for read in ("s", "ms", "us", "ns"):
        source = plain(occurred_at=f'"{{{{ at | epoch_{read} }}}}"')
        outcome = await said(source, orjson.dumps({"who": "x", "at": number}))
        if read == unit:
            assert isinstance(outcome, Mapped)
            assert isinstance(outcome.value, Event)
            assert outcome.value.occurred_at == at
        else:
            assert isinstance(outcome, Refused), (number, read)
            assert f"epoch_{unit}" in outcome.detail


async def test_without_a_moment_of_its_own_an_event_is_as_old_as_its_record() -> None:
    event = await made(plain(), {"who": "ann"})
    assert event.occurred_at.timestamp() * 1000 == AT


async def test_rows_become_contacts_and_devices_and_preferences() -> None:
    people = plain(
        'format = "debezium+json"',
        into="contacts",
        user='"{{ after.id }}"',
        email='"{{ after.email }}"',
        attributes='{ plan = "{{ after.plan }}", since = 2019 }',
    )
    assert await made(people, change("r", None, AFTER)) == Contacts(
        user="1004", email="annek@noanswer.org", attributes={"since": "2019"}
    )
    phones = plain(
        'format = "debezium+json"\ndeletes = "map"',
        into="devices",
        user='"{{ (after or before).id }}"',
        device='{ token = "{{ (after or before).email }}", platform = "web" }',
        removed='"{{ deleted }}"',
    )
    gone = await made(phones, change("d", BEFORE, None))
    assert isinstance(gone, DeviceChange)
    assert (gone.user, gone.removed, gone.device.platform) == ("1004", True, "web")
    wishes = plain(into="preferences", user='"{{ key }}"', channels='"{{ wanted }}"')
    assert await made(wishes, {"wanted": {"sms": True}}, key=b"ann") == Preferences(
        user="ann", channels={Channel.SMS: True}
    )


async def test_what_debezium_has_flattened_is_read_as_rows() -> None:
    source = plain('format = "debezium+json"')
    row = {"who": "ann", "__op": "u", "__deleted": "false"}
    assert (await made(source, row)).actor == "ann"
    assert await said(source, orjson.dumps(row | {"__deleted": "true"})) == Skipped("a delete")


async def test_a_deletion_that_is_mapped_knows_its_key() -> None:
    source = plain('deletes = "map"', actor='"{{ key }}"', data='{ gone = "{{ deleted }}" }')
    event = await made_of_nothing(source, key=b"ann")
    assert (event.actor, event.data) == ("ann", {"gone": True})


async def made_of_nothing(source: Any, **more: Any) -> Any:
    """What comes of a record without a value."""
    outcome = await said(source, None, **more)
    assert isinstance(outcome, Mapped), outcome
    return outcome.value


async def test_the_same_record_has_the_same_id_and_no_other_has_it() -> None:
    source = plain()
    first = await made(source, {"who": "ann"}, partition=1, offset=2)
    again = await made(source, {"who": "ann"}, partition=1, offset=2)
    other = await made(source, {"who": "ann"}, partition=1, offset=3)
    posted = [await made(source, {"who": who}, topic="") for who in ("ann", "ann", "bob")]
    assert first.id == again.id == "it/theirs/1/2"
    assert len({first.id, other.id, *(each.id for each in posted)}) == 4
    far = await made(source, {"who": "ann"}, topic="t" * 249)
    assert len(far.id) == 32
