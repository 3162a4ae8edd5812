"""An erased user is in no state any more, and nothing of before brings them back."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agents.decider.agent import TABLES
from agents.router.agent import TABLES as ROUTER_TABLES
from agents.state import open_store
from pipeline.producing.outputs import partition_of
from schemas.erasure import Erasure
from schemas.follow import Follow
from schemas.inbox import InboxChange
from schemas.profile import BotChat, Preferences
from schemas.topics import (
    CONTACTS,
    DELIVER,
    ERASURES,
    EVENTS,
    FOLLOWING,
    FOLLOWS,
    INBOX_CHANGES,
    PREFERENCES,
    REQUESTS,
)
from schemas.vocabulary import Channel, Priority
from tables.erasure_filter import ERASED
from tables.followers import FOLLOWER_COUNTS
from tables.inbox import COUNTS, INBOX
from tables.storage.table import Table, key_of
from tests.agents.line import PARTITIONS, Line
from tests.agents.names import unique
from tests.agents.samples import delivery, follow, order_shipped, reachable
from tests.agents.stage import Stage, staging

HIGH = DELIVER[Channel.INAPP, Priority.HIGH]


async def mentions(stage: Stage, role: str, user: str, *tables: Table[Any]) -> list[bytes]:
    """The keys under which a role's state, as restored, names a user in any way."""
    await stage.restart(keep_disk=False)
    store = open_store(stage.runtime, role, partition_of(user, PARTITIONS), *tables)
    await store.restore()
    name = user.encode()
    found = [key for key, value in store.scan(b"") if name in key or name in value]
    store.close()
    return found


async def followers(stage: Stage, followee: str) -> int:
    """How many the router counts, as restored."""
    await stage.restart()
    number = partition_of(followee, PARTITIONS)
    store = open_store(stage.runtime, "router", number, *ROUTER_TABLES)
    await store.restore()
    (count,) = store.get_many([FOLLOWER_COUNTS.prefix + key_of("default", followee)])
    store.close()
    return sum(FOLLOWER_COUNTS.decode(count or b"").values())


async def known(stage: Stage) -> str:
    """A user of whom the decider keeps all that it can keep."""
    user, shop, key = unique("user"), unique("shop"), unique("key")
    chat = BotChat(platform="whatsapp", chat="+4915112345678")
    await stage.say(CONTACTS, reachable(user, attributes={"plan": "pro"}, bot_chats=(chat,)))
    await stage.say(PREFERENCES, Preferences(user=user, channels={Channel.SMS: True}))
    await stage.say(FOLLOWS, follow(user, shop), follow(unique("other"), shop))
    later = datetime.now(UTC) + timedelta(days=1)
    await stage.say(
        EVENTS, order_shipped(user), order_shipped(user, deliver_at=later, cancel_key=key)
    )
    await stage.work(stage.router, stage.decider)
    return user


async def test_no_state_names_an_erased_user(stage: Stage) -> None:
    user = await known(stage)
    before = await mentions(stage, "decider", user, *TABLES)
    assert {key[:1] for key in before} >= {b"p", b"l", b"f", b"e", b"g", b"n", b"t", b"h", b"k"}
    await stage.say(ERASURES, Erasure(user=user))
    await stage.work(stage.decider)
    assert await mentions(stage, "decider", user, *TABLES) == []


async def test_whom_they_followed_has_a_follower_less(stage: Stage) -> None:
    user = await known(stage)
    shop = (await stage.read(FOLLOWS, Follow))[0].followee
    await stage.say(ERASURES, Erasure(user=user))
    await stage.work(stage.decider, stage.router)
    assert await followers(stage, shop) == 1


async def test_what_waited_from_before_changes_nothing(stage: Stage) -> None:
    """Read late, or again, as after a crash of long ago."""
    user = await known(stage)
    await stage.say(ERASURES, Erasure(user=user))
    await stage.work(stage.decider)
    told = len(await stage.told())
    stage.again(CONTACTS, PREFERENCES, FOLLOWING, *REQUESTS.values())
    await stage.work(stage.decider)
    assert await mentions(stage, "decider", user, *TABLES) == []
    assert len(await stage.told()) == told


async def test_who_comes_back_is_told_again(stage: Stage) -> None:
    user = await known(stage)
    await stage.say(ERASURES, Erasure(user=user))
    await stage.work(stage.decider)
    await asyncio.sleep(0.01)
    sent = len(await stage.deliveries(Channel.PUSH))
    await stage.say(CONTACTS, reachable(user))
    await stage.say(EVENTS, order_shipped(user))
    await stage.work(stage.router, stage.decider)
    assert len(await stage.deliveries(Channel.PUSH)) == sent + 1


async def test_who_comes_back_while_the_decider_is_away_is_told_too(stage: Stage) -> None:
    user = await known(stage)
    sent = len(await stage.deliveries(Channel.PUSH))
    await stage.say(ERASURES, Erasure(user=user))
    await asyncio.sleep(0.01)
    await stage.say(CONTACTS, reachable(user))
    await stage.say(EVENTS, order_shipped(user))
    await stage.work(stage.router, stage.decider)
    assert len(await stage.deliveries(Channel.PUSH)) == sent + 1


async def test_whom_they_followed_unread_has_a_follower_less_too(stage: Stage) -> None:
    user, shop = unique("user"), unique("shop")
    await stage.say(FOLLOWS, follow(user, shop), follow(unique("other"), shop))
    await stage.work(stage.router)
    await asyncio.sleep(0.01)
    await stage.say(ERASURES, Erasure(user=user))
    await stage.work(stage.decider, stage.router)
    assert await followers(stage, shop) == 1
    await stage.work(stage.decider)
    assert await mentions(stage, "decider", user, *TABLES) == []


async def test_another_tenants_user_of_that_name_stays(line: Line, tmp_path: Path) -> None:
    async with staging(line, tmp_path) as stage:
        user = await known(stage)
        await stage.say(ERASURES, Erasure(user=user, tenant="acme"))
        await stage.work(stage.decider)
        assert await mentions(stage, "decider", user, *TABLES)


async def test_the_inbox_goes_and_its_clients_see_it(stage: Stage) -> None:
    said = delivery(stage.clock, channel=Channel.INAPP, address="")
    await stage.say(HIGH, said)
    await stage.work(stage.inapp)
    await stage.say(ERASURES, Erasure(user=said.user))
    await stage.work(stage.inapp)
    shown = await stage.shown_to(said.user)
    assert [(message.id, message.counts.unread) for message in shown] == [(1, 1), (0, 0)]
    # Delivered again, and read by somebody who had it open.
    stage.again(HIGH)
    change = InboxChange(user=said.user, at=datetime.now(UTC), kind="read")
    await stage.say(INBOX_CHANGES, change)
    await stage.work(stage.inapp)
    assert await mentions(stage, "inapp", said.user, INBOX, COUNTS, ERASED) == []
