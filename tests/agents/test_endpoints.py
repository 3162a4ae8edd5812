"""Webhooks and chats end to end: from contacts to a receiver that verifies them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.roles import builders_of
from embedded.simulators.accept_log import Accepted, read_accept_log
from embedded.simulators.credentials import chat_hook
from embedded.simulators.faults import Fault
from embedded.simulators.server import Serving, serving
from pipeline.catalogue_folder import read_catalogue
from pipeline.processing.role import Role
from pipeline.variables import settings_of
from schemas.feedback import Suppression
from schemas.profile import BotChat, ChatHook, Contacts, Preferences, QuietHours
from schemas.topics import CONTACTS, EVENTS, PREFERENCES, SUPPRESSIONS
from schemas.vocabulary import Channel, Reason, SuppressionReason
from tests.agents.line import Line
from tests.agents.names import unique
from tests.agents.samples import event
from tests.agents.stage import Stage, staging

CATALOGUE = """
event = "build.failed"

[types.build_failed]
category = "builds"
priority = "normal"
channels = ["webhook", "chat", "email"]
users = "who"
time_to_live = 86400
rate_limit = { count = 1, seconds = 3600 }

[types.build_failed.templates.webhook]
body = "{{ data.name }} failed"
data = ["name"]

[types.build_failed.templates.chat]
title = "Build failed"
body = "{{ data.name }}"

[types.build_failed.templates.email]
title = "Build failed"
body = "{{ data.name }}"
"""


class Town:
    """A stage with providers and receivers around it."""

    def __init__(self, stage: Stage, outside: Serving, log: Path) -> None:
        self.stage = stage
        self.outside = outside
        self.roles: list[Role] = []
        self._log = log

    def contacts(self, user: str, **fields: Any) -> Contacts:
        """One webhook, and a hook of each platform."""
        url, token = self.outside.base_url, self.outside.credentials.chat_token
        values: dict[str, Any] = {
            "webhooks": (f"{url}/receiver/1",),
            "chats": tuple(
                ChatHook(platform=name, url=chat_hook(name, url, 1, token))
                for name in ("slack", "teams", "discord")
            ),
        }
        return Contacts(user=user, **{**values, **fields})

    async def fails(self, user: str, name: str = "nightly") -> None:
        """A build fails, and what comes of it is delivered."""
        await self.stage.say(EVENTS, event("build.failed", {"who": user, "name": name}))
        await self.stage.work(self.stage.router, self.stage.decider)
        if not self.roles:
            self.roles = [
                build(self.stage.runtime) for build in builders_of(("webhook", "chat")).values()
            ]
        await self.stage.work(*self.roles)

    def accepted(self) -> list[Accepted]:
        """What was taken outside."""
        return read_accept_log(self._log)


@pytest.fixture
async def town(line: Line, tmp_path: Path, accounts: tuple[bytes, bytes]) -> AsyncIterator[Town]:
    for folder in ("catalogue", "outside"):
        (tmp_path / folder).mkdir()
    (tmp_path / "catalogue" / "builds.toml").write_text(CATALOGUE)
    (tmp_path / "outside" / "accounts.json").write_bytes(accounts[0])
    log = tmp_path / "accepted.jsonl"
    async with serving(0, log, tmp_path / "outside") as outside:
        fields = settings_of(outside.environment).model_dump(exclude_unset=True)
        fields["chat_providers"] = "slack,teams,discord,telegram,slackapp,twiliowhatsapp"
        async with staging(line, tmp_path / "state", **fields) as stage:
            stage.catalogue = read_catalogue(tmp_path / "catalogue")
            town = Town(stage, outside, log)
            yield town
            for role in town.roles:
                if role.close is not None:
                    await role.close()


async def test_all_endpoints_are_told_once(town: Town) -> None:
    user = unique("user")
    await town.stage.say(CONTACTS, town.contacts(user))
    await town.fails(user)
    assert sorted(each.provider for each in town.accepted()) == [
        "discord",
        "slack",
        "standard",
        "teams",
    ]
    assert len({each.notification_id for each in town.accepted()}) == 1
    town.stage.again(EVENTS)
    await town.stage.work(town.stage.router, town.stage.decider)
    assert len(town.accepted()) == 4


BOT_CHATS = (
    BotChat(platform="telegram", chat="-100123", thread="7"),
    BotChat(platform="slack", chat="C0123456789"),
    BotChat(platform="whatsapp", chat="+4915112345678"),
)


async def test_chats_of_our_bots_are_told(town: Town) -> None:
    user = unique("user")
    said = town.contacts(user, webhooks=(), chats=(), bot_chats=BOT_CHATS)
    await town.stage.say(CONTACTS, said)
    await town.fails(user)
    assert sorted((each.provider, each.address) for each in town.accepted()) == [
        ("slackapp", "slackapp:C0123456789"),
        ("telegram", "telegram:-100123/7"),
        ("twiliowhatsapp", "whatsapp:+4915112345678"),
    ]


async def test_a_chat_that_blocked_our_bot_is_barred_and_no_other(town: Town) -> None:
    user = unique("user")
    said = town.contacts(user, webhooks=(), chats=(), bot_chats=BOT_CHATS)
    await town.stage.say(CONTACTS, said)
    address = "telegram:-100123/7"
    town.outside.simulators.faults.set("telegram", Fault(dead=frozenset({address})))
    await town.fails(user)
    others = sorted(each.provider for each in town.accepted())
    assert others == ["slackapp", "twiliowhatsapp"]
    (barred,) = await town.stage.read(SUPPRESSIONS, Suppression)
    assert (barred.channel, barred.reason) == (Channel.CHAT, SuppressionReason.UNREGISTERED)
    assert barred.address == address


async def test_a_program_neither_sleeps_nor_wants_a_digest(town: Town) -> None:
    user = unique("user")
    await town.stage.say(CONTACTS, town.contacts(user))
    hour = datetime.now(UTC).hour
    quiet = QuietHours(start=f"{hour:02}:00", end=f"{(hour + 2) % 24:02}:00")
    await town.stage.say(PREFERENCES, Preferences(user=user, quiet_hours=(quiet,)))
    await town.fails(user)
    assert [each.channel for each in town.accepted()] == [Channel.WEBHOOK]


async def test_an_address_that_can_not_be_used_costs_its_user_no_other(town: Town) -> None:
    """An import with numbers as people write them at home: hundreds of them stop nobody either."""
    users = [unique("user") for _ in range(300)]
    await town.stage.say(CONTACTS, *(town.contacts(u, chats=(), phone="0151 12345") for u in users))
    await town.fails(users[-1])
    assert [each.channel for each in town.accepted()] == [Channel.WEBHOOK]
    letters = await town.stage.letters()
    assert len(letters) == len(users)
    assert {(letter.reason, letter.detail) for letter in letters} == {
        (Reason.INVALID, "phone is no phone number: + and its 6 to 15 digits are needed")
    }


async def test_contacts_that_lead_within_are_set_aside_and_change_nothing(town: Town) -> None:
    user, other = unique("user"), unique("user")
    await town.stage.say(CONTACTS, town.contacts(user, chats=()))
    inside = town.contacts(user, webhooks=("https://169.254.169.254/latest/meta-data",))
    await town.stage.say(CONTACTS, inside, town.contacts(other, chats=()))
    await town.fails(user)
    await town.fails(other)
    (letter,) = await town.stage.letters()
    assert letter.reason is Reason.INVALID
    assert letter.detail == "webhooks[0] leads to 169.254.169.254, which is not public"
    assert len(town.accepted()) == 2


async def test_what_was_private_all_along_is_refused_by_the_sink(town: Town) -> None:
    """State of before, or a setting that was taken back: the sink looks for itself."""
    user = unique("user")
    await town.stage.say(CONTACTS, town.contacts(user))
    await town.stage.work(town.stage.decider)
    runtime = town.stage.runtime
    strict = runtime.settings.model_copy(update={"private_endpoints": ()})
    town.stage.runtime = replace(runtime, settings=strict)
    await town.fails(user)
    assert town.accepted() == []
    reasons = {letter.reason for letter in await town.stage.letters()}
    assert reasons == {Reason.INVALID_ADDRESS}


async def test_a_hook_that_is_gone_is_not_called_again(town: Town) -> None:
    user = unique("user")
    await town.stage.say(CONTACTS, town.contacts(user, chats=()))
    url = f"{town.outside.base_url}/receiver/1"
    town.outside.simulators.faults.set("standard", Fault(dead=frozenset({url})))
    await town.fails(user)
    (said,) = await town.stage.read(SUPPRESSIONS, Suppression)
    assert (said.channel, said.reason, said.address) == (
        Channel.WEBHOOK,
        SuppressionReason.UNREGISTERED,
        url,
    )
    town.outside.simulators.faults.clear_all()
    await town.stage.work(town.stage.decider)
    await town.fails(user, "again")
    assert town.accepted() == []
    barred = [e for e in await town.stage.told() if e.reason is Reason.SUPPRESSED_ADDRESS]
    assert [e.channel for e in barred] == [Channel.WEBHOOK]
