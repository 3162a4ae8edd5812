"""The decider: requests and broadcasts meet what is known of users; every outcome is told."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.decider.agent import NAME as DECIDER
from pipeline.producing.outputs import Outputs
from schemas.errors import Unavailable
from schemas.event import Event
from schemas.profile import Contacts, Preferences, Presence, QuietHours
from schemas.request import Broadcast
from schemas.topics import (
    CONTACTS,
    DELIVER,
    EVENTS,
    FOLLOWS,
    PREFERENCES,
    PRESENCE,
    REQUESTS,
)
from schemas.vocabulary import Channel, Priority, Reason
from schemas.vocabulary import Stage as Step
from tests.agents.names import unique, users_of
from tests.agents.samples import event, follow, order_shipped, reachable
from tests.agents.stage import Stage
from tests.agents.transcript import by

PUSH, EMAIL, SMS, INAPP = Channel.PUSH, Channel.EMAIL, Channel.SMS, Channel.INAPP
LONG = "word " * 60
ALWAYS = (QuietHours(start="00:00", end="12:00"), QuietHours(start="12:00", end="00:00"))


def all_on(user: str, **fields: Any) -> Preferences:
    """SMS is off unless asked for."""
    return Preferences(user=user, channels=dict.fromkeys(Channel, True), **fields)


def chat(user: str) -> Event:
    data = {"recipient_id": user, "conversation_id": "c", "sender_name": "Bo", "text": LONG}
    return event("chat.message", data)


async def known(stage: Stage, *said: Contacts | Preferences | Presence) -> None:
    """Let the decider know something of users."""
    topics = {Contacts: CONTACTS, Preferences: PREFERENCES, Presence: PRESENCE}
    for value in said:
        await stage.say(topics[type(value)], value)
    await stage.work(stage.decider)


async def happens(stage: Stage, *events: Event) -> None:
    """Let events go through router and decider."""
    await stage.say(EVENTS, *events)
    await stage.work(stage.router, stage.decider)


async def outcomes(stage: Stage) -> set[tuple[str, Channel | None, Step, Reason]]:
    """What the delivery events tell."""
    return {(e.user, e.channel, e.stage, e.reason) for e in await stage.told()}


async def test_an_order_goes_out_by_push_email_and_sms(stage: Stage) -> None:
    user = unique("user")
    await known(stage, reachable(user), all_on(user))
    await happens(stage, order_shipped(user))
    expected = {PUSH: f"token-{user}", EMAIL: f"{user}@example.com", SMS: "+15005550009"}
    for channel, address in expected.items():
        (delivery,) = await stage.deliveries(channel)
        assert (delivery.user, delivery.address, delivery.priority) == (
            user,
            address,
            Priority.HIGH,
        )
    assert await outcomes(stage) == {(user, c, Step.QUEUED, Reason.NONE) for c in expected}
    assert len(await stage.told()) == 3


async def test_each_delivery_has_a_row_under_its_id(stage: Stage) -> None:
    user = unique("user")
    await known(stage, reachable(user), all_on(user))
    await happens(stage, order_shipped(user))
    found = [d for channel in (PUSH, EMAIL, SMS) for d in await stage.deliveries(channel)]
    rows = by(await stage.told(), "delivery_id")
    assert rows.keys() == {delivery.delivery_id for delivery in found}
    assert len({delivery.notification_id for delivery in found}) == 1


async def test_every_device_gets_its_push(stage: Stage) -> None:
    user = unique("user")
    two = [f"{user}-phone", f"{user}-tablet"]
    contacts = reachable(user)
    devices = tuple(type(contacts.devices[0])(token=token) for token in (*two, two[0]))
    await known(stage, reachable(user, devices=devices))
    await happens(stage, order_shipped(user))
    assert sorted(delivery.address for delivery in await stage.deliveries(PUSH)) == two


async def test_a_matched_ride_is_critical_for_rider_and_driver(stage: Stage) -> None:
    rider, driver = unique("rider"), unique("driver")
    await known(stage, *(value for user in (rider, driver) for value in told_of(user)))
    data = {
        "rider_id": rider,
        "driver_id": driver,
        "ride_id": "r",
        "driver_name": "Dee",
        "rider_name": "Rae",
        "car": "white Skoda",
        "plate": "B-1",
        "pickup": "Main St",
        "eta_minutes": 4,
    }
    await happens(stage, event("ride.matched", data))
    pushes, texts = await stage.deliveries(PUSH), await stage.deliveries(SMS)
    assert {d.user: d.content.title for d in pushes} == {
        rider: "Dee arrives in 4 min",
        driver: "New ride",
    }
    assert [d.user for d in texts] == [rider]
    assert {d.priority for d in (*pushes, *texts)} == {Priority.CRITICAL}


def told_of(user: str) -> list[Contacts | Preferences]:
    """All that makes a user reachable on every channel."""
    return [reachable(user), all_on(user)]


async def test_a_chat_message_goes_to_the_inbox_while_the_user_is_online(stage: Stage) -> None:
    user = unique("user")
    soon = datetime.now(UTC) + timedelta(minutes=5)
    await known(stage, reachable(user), Presence(user=user, online=True, until=soon))
    await happens(stage, chat(user))
    (delivery,) = await stage.deliveries(INAPP)
    assert delivery.content.body == LONG
    assert await stage.deliveries(PUSH) == []
    assert await outcomes(stage) == {
        (user, INAPP, Step.QUEUED, Reason.NONE),
        (user, PUSH, Step.SUPPRESSED, Reason.ONLINE),
    }


@pytest.mark.parametrize("said", ["nothing", "offline", "online until a while ago"])
async def test_a_chat_message_is_a_push_with_a_preview_for_who_is_away(
    stage: Stage, said: str
) -> None:
    user = unique("user")
    until = datetime.now(UTC) + timedelta(minutes=-1 if "ago" in said else 5)
    await known(stage, reachable(user))
    if said != "nothing":
        await known(stage, Presence(user=user, online=said != "offline", until=until))
    await happens(stage, chat(user))
    (delivery,) = await stage.deliveries(PUSH)
    assert (len(delivery.content.body), delivery.content.title) == (100, "Bo")
    assert LONG.startswith(delivery.content.body.rstrip("…"))
    assert await stage.deliveries(INAPP) == []


async def test_a_broadcast_reaches_the_followers_of_its_partition_and_nobody_else(
    stage: Stage,
) -> None:
    actor, other = unique("actor"), unique("actor")
    here, there, left = users_of(0, 2), users_of(1, 1), users_of(0, 1)
    users = [*here, *there, *left]
    await stage.say(CONTACTS, *(reachable(user) for user in (*users, other)))
    await stage.say(FOLLOWS, *(follow(user, actor) for user in users))
    await stage.say(FOLLOWS, *(follow(user, actor, following=False) for user in left))
    await stage.say(FOLLOWS, follow(left[0], other))
    data = {"post_id": "p", "author_name": "Ann", "text": "hello"}
    await happens(stage, event("post.published", data, actor=actor))
    found = await stage.raw(REQUESTS[Priority.NORMAL], Broadcast)
    assert sorted(record.partition for record in found) == [0, 1]
    pushed = Counter(delivery.user for delivery in await stage.deliveries(PUSH))
    assert pushed == Counter([*here, *there])


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, Reason.NO_ADDRESS),
        ({"channels": {PUSH: False, INAPP: False}}, Reason.OPTED_OUT),
        ({"categories": {"chat": {PUSH: False}}}, Reason.OPTED_OUT),
        ({"quiet_hours": ALWAYS}, Reason.QUIET_HOURS),
    ],
    ids=["no address", "opted out of channels", "opted out of a category", "quiet hours"],
)
async def test_what_is_not_sent_is_told_with_its_reason(
    stage: Stage, said: dict[str, Any], reason: Reason
) -> None:
    user = unique("user")
    if said:
        await known(stage, reachable(user), Preferences(user=user, **said))
    await happens(stage, chat(user))
    assert (user, PUSH, Step.SUPPRESSED, reason) in await outcomes(stage)
    assert await stage.deliveries(PUSH) == []


async def test_the_same_event_from_another_origin_is_a_duplicate(stage: Stage) -> None:
    user = unique("user")
    await known(stage, reachable(user))
    shipped = order_shipped(user)
    await happens(stage, shipped, shipped)
    await happens(stage, shipped)
    assert len(await stage.deliveries(PUSH)) == 1
    reasons = Counter(e.reason for e in await stage.told())
    assert reasons[Reason.DUPLICATE] == 2


async def test_an_idempotency_key_takes_the_place_of_the_id(stage: Stage) -> None:
    user, key = unique("user"), unique("key")
    await known(stage, reachable(user))
    await happens(stage, *(order_shipped(user, idempotency_key=key) for _ in range(2)))
    assert len(await stage.deliveries(PUSH)) == 1


async def test_an_old_event_is_told_as_expired(stage: Stage) -> None:
    user = unique("user")
    await known(stage, reachable(user))
    past = datetime.now(UTC) - timedelta(days=2)
    await happens(stage, order_shipped(user, occurred_at=past))
    assert await outcomes(stage) == {(user, None, Step.SUPPRESSED, Reason.EXPIRED)}


async def test_the_eleventh_of_an_hour_is_told_as_rate_limited(stage: Stage) -> None:
    user = unique("user")
    await known(stage, reachable(user))
    await happens(stage, *(order_shipped(user) for _ in range(12)))
    assert len(await stage.deliveries(PUSH)) == 10
    limited = [e for e in await stage.told() if e.reason is Reason.RATE_LIMITED]
    assert Counter(e.channel for e in limited) == Counter({PUSH: 2, EMAIL: 2, SMS: 2})


async def test_a_replay_after_the_state_was_stored_writes_nothing_more(stage: Stage) -> None:
    user = unique("user")
    await known(stage, reachable(user))
    await happens(stage, order_shipped(user), order_shipped(user))
    once = await stage.deliveries(PUSH), await stage.told()
    stage.again(*REQUESTS.values())
    await stage.work(stage.decider)
    await stage.restart(keep_disk=False)
    stage.again(*REQUESTS.values())
    await stage.work(stage.decider)
    assert (await stage.deliveries(PUSH), await stage.told()) == once


async def test_what_was_decided_is_told_as_it_was_whatever_became_known_since(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = unique("user")
    await known(stage, reachable(user))
    await stage.say(EVENTS, chat(user), chat(user))
    await stage.work(stage.router)
    with monkeypatch.context() as planted:
        planted.setattr(Outputs, "send", killed)
        with pytest.raises(Unavailable, match="killed"):
            await stage.work(stage.decider)
    assert await stage.deliveries(PUSH) == []
    await stage.say(PREFERENCES, Preferences(user=user, channels={PUSH: False}))
    await stage.say(EVENTS, chat(user))
    await stage.work(stage.router)
    await stage.restart(keep_disk=False, in_order=False)
    stage.clock.ahead += 600_000
    await stage.work(stage.router, stage.decider)
    assert len(await stage.deliveries(PUSH)) == 2
    events = [e for e in await stage.told() if e.channel is PUSH]
    told = Counter((e.stage, e.reason) for e in events)
    assert told == {
        (Step.QUEUED, Reason.NONE): 2,
        (Step.SUPPRESSED, Reason.OPTED_OUT): 1,
        (Step.UNSUBSCRIBED, Reason.NONE): 1,
    }


async def killed(*_: object) -> None:
    raise Unavailable("killed between state and outputs")


async def test_what_was_sent_and_not_noted_is_sent_again_byte_for_byte(stage: Stage) -> None:
    user = unique("user")
    await known(stage, reachable(user))
    await happens(stage, chat(user))
    await stage.restart(keep_disk=False, in_order=False)
    await stage.work(stage.router, stage.decider)
    # And once more: by then the one before has noted it.
    await stage.restart(keep_disk=False, in_order=False)
    await stage.work(stage.router, stage.decider)
    first, again = await stage.raw(DELIVER[PUSH, Priority.HIGH])
    assert (first.key, first.value) == (again.key, again.value)


async def test_the_frontier_is_stored_with_the_state(stage: Stage) -> None:
    (user,) = users_of(1, 1)
    await known(stage, reachable(user))
    await stage.restart(keep_disk=False)
    await stage.handler(stage.decider, 1)
    (record,) = await stage.raw(CONTACTS)
    assert stage.stored[DECIDER, 1]["contacts"] == record.offset + 1
