"""What was accepted before an event counts for it, in whatever order the topics are read."""

from itertools import chain, combinations, permutations

import msgspec
import pytest

from agents.decider.watermark import STALL_TIMEOUT_MS
from pipeline.processing.read_first import GRACE
from pipeline.processing.slices import RECORDS
from schemas.encoding import encode
from schemas.erasure import Erasure
from schemas.misplaced import Misplaced
from schemas.profile import Contacts, Device, Preferences
from schemas.topics import CONTACTS, DELIVER, ERASURES, PLACED, PREFERENCES, REQUESTS
from schemas.vocabulary import Channel, Priority, Reason
from tables.pending import HELD
from tests.agents.reader import Reader, asked

TYPES = """
event = "code.asked"
[types.code]
category = "codes"
priority = "{priority}"
channels = {channels}
users = "who"
time_to_live = "5m"
templates.push = {{ title = "Code", body = "{{{{ data.text }}}}" }}
templates.sms.body = "{{{{ data.text }}}}"
{special}
"""
WANTED = "transactional = true"
EACH_MINUTE = 'digests = [{ channels = ["push"], every = "1m" }]'
STAND_IN = WANTED + '\nfallback = { sms = ["push"] }'


def reading(priority: Priority, channels: str = '["push"]', special: str = "") -> Reader:
    """A reader with a type on these channels."""
    text = TYPES.format(priority=priority, channels=channels, special=special)
    if '"sms"' not in channels:
        text = text.replace('templates.sms.body = "{{ data.text }}"\n', "")
    return Reader(text)


def reachable(user: str) -> Contacts:
    """Contacts with a device."""
    return Contacts(user=user, devices=(Device(token=f"t-{user}"),))


OPT_OUT = Preferences(user="ann", categories={"codes": {Channel.PUSH: False}})
PARTS = ("contacts", "opt-out", "event")
ORDERS = [
    order
    for parts in chain.from_iterable(combinations(PARTS, count) for count in (1, 2, 3))
    if "event" in parts
    for order in permutations(parts)
]


@pytest.mark.parametrize("priority", [Priority.CRITICAL, Priority.NORMAL])
@pytest.mark.parametrize("is_backlog", [False, True])
@pytest.mark.parametrize("accepted", ORDERS, ids=",".join)
async def test_in_every_order_of_acceptance_and_of_reading(
    accepted: tuple[str, ...], is_backlog: bool, priority: Priority
) -> None:
    """Contacts of others stand before ann's, and in a backlog the lane has waited for them."""
    topics = {"contacts": CONTACTS, "opt-out": PREFERENCES, "event": REQUESTS[priority]}
    for fetched in permutations([*accepted, *["contacts"] * ("contacts" not in accepted)]):
        for crashes in range(len(fetched) + 1):
            reader = reading(priority)
            reader.accept(CONTACTS, reachable("bob"))
            for part in accepted:
                at = reader.clock.at + 1000
                said = {"contacts": reachable("ann"), "opt-out": OPT_OUT, "event": asked("ann", at)}
                reader.accept(topics[part], said[part])
            for number, part in enumerate(fetched):
                if number == crashes:
                    reader.begin()
                    for again in fetched[:number]:
                        await reader.fetch(topics[again])
                await reader.fetch(topics[part], 1 if part == "contacts" else RECORDS)
                if is_backlog:
                    reader.seconds += GRACE + 0.1
                    await reader.work()
            await reader.fetch(CONTACTS)
            ends = reader.ends("ann")
            assert len(ends) == 1, (fetched, crashes)
            before = accepted[: accepted.index("event")]
            # What was accepted later may be known already, or not.
            maybe = {Reason.OPTED_OUT} if "opt-out" in accepted else set[Reason | None]()
            if "opt-out" in before:
                assert ends == [Reason.OPTED_OUT]
            elif "contacts" in before:
                assert {*ends} <= {None} | maybe
            else:
                late = {None} if "contacts" in accepted else set[Reason | None]()
                assert {*ends} <= {Reason.NO_ADDRESS} | late | maybe


@pytest.mark.parametrize("special", ["", 'delay = "1m"', EACH_MINUTE], ids=("", "delay", "digest"))
async def test_who_comes_back_is_told_whichever_broker_brings_their_erasure_last(
    special: str,
) -> None:
    topics = {"erasure": ERASURES, "contacts": CONTACTS, "event": REQUESTS[Priority.NORMAL]}
    for fetched in permutations(topics):
        reader = reading(Priority.NORMAL, special=special)
        reader.accept(CONTACTS, reachable("ann"))
        await reader.fetch(CONTACTS)
        reader.accept(ERASURES, Erasure(user="ann"))
        reader.accept(CONTACTS, reachable("ann"))
        reader.accept(REQUESTS[Priority.NORMAL], asked("ann", reader.clock.at + 1000))
        for part in fetched:
            await reader.fetch(topics[part])
        reader.clock.at += 2 * STALL_TIMEOUT_MS
        await reader.work()
        assert reader.ends("ann") == [None], fetched
        assert not any(reader.store.scan(HELD.prefix)), fetched


async def test_nothing_is_held_of_who_was_erased_by_a_broker_whose_clock_is_behind() -> None:
    reader = reading(Priority.NORMAL, special='delay = "1m"')
    reader.accept(CONTACTS, reachable("ann"))
    await reader.fetch(CONTACTS)
    reader.accept(REQUESTS[Priority.NORMAL], asked("ann", reader.clock.at + 1000))
    await reader.fetch(REQUESTS[Priority.NORMAL])
    assert any(reader.store.scan(HELD.prefix))
    reader.clock.at -= 2000
    reader.accept(ERASURES, Erasure(user="ann"))
    await reader.fetch(ERASURES)
    assert not [key for key in reader.store.stored if b"ann" in key]


async def test_an_opt_out_that_was_moved_is_read_before_a_request_that_came_later() -> None:
    """Its producer has another partitioner."""
    reader = reading(Priority.CRITICAL)
    reader.accept(CONTACTS, reachable("ann"))
    await reader.fetch(CONTACTS)
    value, at = msgspec.Raw(encode(OPT_OUT)), reader.clock.at
    stood = Misplaced(topic=PREFERENCES.name, partition=0, offset=0, accepted_at=at, value=value)
    reader.accept(PLACED["decider"], stood, "ann")
    reader.accept(REQUESTS[Priority.CRITICAL], asked("ann", reader.clock.at + 1000))
    await reader.fetch(REQUESTS[Priority.CRITICAL])
    assert reader.ends("ann") == []
    await reader.fetch(PLACED["decider"])
    assert reader.ends("ann") == [Reason.OPTED_OUT]


async def test_a_request_waits_for_contacts_of_before_and_holds_up_nobody() -> None:
    """Bob's address is known; ann's stands behind 3,000 of others."""
    reader = reading(Priority.CRITICAL)
    reader.accept(CONTACTS, reachable("bob"))
    await reader.fetch(CONTACTS)
    for number in range(3000):
        reader.accept(CONTACTS, reachable(f"other-{number}"))
    reader.accept(CONTACTS, reachable("ann"))
    for user in ("ann", "bob", "eve"):
        reader.accept(REQUESTS[Priority.CRITICAL], asked(user, reader.clock.at + 1000))
    await reader.fetch(REQUESTS[Priority.CRITICAL])
    assert reader.ends("bob") == []  # a moment is given to what may be in the same fetch
    reader.seconds += GRACE + 0.1
    await reader.work()
    assert (reader.ends("bob"), reader.ends("ann"), reader.ends("eve")) == ([None], [], [])
    for _ in range(3):
        await reader.fetch(CONTACTS)
        assert (reader.ends("ann"), reader.ends("eve")) == ([], [])
    await reader.fetch(CONTACTS)
    assert (reader.ends("ann"), reader.ends("eve")) == ([None], [Reason.NO_ADDRESS])
    assert not any(reader.store.scan(b"h"))


async def test_what_stands_in_for_a_channel_without_an_address_goes_at_once() -> None:
    """Ann has a phone, and perhaps a device among the contacts that are still unread."""
    reader = reading(Priority.CRITICAL, '["push", "sms"]', STAND_IN)
    reader.accept(CONTACTS, Contacts(user="ann", phone="+15005550009"))
    await reader.fetch(CONTACTS)
    reader.accept(CONTACTS, reachable("bob"))
    reader.accept(REQUESTS[Priority.CRITICAL], asked("ann", reader.clock.at + 1000))
    await reader.fetch(REQUESTS[Priority.CRITICAL])
    reader.seconds += GRACE + 0.1
    await reader.work()
    assert sorted(map(str, reader.ends("ann"))) == ["None", "no_address"]
    assert len(reader.out.topics[DELIVER[Channel.SMS, Priority.CRITICAL].name]) == 1


async def test_channels_without_a_stand_in_wait_for_contacts_by_themselves() -> None:
    reader = reading(Priority.CRITICAL, '["push", "sms"]', WANTED)
    reader.accept(CONTACTS, Contacts(user="ann", phone="+15005550009"))
    await reader.fetch(CONTACTS)
    both = Contacts(user="ann", phone="+15005550009", devices=(Device(token="t"),))
    reader.accept(CONTACTS, both)
    reader.accept(REQUESTS[Priority.CRITICAL], asked("ann", reader.clock.at + 1000))
    await reader.fetch(REQUESTS[Priority.CRITICAL])
    reader.seconds += GRACE + 0.1
    await reader.work()
    assert reader.ends("ann") == [None]
    await reader.fetch(CONTACTS)
    assert reader.ends("ann") == [None, None]
    for channel in (Channel.SMS, Channel.PUSH):
        assert len(reader.out.topics[DELIVER[channel, Priority.CRITICAL].name]) == 1


async def test_nothing_waits_for_contacts_that_are_not_read_any_more() -> None:
    reader = reading(Priority.CRITICAL)
    reader.accept(CONTACTS, reachable("bob"))
    reader.accept(REQUESTS[Priority.CRITICAL], asked("ann", reader.clock.at + 1000))
    await reader.fetch(REQUESTS[Priority.CRITICAL])
    reader.seconds += GRACE + 0.1
    await reader.work()
    assert reader.ends("ann") == []
    reader.clock.at += STALL_TIMEOUT_MS + 1
    await reader.work()
    assert reader.ends("ann") == [Reason.NO_ADDRESS]


async def test_a_code_is_the_next_that_is_taken_however_many_contacts_wait() -> None:
    reader = reading(Priority.CRITICAL)
    for number in range(4000):
        reader.accept(CONTACTS, Contacts(user=f"other-{number}"))
    critical = REQUESTS[Priority.CRITICAL]
    reader.accept(critical, asked("ann", reader.clock.at))
    reader.queue(CONTACTS, 4000)
    reader.queue(critical)
    assert await reader.work(1) == [CONTACTS.name]
    reader.seconds += GRACE + 0.1
    for number in range(2):
        assert await reader.work(1) == [critical.name]
        assert await reader.work(1) == [CONTACTS.name]
        reader.accept(critical, asked(f"ben-{number}", reader.clock.at))
        reader.queue(critical)


async def test_an_import_takes_no_more_than_requests_of_high_priority() -> None:
    reader, high = reading(Priority.HIGH), REQUESTS[Priority.HIGH]
    for number in range(4000):
        reader.accept(CONTACTS, Contacts(user=f"other-{number}"))
    for number in range(3000):
        reader.accept(high, asked(f"ben-{number}", reader.clock.at))
    reader.queue(CONTACTS, 4000)
    reader.queue(high, 3000)
    assert await reader.work(1) == [CONTACTS.name]
    reader.seconds += GRACE + 0.1
    taken = await reader.work(6)
    assert sorted(taken) == [CONTACTS.name] * 3 + [high.name] * 3
    assert CONTACTS.name in taken[:2]
    assert high.name in taken[:2]


async def test_what_waited_for_contacts_alone_meets_limits_as_if_it_had_not() -> None:
    """What waits for the morning folds beyond a limit; this only waited for the reading."""
    reader = reading(Priority.NORMAL, special="rate_limit = { count = 1, seconds = 60 }")
    for user in ("bob", "ann"):
        reader.accept(CONTACTS, reachable(user))
    for number in range(2):
        one = asked("ann", reader.clock.at + 1000, number)
        event = msgspec.structs.replace(one.event, id=f"e{number}")
        reader.accept(REQUESTS[Priority.NORMAL], msgspec.structs.replace(one, event=event))
    await reader.fetch(REQUESTS[Priority.NORMAL])
    reader.seconds += GRACE + 0.1
    await reader.work()
    assert reader.ends("ann") == []
    await reader.fetch(CONTACTS)
    assert reader.ends("ann") == [None, Reason.RATE_LIMITED]
