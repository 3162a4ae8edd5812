"""What the catalogue makes of the events of a source before the router has them."""

from typing import Any

import pytest

from policy.catalogue.catalogue import Catalogue, parse
from policy.source.examples import at_once
from policy.source.record import Mapped, Outcome, Refused, SourceRecord
from policy.source.usable import judged
from schemas.vocabulary import Reason

UNTIL = 'until = { event = "parcel.found", match = "parcel" }'
TEXTS = 'inapp = { body = "It is late." }'
TYPES = """
event = "parcel.late"
[types.to_customer]
category = "orders"
priority = "normal"
channels = ["inapp"]
users = "customer_id"
{more}
time_to_live = "1h"
[types.to_customer.templates]
{texts}

[sources.parcels]
into = "events"
[sources.parcels.set]
type = "{{{{ kind or 'parcel.late' }}}}"
actor = "depot"
data = "{{{{ value }}}}"
"""


def outcome_of(value: bytes, more: str = "", **named: str) -> Outcome:
    catalogue: Catalogue = parse({"parcels.toml": TYPES.format(more=more, texts=TEXTS, **named)})
    record = SourceRecord(value=value, timestamp=1_773_480_389_589)
    return judged(at_once(catalogue.sources["parcels"].outcome(record)), catalogue)


@pytest.mark.parametrize(
    ("value", "more"),
    [
        (b'{"customer_id": "ann"}', ""),
        (b'{"customer_id": 1042}', ""),
        (b'{"customer_id": [1042, "ann"]}', ""),
        (b'{"customer_id": 1, "kind": "parcel.found"}', UNTIL),
        (b'{"customer_id": 1, "days": 0}', 'when = "data.days > 1"'),
    ],
)
def test_an_event_that_says_who_is_told_is_used(value: bytes, more: str) -> None:
    assert isinstance(outcome_of(value, more), Mapped)


@pytest.mark.parametrize(
    ("value", "more", "why"),
    [
        (b"{}", "", "data.customer_id is missing, see to_customer"),
        (b'{"customer_id": 1.5}', "", "data.customer_id is not a user"),
        (b'{"customer_id": null, "days": 0}', 'when = "data.days > 1"', "customer_id is missing"),
        (b'{"customer_id": 1}', 'when = "data.days > 1"', "days"),
        (
            b'{"customer_id": false, "kind": "parcel.found"}',
            UNTIL,
            "data.customer_id is not a user",
        ),
    ],
)
def test_one_that_does_not_is_refused_where_its_source_is_known(
    value: bytes, more: str, why: str
) -> None:
    found = outcome_of(value, more)
    assert isinstance(found, Refused), found
    assert found.reason is Reason.INVALID
    assert why in found.detail


def test_one_that_no_type_is_about_is_refused() -> None:
    found: Any = outcome_of(b'{"kind": "parcel.lost"}')
    assert (found.reason, found.detail) == (
        Reason.UNKNOWN_TYPE,
        "no notification type for 'parcel.lost'",
    )
