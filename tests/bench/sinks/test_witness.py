"""That an SDK which sends something else than ours is found out."""

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from bench.sinks.witness import Message, Witness, check_alike
from embedded.simulators.accept_log import Accepted, digest_of
from schemas.vocabulary import Channel

ANN = Message("ann@example.com", "Order 1", digest_of("Order 1 is on its way."), "n1", "d1")
BO = Message("bo@example.com", "Order 2", digest_of("Order 2 is on its way."), "n2", "d2")


def line(message: Message) -> bytes:
    accepted = Accepted(
        at=1.0,
        provider="sendgrid",
        channel=Channel.EMAIL,
        reference="r",
        **message._asdict(),
    )
    return msgspec.json.encode(accepted) + b"\n"


def test_only_what_came_since_it_was_last_asked_is_news(tmp_path: Path) -> None:
    log = tmp_path / "accepted.jsonl"
    log.write_bytes(line(ANN) + line(ANN))
    witness = Witness(log)
    assert witness.news() == {ANN: 2}
    with log.open("ab") as more:
        more.write(line(BO))
    assert witness.news() == {BO: 1}
    assert witness.news() == {}


def test_the_same_messages_are_alike_in_whatever_order() -> None:
    assert check_alike("sendgrid", Counter([ANN, BO]), Counter([BO, ANN])) == 2


@pytest.mark.parametrize(
    "theirs",
    [
        [ANN],
        [ANN, BO, BO],
        [ANN, BO._replace(digest=digest_of("Order 1 is on its way."))],
        [ANN, BO._replace(title="Order 1")],
        [ANN, BO._replace(address=ANN.address)],
        [ANN, BO._replace(delivery_id="d1")],
        [ANN, BO._replace(notification_id="")],
    ],
    ids=["lost", "twice", "text", "title", "address", "delivery", "notification"],
)
def test_another_message_fails_the_bench(theirs: list[Message]) -> None:
    with pytest.raises(RuntimeError, match="of ours and the SDK's differ: Message"):
        check_alike("sendgrid", Counter([ANN, BO]), Counter(theirs))
