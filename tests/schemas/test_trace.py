"""Trace contexts, as OpenTelemetry's own propagator reads and writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.trace import HEADER, MOST_STATE, TraceContext, begun, parse, state_of

OFFICIAL = TraceContextTextMapPropagator()
HEX = st.sampled_from("0123456789abcdef")
ODD = st.builds(
    "-".join,
    st.lists(st.text(HEX | st.sampled_from("gF"), max_size=33), min_size=3, max_size=5),
)
WHOLE = st.builds(
    lambda version, trace, span, flags, more: f"{version}-{trace}-{span}-{flags}{more}",
    st.sampled_from(["00", "01", "cc", "ff"]),
    st.text(HEX, min_size=32, max_size=32),
    st.text(HEX, min_size=16, max_size=16),
    st.sampled_from(["00", "01", "02", "03", "ff"]),
    st.sampled_from(["", "-what-comes-later"]),
)


def official(text: str) -> SpanContext:
    return get_current_span(OFFICIAL.extract({HEADER: text}, Context())).get_span_context()


@given(WHOLE | ODD | st.text(max_size=60))
def test_a_header_is_read_as_the_propagator_reads_it(text: str) -> None:
    context, is_one = parse(text)
    expected = official(text)
    assert is_one is expected.is_valid
    if context is None:
        assert not (expected.is_valid and expected.trace_flags.sampled)
    else:
        assert (int(context.trace_id, 16), int(context.span_id, 16)) == (
            expected.trace_id,
            expected.span_id,
        )
        assert expected.trace_flags.sampled


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1))
def test_what_is_written_is_what_the_propagator_writes(trace_id: int, span_id: int) -> None:
    ours = str(TraceContext(f"{trace_id:032x}", f"{span_id:016x}"))
    carrier: dict[str, str] = {}
    span = NonRecordingSpan(
        SpanContext(trace_id, span_id, is_remote=False, trace_flags=TraceFlags(1))
    )
    OFFICIAL.inject(carrier, set_span_in_context(span, Context()))
    assert carrier[HEADER] == ours


def test_a_child_is_the_same_for_the_same_work_and_no_other() -> None:
    parent = TraceContext("a" * 32, "b" * 16)
    assert parent.child("send", "1") == parent.child("send", "1")
    others = {parent.child("send", "1"), parent.child("send", "2"), parent.child("s", "end1")}
    assert len(others) == 3
    assert {each.trace_id for each in others} == {parent.trace_id}


@pytest.mark.parametrize(
    ("ratio", "least", "most"), [(0.0, 0, 0), (0.25, 200, 300), (1.0, 1000, 1000)]
)
def test_as_large_a_share_is_begun_as_is_asked_for(ratio: float, least: int, most: int) -> None:
    found = [begun(ratio, "acme", f"e{number}") for number in range(1000)]
    assert least <= sum(each is not None for each in found) <= most
    assert found == [begun(ratio, "acme", f"e{number}") for number in range(1000)]


KEYS = st.sampled_from(["a", "rojo", "0a@b", "1", "A", "a" * 256, "a" * 257, "k*-_/", "é"])
VALUES = st.sampled_from(["1", "00f067aa0ba902b7", "", " x", "x ", "a=b", "v" * 200, "é", "\t"])
MEMBERS = st.builds(lambda key, sign, value: f"{key}{sign}{value}", KEYS, st.just("="), VALUES)
STATES = st.lists(MEMBERS | st.sampled_from(["", " ", "a"]), max_size=5).map(", ".join)


@given(STATES | st.text(max_size=40))
def test_state_is_passed_on_as_the_propagator_passes_it_on(text: str) -> None:
    expected = TraceState.from_header([text]).to_header()
    assert state_of(text) == (expected if len(expected) <= MOST_STATE else "")


def test_state_of_more_members_than_there_may_be_is_dropped() -> None:
    members = [f"k{number}=v" for number in range(33)]
    assert state_of(",".join(members[:32])) == ",".join(members[:32])
    assert state_of(",".join(members)) == ""
