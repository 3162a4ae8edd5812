"""What is said of people, beside what state of before this version says of them."""

from datetime import UTC, datetime

import pytest

from agents.decider.opt_outs import OptOutReports
from agents.decider.profile_updates import note
from pipeline.clock import SystemClock
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Outputs
from policy.catalogue.catalogue import parse
from policy.user.profile import Profile
from policy.user.suppression import usable
from policy.user.suppression_reason import Barred
from policy.user.taken import Taken
from schemas.feedback import Stop, Suppression
from schemas.profile import Contacts, Device, DeviceChange
from schemas.vocabulary import Channel, SuppressionReason
from tables.phones import PHONES, STOPPED
from tables.storage.memory_store import MemoryStore
from tables.storage.table import key_of
from tables.storage.transaction import Transaction
from tables.users import PROFILES, user_key

NOW = 1_795_000_000_000
ADA = user_key("default", "ada")
WITH_1, WITHOUT = "+5215512345678", "+525512345678"
"""A Mexican number as it was written until 2019, and since."""


class Notes:
    """A decider's state, and what is said."""

    def __init__(self) -> None:
        self._store = MemoryStore()

    def transaction(self) -> Transaction:
        return Transaction(None, self._store, Outputs(MemoryLog(SystemClock())))

    async def hear(
        self, *said: Contacts | DeviceChange | Stop | Suppression, at: int = NOW
    ) -> None:
        for value in said:
            transaction = self.transaction()
            note(transaction, value, Taken(at), OptOutReports(transaction, parse({}), 0))
            await transaction.commit()

    async def keep(self, profile: Profile, stopped_at: int | None = None) -> None:
        """As another version left it."""
        transaction = self.transaction()
        transaction.view(PROFILES).put(ADA, profile)
        transaction.view(PHONES).put(key_of(profile.phone, "default", "ada"), True)
        if stopped_at is not None:
            transaction.view(STOPPED).put(key_of(profile.phone), stopped_at)
        await transaction.commit()

    def numbers(self, now: int) -> tuple[str, ...]:
        """Where ada may be sent a text."""
        profile = self.transaction().view(PROFILES).get(ADA) or Profile()
        return usable(profile, Channel.SMS, profile.addresses(Channel.SMS), now)


def answer(phone: str, at: int, stopped: bool = True) -> Stop:
    return Stop(phone=phone, at=datetime.fromtimestamp(at / 1000, UTC), stopped=stopped)


@pytest.mark.parametrize("kept", [WITH_1, WITHOUT])
@pytest.mark.parametrize("said", [WITH_1, WITHOUT])
async def test_stop_counts_however_a_number_is_written(kept: str, said: str) -> None:
    notes = Notes()
    await notes.keep(Profile(phone=kept))
    assert notes.numbers(NOW) == (kept,)
    await notes.hear(answer(said, NOW))
    assert notes.numbers(NOW + 1) == ()
    # Their app says all of it once more, in the way in which it is written now.
    await notes.hear(Contacts(user="ada", phone=WITHOUT))
    assert notes.numbers(NOW + 2) == ()
    await notes.hear(answer(said, NOW + 3, stopped=False))
    assert notes.numbers(NOW + 4) == (WITHOUT,)


async def test_a_stop_of_before_counts_for_who_gives_the_number_now() -> None:
    notes = Notes()
    await notes.keep(Profile(phone=WITH_1), stopped_at=NOW - 5)
    await notes.hear(Contacts(user="bob", phone=WITHOUT))
    profile = notes.transaction().view(PROFILES).get(user_key("default", "bob"))
    assert profile is not None
    assert profile.barred == (Barred(Channel.SMS, WITHOUT, SuppressionReason.STOP, NOW - 5),)


async def test_a_device_that_comes_back_with_contacts_is_there_again() -> None:
    """What an app says of all its devices is a registration of those that it did not list."""
    gone = Barred(Channel.PUSH, "token", SuppressionReason.UNREGISTERED, NOW)
    device = Device(token="token")

    async def pushed(before: Profile, at: int) -> bool:
        notes = Notes()
        await notes.keep(before)
        await notes.hear(Contacts(user="ada", devices=(device,)), at=at)
        profile = notes.transaction().view(PROFILES).get(ADA) or Profile()
        return bool(usable(profile, Channel.PUSH, profile.devices, NOW + 10))

    assert await pushed(Profile(barred=(gone,)), NOW + 1)
    # Said before it was gone, or all the time.
    assert not await pushed(Profile(barred=(gone,)), NOW - 1)
    assert not await pushed(Profile(devices=("token",), barred=(gone,)), NOW + 1)


async def test_a_device_that_registers_is_there_again_from_when_kafka_took_that() -> None:
    gone = Barred(Channel.PUSH, "token", SuppressionReason.UNREGISTERED, NOW)
    known = Profile(devices=("token",), barred=(gone,))

    async def pushed(at: int, removed: bool = False) -> bool:
        notes = Notes()
        await notes.keep(known)
        said = DeviceChange(user="ada", device=Device(token="token"), removed=removed)
        await notes.hear(said, at=at)
        profile = notes.transaction().view(PROFILES).get(ADA) or Profile()
        return bool(usable(profile, Channel.PUSH, profile.devices, NOW + 10))

    assert await pushed(NOW + 1)
    # Said before it was gone, or that it is gone.
    assert not await pushed(NOW - 1)
    assert not await pushed(NOW + 1, removed=True)


@pytest.mark.parametrize("accepted_at", [0, NOW - 5])
async def test_a_refused_address_of_somebody_who_is_known_is_used_no_more(accepted_at: int) -> None:
    notes = Notes()
    await notes.keep(Profile(phone=WITHOUT))
    await notes.hear(refused(accepted_at))
    assert notes.numbers(NOW + 1) == ()


async def test_of_a_message_to_somebody_of_whom_nothing_is_known_nothing_is_kept() -> None:
    """They were erased meanwhile; what names no message was said of them since."""
    notes = Notes()
    await notes.hear(refused(NOW - 5))
    assert notes.transaction().view(PROFILES).get(ADA) is None
    await notes.hear(refused(0))
    assert notes.transaction().view(PROFILES).get(ADA) is not None


def refused(accepted_at: int) -> Suppression:
    """Ada's number is unknown to a provider, as it said of a message that Kafka took then."""
    return Suppression(
        user="ada",
        channel=Channel.SMS,
        reason=SuppressionReason.UNREGISTERED,
        at=datetime.fromtimestamp(NOW / 1000, UTC),
        address=WITHOUT,
        accepted_at=accepted_at,
    )
