"""The forms in which state is kept: the changelog of a running system is full of them."""

import msgspec
import pytest

from policy.decision.context import NOWHERE
from policy.digest.windows import HOURLY
from policy.limits.rate_limit import Tally, Window
from policy.user.ledger import Gathering, Waiting
from schemas.request import Origin
from schemas.vocabulary import Channel, Stage

GATHERING = b'["t","push",[5000,3600000,0,0,[],127],0,0,0,0,0,[],0'


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (Window(60, (1, 2), 3), b"[60,[1,2],3]"),
        (Window(60, ()), b"[60,[],0]"),
        (Tally(60, 7, (1, 2)), b"[60,7,[1,2]]"),
        (Waiting(5), b"[5,null,[],false]"),
        (Waiting(5, Stage.SEEN), b'[5,"seen",[],false]'),
        (Gathering("t", Channel.PUSH, HOURLY), GATHERING + b',""]'),
        (Gathering("t", Channel.PUSH, HOURLY, category="c"), GATHERING + b',"c"]'),
    ],
)
def test_each_is_a_list(value: msgspec.Struct, encoded: bytes) -> None:
    assert msgspec.json.encode(value) == encoded
    assert msgspec.json.decode(encoded, type=type(value)) == value


def test_what_was_gathered_before_there_were_categories_is_of_one_type() -> None:
    assert msgspec.json.decode(GATHERING + b"]", type=Gathering).category == ""


def test_an_event_that_is_asked_about_stands_nowhere() -> None:
    assert Origin("events", -1, -1) == NOWHERE
