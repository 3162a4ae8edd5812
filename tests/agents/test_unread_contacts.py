"""Channels whose address may stand in contacts still unread, beside all else that may wait.

The user has what is known of them, then Kafka takes newer contacts, then the event, and contacts
are read last: what comes of it is what would have come if they had been read in order.
"""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pipeline.processing.read_first import GRACE
from policy.identity import notification_id
from policy.time.timestamps import moment
from schemas.delivery import Delivery
from schemas.feedback import Feedback
from schemas.profile import Contacts, Device, Preferences, QuietHours
from schemas.topics import CONTACTS, DELIVER, FEEDBACK, PREFERENCES, REQUESTS
from schemas.vocabulary import Priority
from tests.agents.reader import Reader, asked

MINUTE = 60_000
OTHERS = 40
"""Users whose contacts are read before hers, one in half a minute: reading never stands still."""
CONTACTS_BEFORE = Contacts(user="ann", email="ann@example.org", phone="+15005550009")
"""An address for all but push."""
TYPE = """
event = "code.asked"
[types.code]
category = "codes"
priority = "normal"
channels = [{channels}]
users = "who"
time_to_live = "2d"
{special}
[types.code.templates]
{templates}
[categories.codes]
rate_limit = {{ count = 1, seconds = 86400 }}
"""
TEXTS = {
    "push": 'push = { title = "Hi", body = "{{ data.text }}" }',
    "inapp": 'inapp = { title = "Hi", body = "{{ data.text }}" }',
    "email": 'email = { title = "Hi", body = "{{ data.text }}" }',
    "sms": 'sms.body = "{{ data.text }}"',
}
"""The category's limit of one a day: a notification counts once, whenever its channels go."""


def kind(channels: str, special: str = "") -> str:
    """A catalogue of one type."""
    texts = [text for name, text in TEXTS.items() if name in channels or f'"{name}"' in special]
    listed = ", ".join(f'"{channel}"' for channel in channels.split())
    return TYPE.format(channels=listed, special=special, templates="\n".join(texts))


class Town:
    """Ann's newer contacts are unread when her event is."""

    def __init__(self, types: str, before: Contacts = CONTACTS_BEFORE) -> None:
        self.reader = Reader(types)
        self._types = types
        self._before = before

    async def ask(self, after: Contacts, quiet: bool = False, late: int = 0) -> None:
        """The event is taken after `after`, `late` minutes after it happened, and read before."""
        reader = self.reader
        wishes = Preferences(user="ann", channels={"sms": True})  # type: ignore[dict-item]
        if quiet:
            night = QuietHours(start="20:00", end="07:00")
            wishes = msgspec.structs.replace(wishes, quiet_hours=(night,))
        reader.accept(CONTACTS, self._before)
        reader.accept(PREFERENCES, wishes)
        await reader.fetch(CONTACTS)
        await reader.fetch(PREFERENCES)
        for number in range(OTHERS):
            reader.accept(CONTACTS, Contacts(user=f"other-{number}"))
        reader.accept(CONTACTS, after)
        requests, at = REQUESTS[Priority.NORMAL], reader.clock.at + 1000
        reader.accept(requests, asked("ann", at, happened=at - late * MINUTE))
        await reader.fetch(requests)
        reader.seconds += GRACE + 0.1
        await reader.work()

    async def see(self) -> None:
        """She sees the notification."""
        name = notification_id("default", "e", "ann", "code")
        at = moment(self.reader.clock.at)
        self.reader.accept(
            FEEDBACK, Feedback(user="ann", notification_id=name, stage="seen", at=at)
        )
        await self.reader.fetch(FEEDBACK)

    async def read_contacts(self) -> None:
        await self.reader.fetch(CONTACTS)

    async def crash(self) -> None:
        self.reader.begin()

    async def wait(self, minutes: int) -> None:
        """Time passes, and contacts of others are read on."""
        for _ in range(2 * minutes):
            self.reader.clock.at += MINUTE // 2
            await self.reader.fetch(CONTACTS, 1)

    async def wait_until_morning(self) -> None:
        """It is a minute past seven."""
        reader = self.reader
        now = datetime.fromtimestamp(reader.clock.at / 1000, UTC)
        days = timedelta(days=now.hour >= 7)
        morning = now.replace(hour=7, minute=1, second=0) + days
        reader.clock.at = round(morning.timestamp() * 1000)
        await reader.work()

    def ends(self) -> list[str]:
        """How each channel ended, in order of the names."""
        rows = self.reader.ended("ann")
        return sorted(f"{row.channel} {row.reason or 'went'}" for row in rows)

    def sent_to(self) -> list[str]:
        """The addresses that something was written for."""
        return sorted(
            msgspec.json.decode(record.value or b"", type=Delivery).address
            for topic in DELIVER.values()
            for record in self.reader.out.topics.get(topic.name, ())
        )


def with_device(contacts: Contacts = CONTACTS_BEFORE) -> Contacts:
    return msgspec.structs.replace(contacts, devices=(Device(token="phone"),))


EMAIL, SMS, PUSH = "ann@example.org", "+15005550009", "phone"


@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
@pytest.mark.parametrize("is_late", [False, True], ids=["", "late"])
@pytest.mark.parametrize(
    ("fallback", "has_device", "ends", "sent_to"),
    [
        (
            '["push", "email"]',
            True,
            ["email went", "push went", "sms fall_back"],
            [EMAIL, PUSH],
        ),
        (
            '["push", "email"]',
            False,
            ["email went", "push no_address", "sms fall_back"],
            [EMAIL],
        ),
        ('["push"]', True, ["email went", "push went", "sms fall_back"], [EMAIL, PUSH]),
        ('["push"]', False, ["email went", "push no_address", "sms went"], [SMS, EMAIL]),
        ('["email"]', True, ["email went", "push went", "sms fall_back"], [EMAIL, PUSH]),
    ],
)
async def test_with_an_email_that_waits_for_the_morning_and_an_sms_that_stands_by(
    fallback: str,
    has_device: bool,
    ends: list[str],
    sent_to: list[str],
    is_late: bool,
    crashes: bool,
) -> None:
    """Contacts are read at once, or minutes later."""
    town = Town(kind("push email sms", f"fallback = {{ sms = {fallback} }}"))
    await town.ask(with_device() if has_device else CONTACTS_BEFORE, quiet=True)
    assert town.sent_to() == []
    assert town.ends() == []
    if is_late:
        await town.wait(minutes=8)
    if crashes:
        await town.crash()
    await town.read_contacts()
    await town.wait_until_morning()
    assert town.ends() == ends
    assert town.sent_to() == sent_to
    assert not any(town.reader.store.scan(b"h"))


async def test_a_push_without_anything_beside_it_comes_is_late() -> None:
    town = Town(kind("push"))
    await town.ask(with_device(), quiet=True)
    await town.read_contacts()
    assert town.ends() == []
    await town.wait_until_morning()
    assert (town.ends(), town.sent_to()) == (["push went"], [PUSH])


ESCALATION = 'escalation = [{ after = "5m", channels = ["email"] }]'


@pytest.mark.parametrize("crashes", [False, True], ids=["", "crash"])
@pytest.mark.parametrize("minutes", [0, 3, 8], ids=lambda it: f"read-after-{it}-minutes")
@pytest.mark.parametrize("has_device", [False, True], ids=["", "device"])
@pytest.mark.parametrize("quiet", [False, True], ids=["", "quiet"])
async def test_beside_what_went_out_and_an_escalation(
    quiet: bool, has_device: bool, minutes: int, crashes: bool
) -> None:
    """The in-app message makes no sound and goes at once, and the e-mail is timed by that."""
    town = Town(kind("push inapp", ESCALATION + '\nquiet_hours = "defer"'))
    await town.ask(with_device() if has_device else CONTACTS_BEFORE, quiet=quiet)
    assert town.sent_to() == ["ann"]
    await town.wait(minutes)
    if crashes:
        await town.crash()
    push = "push went" if has_device else "push no_address"
    await town.read_contacts()
    await town.wait(10)
    if not quiet:
        assert town.ends() == ["email went", "inapp went", push]
    await town.wait_until_morning()
    assert town.ends() == ["email went", "inapp went", push]
    await town.wait(10)
    assert town.ends() == ["email went", "inapp went", push]
    assert town.sent_to() == ["ann", EMAIL, *[PUSH] * has_device]
    assert not any(town.reader.store.scan(b"h"))


@pytest.mark.parametrize(
    ("unless", "minutes", "email"),
    [("seen", 1, "engaged"), ("opened", 1, "went"), ("seen", 8, "went"), ("opened", 8, "went")],
)
async def test_what_was_seen_meanwhile_needs_no_push(unless: str, minutes: int, email: str) -> None:
    """And the e-mail, which is timed by what she saw, comes once or not at all."""
    town = Town(kind("push inapp", ESCALATION.replace(" }", f', unless = "{unless}" }}')))
    await town.ask(with_device())
    await town.wait(minutes)
    await town.see()
    await town.read_contacts()
    await town.wait(10)
    assert town.ends() == [f"email {email}", "inapp went", "push engaged"]


async def test_a_step_whose_push_waits_is_followed_by_the_next_one_once() -> None:
    """The e-mail of the second step times the third; that has come when the push is needless."""
    steps = (
        '{ after = "2m", channels = ["email", "push"] }',
        '{ after = "2m", channels = ["sms"], unless = "opened" }',
    )
    town = Town(kind("inapp", f"escalation = [{', '.join(steps)}]"))
    await town.ask(with_device())
    await town.wait(6)
    went = ["email went", "inapp went"]
    assert town.ends() == [*went, "sms went"]
    await town.see()
    await town.wait(6)
    assert town.ends() == [*went, "push engaged", "sms went"]


async def test_an_escalation_is_not_replaced_by_what_may_have_no_address_after_all() -> None:
    """Nothing of the first step went out: the next one comes as soon as that is known."""
    town = Town(kind("push", ESCALATION))
    await town.ask(CONTACTS_BEFORE)
    assert town.ends() == []
    await town.read_contacts()
    assert town.ends() == ["email went", "push no_address"]


async def test_the_next_step_of_a_late_event_counts_from_when_the_first_was_sent() -> None:
    town = Town(kind("push", ESCALATION))
    await town.ask(with_device(), late=3)
    await town.wait(1)
    await town.read_contacts()
    assert town.ends() == ["push went"]
    await town.wait(1)  # and a second, as the clock stood at the event's acceptance
    assert town.ends() == ["push went"]
    await town.wait(5)
    assert town.ends() == ["email went", "push went"]


async def test_what_is_gathered_counts_once_in_a_limit_with_a_push_that_waited() -> None:
    """The e-mail's digest is closed, and counts, while contacts are still unread."""
    town = Town(kind("push email", 'digests = [{ channels = ["email"], every = "1m" }]'))
    await town.ask(with_device())
    await town.wait(3)
    assert town.sent_to() == [EMAIL]
    await town.read_contacts()
    assert town.sent_to() == [EMAIL, PUSH]


async def test_a_suppressed_address_is_no_reason_while_a_newer_one_is_unread() -> None:
    bounced = Contacts(user="ann", devices=(Device(token="old"),), suppressed=("old",))
    town = Town(kind("push"), before=bounced)
    await town.ask(with_device(bounced))
    assert town.ends() == []
    await town.read_contacts()
    assert (town.ends(), town.sent_to()) == (["push went"], [PUSH])
