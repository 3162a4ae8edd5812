"""Errors that nobody foresaw: whose fault they are taken for, and what is told of them."""

import json
import logging

import pytest
from aiokafka.errors import KafkaError
from prometheus_client import REGISTRY

from pipeline.kafka.murmur2 import murmur2
from pipeline.processing.record_faults import is_of_record, report_fault
from schemas.errors import BadCatalogue, Unavailable
from schemas.vocabulary import Reason


def counted(source: str) -> float:
    return REGISTRY.get_sample_value("tocsin_unprocessable_total", {"source": source}) or 0.0


def raised_in_ours() -> Exception:
    """An error that a function of ours ran into."""
    try:
        murmur2(None)  # type: ignore[arg-type]
    except TypeError as error:
        return error
    raise AssertionError


def raised_below_ours() -> Exception:
    """One that was raised in a library, which we had called."""
    try:
        json.loads("{")
    except ValueError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "is_of"),
    [
        (KeyError("x"), True),
        (OverflowError(), True),
        (RecursionError(), True),
        (Unavailable("no"), False),
        (BadCatalogue("no"), False),
        (OSError("no"), False),
        (ConnectionResetError(), False),
        (MemoryError(), False),
        (KafkaError(), False),
        (KeyboardInterrupt(), False),
        (SystemExit(), False),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_record_is_to_blame_for_what_is_not_broken_around_it(
    error: BaseException, *, is_of: bool
) -> None:
    assert is_of_record(error) is is_of


def test_what_is_told_is_the_error_and_where_in_our_code_it_was_raised() -> None:
    told = report_fault("faults-test", "a record of events-0", raised_in_ours())
    assert told.reason is Reason.UNPROCESSABLE
    assert told.detail.startswith("TypeError: object of type 'NoneType' has no len() (pipeline/")
    assert told.detail.endswith(", murmur2)")
    place = told.detail.rpartition("(")[2]
    assert place.startswith("pipeline/kafka/murmur2.py:")


def test_of_what_a_library_raised_the_place_is_where_we_called_it() -> None:
    told = report_fault("faults-test", "a record", raised_below_ours())
    assert "tests/pipeline/processing/test_record_faults.py:" in told.detail
    assert told.detail.endswith(", raised_below_ours)")
    assert "json/" not in told.detail


def test_what_has_no_place_is_told_without_one() -> None:
    assert report_fault("faults-test", "a record", ValueError("bad")).detail == "ValueError: bad"


def test_a_long_error_is_cut_and_its_place_is_not() -> None:
    try:
        raise ValueError("x" * 9000)
    except ValueError as error:
        told = report_fault("faults-test", "a record", error)
    said, _, place = told.detail.partition(" (")
    assert said == "ValueError: " + "x" * 288
    assert place.endswith("its_place_is_not)")


def test_each_is_counted_by_its_source_and_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before, error = counted("faults-count"), raised_in_ours()
    with caplog.at_level(logging.ERROR, "pipeline.processing.record_faults"):
        report_fault("faults-count", "a record of events-0", error)
    assert counted("faults-count") == before + 1
    (said,) = caplog.records
    assert said.getMessage().startswith(
        "faults-count: a record of events-0 can't be worked on (TypeError: "
    )
    assert said.exc_info is not None
    assert said.exc_info[1] is error
