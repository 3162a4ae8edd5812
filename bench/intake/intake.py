"""Records of a company's own topic in one process of the role `intake`, beside a bare loop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from msgspec import Struct

from bench.contestants.equipment import Equipment, check_fair
from bench.decide.broker import Arena, arena
from bench.decide.race import BROKER, race
from bench.intake.latency import Added, added
from bench.intake.orders import BATCHED, FORMS, PARTITIONS, READERS, orders, rekeyed, topic
from bench.pairs import (
    ITSELF,
    Progress,
    Ratio,
    Rounds,
    Run,
    Turn,
    cpu_ratio,
    middle,
    speed_ratio,
    take_turns,
)
from schemas.misplaced import Misplaced
from schemas.topics import DEAD_LETTERS, MISPLACED, OWNERS, PLACED

OURS, BARE = "intake", "rekey"
OUTPUT = PLACED["router"].name
LOOPS = {"aiokafka": "", "batched": BATCHED}
"""What the bare loops are called, and what stands behind the form in their names."""
GOALS = {"json": 0.5, "avro": 0.4}
"""Of the bare loop's records a second."""
RATE = 100
_decode = msgspec.json.Decoder(Misplaced).decode


class Bare(Struct, frozen=True):
    """A bare loop: `ratio` is of ours to its records a second, `cpu_ratio` of its processor time a
    record to ours."""

    records_per_second: int
    cpu_us_per_record: float
    broker_cpu_us_per_record: float
    ratio: Ratio
    cpu_ratio: Ratio


class Form(Struct, frozen=True):
    """What was found of records in one form: medians over the rounds.

    `share_of_bare` is the median of ours to a bare loop's; of the two, `aiokafka` writes with the
    client's own producer, for which the goal is, and `batched` with ours.
    """

    records_per_second: int
    cpu_us_per_record: float
    broker_cpu_us_per_record: float
    goal: float
    share_of_bare: float
    bare: dict[str, Bare]


class IntakeFound(Struct, frozen=True):
    """By form, and what a source adds at a steady rate, of JSON."""

    forms: dict[str, Form]
    records: int
    pairs: int
    added: Added
    equipment: dict[str, Equipment]


async def run(records: int, pairs: int, seconds: float, progress: Progress) -> IntakeFound:
    """Rounds on a fresh broker each, in which all must have placed every record alike."""
    names = [
        name
        for form in FORMS
        for name in (f"{OURS}.{form}", *(f"{BARE}.{form}{each}" for each in LOOPS.values()))
    ]
    equipment: dict[str, Equipment] = {}

    @asynccontextmanager
    async def open_round(number: int) -> AsyncIterator[Turn]:
        async with arena(PARTITIONS) as ready:
            progress(f"Writing {records:,} records in each form")
            await _create(ready)
            for form in FORMS:
                await _fill(ready, form, records)

            async def turn(name: str) -> Run:
                contestant, _, variant = name.partition(".")
                outputs = OUTPUT if contestant == OURS else rekeyed(variant)
                # Of our forms one after the other writes to the same topic.
                there = await ready.count(outputs)
                found, equipment[contestant] = await race(
                    ready, name, outputs, there + records, waiting=there
                )
                return found

            yield turn
            progress("Comparing where they placed each record")
            check_fair(equipment, OURS)
            await check_alike(ready, records)

    rounds = await take_turns(names, pairs, open_round, progress)
    progress(f"{RATE} records a second")
    async with arena(PARTITIONS) as ready:
        await _create(ready)
        steady = await added(ready, f"{OURS}.json", "json", RATE, seconds)
    forms = {form: _form(rounds, form) for form in FORMS}
    return IntakeFound(forms, records, pairs, steady, equipment)


async def check_alike(ready: Arena, records: int) -> None:
    """RuntimeError unless all placed every record, by the same key, once."""
    ours: dict[str, dict[int, tuple[bytes, int]]] = {form: {} for form in FORMS}
    async for record in ready.read(OUTPUT):
        placed = _decode(record.value)
        number = msgspec.json.decode(bytes(placed.value))["data"]["order_id"]
        ours[placed.topic.rpartition(".")[2]][number] = record.key, record.partition
    for form, variant in [(form, form + each) for form in FORMS for each in LOOPS.values()]:
        theirs = {
            READERS[form](record.value)["after"]["id"]: (record.key, record.partition)
            async for record in ready.read(rekeyed(variant))
        }
        if ours[form] != theirs or len(theirs) != records:
            raise RuntimeError(
                f"{variant}: the bare loop placed {len(theirs)} of {records} records, ours "
                f"{len(ours[form])}, or they are not in the same places."
            )


async def _create(ready: Arena) -> None:
    company = [topic(form) for form in FORMS]
    company += [rekeyed(form + each) for form in FORMS for each in LOOPS.values()]
    await ready.create(*company, MISPLACED, *PLACED.values(), DEAD_LETTERS, OWNERS)


async def _fill(ready: Arena, form: str, records: int) -> None:
    entries = list(orders(records, form))
    for place in range(PARTITIONS):
        await ready.write(topic(form), place, entries[place::PARTITIONS])


def _form(rounds: Rounds, form: str) -> Form:
    ours = f"{OURS}.{form}"
    mine = middle(rounds, ours)
    bare = {name: _bare(rounds, ours, f"{BARE}.{form}{variant}") for name, variant in LOOPS.items()}
    return Form(
        records_per_second=round(mine.per_second),
        cpu_us_per_record=round(mine.cpu_us[ITSELF], 1),
        broker_cpu_us_per_record=round(mine.cpu_us[BROKER], 1),
        goal=GOALS[form],
        share_of_bare=bare["aiokafka"].ratio.median,
        bare=bare,
    )


def _bare(rounds: Rounds, ours: str, theirs: str) -> Bare:
    found = middle(rounds, theirs)
    return Bare(
        records_per_second=round(found.per_second),
        cpu_us_per_record=round(found.cpu_us[ITSELF], 1),
        broker_cpu_us_per_record=round(found.cpu_us[BROKER], 1),
        ratio=speed_ratio(rounds, ours, theirs),
        cpu_ratio=cpu_ratio(rounds, ours, theirs),
    )
