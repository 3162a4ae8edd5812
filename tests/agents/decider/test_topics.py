"""How much of each topic a decider takes at once."""

import pytest

from agents.decider.agent import decider
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.processing.slices import RECORDS
from policy.catalogue.catalogue import parse
from schemas.topics import ERASURES, OUTBOX, REQUESTS, WITHDRAWALS, Topic
from schemas.vocabulary import Priority
from tests.agents.lane import Waiting, runtime


@pytest.mark.parametrize(
    ("topic", "most"),
    [
        (OUTBOX, 100),
        (ERASURES, 50),
        (WITHDRAWALS, 50),
        (REQUESTS[Priority.NORMAL], RECORDS),
    ],
    ids=lambda each: each.name if isinstance(each, Topic) else "",
)
def test_what_costs_more_comes_in_smaller_slices(topic: Topic, most: int) -> None:
    """While one is worked on the others wait."""
    found = Waiting(decider(FixedCatalogue(parse({})), runtime()))
    found.add(topic, most + 1)
    slices = [found.take(), found.take()]
    assert [each and len(each.records) for each in slices] == [most, 1]
