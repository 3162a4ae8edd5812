"""What the demo's shop writes means what its log says, by the source that the demo adds."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from demo.produce.producer_log import Claim, read_claims
from demo.produce.shop import TOPIC, changes, line_of
from demo.produce.shop_catalogue import with_the_shop
from embedded.local_stack import CATALOGUE
from pipeline.catalogue_folder import read_catalogue
from policy.source.record import Mapped, Refused, Skipped, SourceRecord
from schemas.event import Event

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = 1_772_366_401_234


async def test_each_change_becomes_what_the_log_says_of_it(tmp_path: Path) -> None:
    source = read_catalogue(with_the_shop(CATALOGUE, tmp_path / "catalogue")).sources["orders"]
    assert source.reads(TOPIC)
    seen = dict.fromkeys(("said", "again", "skipped", "bad"), 0)
    for offset, change in enumerate(changes(7, 60, 10, START)):
        record = SourceRecord(
            value=change.value, key=change.key, timestamp=AT, topic=TOPIC, offset=offset
        )
        line: Any = line_of(
            change, SimpleNamespace(topic=TOPIC, partition=0, offset=offset, timestamp=AT)
        )
        match await source.outcome(record):
            case Mapped(value=Event() as event):
                if change.again:
                    assert line == {"repeat": event.id, "at": AT}
                    seen["again"] += 1
                    continue
                claim = Claim(**line)
                assert (event.id, event.type, event.actor) == (claim.id, claim.type, claim.actor)
                assert event.data == claim.data
                assert event.occurred_at == datetime.fromisoformat(claim.occurred_at)
                seen["said"] += 1
            case Skipped():
                assert line is None
                seen["skipped"] += 1
            case Refused(reason=reason):
                assert (line["reason"], line["offset"]) == (reason, offset)
                seen["bad"] += 1
    assert (seen["said"], seen["skipped"], seen["bad"]) == (60, 120, 1)
    assert seen["again"] > 0


def test_claims_of_both_producers_are_read_together() -> None:
    line = '{"id":"%s","type":"t","actor":"a","occurred_at":"2026-03-01T12:00:00Z","at":1}\n'
    claims = read_claims([line % "one"])
    assert read_claims([line % "two", '{"repeat":"one","at":2}\n'], claims) is claims
    assert claims.events.keys() == {"one", "two"}
    assert claims.repeats == {"one": 1}
