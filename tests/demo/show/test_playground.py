"""The page to play with: its events fit the shipped catalogue, and its visitor's lists stay."""

from pathlib import Path

import msgspec
import pytest

from demo.show.playground import DEVICE, EMAIL, EVENTS_OF, USER, event_of
from demo.show.visitor import KEPT, Failures, Taken
from embedded.simulators.accept_log import Accepted
from policy.decision.context import Standing, explanations
from policy.time.timestamps import epoch_ms
from policy.user.profile import Profile
from schemas.dead_letter import DeadLetter
from schemas.profile import Contacts, Device
from schemas.vocabulary import Channel, Reason
from tests.policy.samples import shipped_catalogue

YOU = Contacts(user=USER, email=EMAIL, devices=(Device(token=DEVICE),))


@pytest.mark.parametrize("button", EVENTS_OF)
def test_the_event_of_every_button_is_decided_and_goes_out(button: str) -> None:
    _, kind, data = EVENTS_OF[button]
    event = event_of(kind, data)
    standing = Standing(Profile().with_contacts(YOU))
    found = explanations(
        event, USER, epoch_ms(event.occurred_at), shipped_catalogue(), standing, 1000
    )
    assert found
    for each in found:
        assert each.refused == ""
        assert each.membership.is_in
        assert each.sent


def message(number: int, address: str) -> Accepted:
    return Accepted(
        at=float(number), provider="fcm", channel=Channel.PUSH, notification_id="n",
        delivery_id=str(number), address=address, title="Hi", digest="d", reference="r",
    )  # fmt: skip


def add(log: Path, *messages: Accepted) -> None:
    with log.open("ab") as file:
        file.write(msgspec.json.Encoder().encode_lines(messages))


def test_what_was_taken_for_the_visitor_stays_however_much_others_are_sent(tmp_path: Path) -> None:
    log = tmp_path / "accepted.jsonl"
    taken = Taken(log, (EMAIL, DEVICE))
    taken.read_on()
    add(log, message(1, DEVICE))
    taken.read_on()
    # More than a whole chunk of it, by people whose addresses look alike.
    add(log, *(message(2, f"x-{DEVICE}-{at}") for at in range(10_000)))
    taken.read_on()
    add(log, message(3, EMAIL))
    taken.read_on()
    assert [each.delivery_id for each in taken.messages] == ["1", "3"]


def test_a_line_that_is_being_written_is_read_once_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "accepted.jsonl"
    taken = Taken(log, (DEVICE,))
    line = msgspec.json.encode(message(1, DEVICE)) + b"\n"
    with log.open("ab", buffering=0) as file:
        file.write(line[:30])
        taken.read_on()
        assert not taken.messages
        file.write(line[30:])
    for _ in range(2):
        taken.read_on()
        assert len(taken.messages) == 1


def test_the_newest_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "accepted.jsonl"
    add(log, *(message(at, DEVICE) for at in range(30)))
    taken = Taken(log, (DEVICE,))
    taken.read_on()
    assert [each.delivery_id for each in taken.messages] == [str(at) for at in range(10, 30)]
    assert len(taken.messages) == KEPT


def letter(value: bytes) -> bytes:
    said = DeadLetter(
        id="1f2e", reason=Reason.INVALID, detail="data.conversation_id is missing", role="decider",
        topic="requests.high", partition=0, offset=7, at=0, value=value,
    )  # fmt: skip
    return msgspec.json.encode(said)


def test_a_dead_letter_of_the_visitors_event_is_told_in_words_and_of_no_other() -> None:
    failures = Failures()
    failures.wrote("chat.message-17", "Bo writes to you")
    failures.take(letter(b'{"event": {"id": "chat.message-18"}}'))
    assert not failures.sentences
    failures.take(letter(b'{"event": {"id": "chat.message-17"}}'))
    assert list(failures.sentences) == [
        "“Bo writes to you” could not be processed by the decider and became a dead letter "
        "(invalid: data.conversation_id is missing). tocsin dead-letters show 1f2e"
    ]
