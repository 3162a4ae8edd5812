"""Whatever a topic holds, something is said of each record, and what is taken can be written."""

import json
import re
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from policy.catalogue.catalogue import parse
from policy.source.compile import FORMATS
from policy.source.decoding import NEEDING_REGISTRY
from policy.source.examples import at_once
from policy.source.record import Mapped, Refused, Skipped, SourceRecord
from schemas.event import Event
from tests.policy.samples import TYPE
from tests.policy.source.sources import AT, source_of

ROOT = Path(__file__).parents[3]
SOURCES = {
    (kind, deletes): source_of(
        f"""
[sources.it]
topics = "it"
format = "{kind}"
into = "events"
deletes = "{deletes}"
when = "after.status != 'x' or not op"
[sources.it.set]
type = "thing.happened"
actor = "{{{{ after.id or before.id or subject or key or 'nobody' }}}}"
data = {{ all = "{{{{ value }}}}", at = "{{{{ ts_ms | default(1) }}}}", t = "{{{{ op }}}}." }}
"""
    )
    for kind in FORMATS
    if kind.removeprefix("debezium+") not in NEEDING_REGISTRY
    for deletes in ("skip", "map")
}
NAMES = (
    *("op", "before", "after", "source", "ts_ms", "schema", "payload", "specversion", "id"),
    *("type", "subject", "time", "data", "data_base64", "datacontenttype", "__deleted"),
    *("status", "key", "topic", "value"),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_specversion", "ce_id", "ce_source", "ce_type", "content-type", "x"]),
        st.sampled_from([b"1.0", b"", b"\xff", b"application/cloudevents+json", b"text/plain"]),
    ),
    max_size=6,
)


@given(
    kind=st.sampled_from(sorted(SOURCES)),
    value=st.none() | st.binary(max_size=9) | VALUES.map(lambda each: json.dumps(each).encode()),
    key=st.none() | st.binary(max_size=9) | VALUES.map(lambda each: json.dumps(each).encode()),
    headers=HEADERS,
)
def test_each_record_is_mapped_skipped_or_refused(
    kind: tuple[str, str],
    value: bytes | None,
    key: bytes | None,
    headers: list[tuple[str, bytes]],
) -> None:
    record = SourceRecord(value=value, timestamp=AT, topic="it", key=key, headers=tuple(headers))
    outcome = at_once(SOURCES[kind].outcome(record))
    assert isinstance(outcome, Mapped | Skipped | Refused)
    if isinstance(outcome, Mapped):
        assert msgspec.json.decode(msgspec.json.encode(outcome.value), type=Event).id


def test_what_the_manual_shows_can_be_used_as_it_is() -> None:
    text = (ROOT / "docs/producers.md").read_text()
    (shown,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    shipped = (ROOT / "catalogue/order_shipped.toml").read_text()
    layouts = (ROOT / "catalogue/layouts.toml").read_text()
    catalogue = parse({"a.toml": TYPE, "b.toml": shipped, "c.toml": layouts, "d.toml": shown})
    (source,) = catalogue.sources.values()
    assert len(source.entry.examples) == 2
