from hypothesis import assume, given
from hypothesis import strategies as st

from policy.identity import delivery_event_id, delivery_id, notification_id
from schemas.vocabulary import Channel, Stage

# Few letters, so that pieces which run together are likely.
text = st.text(alphabet="a1:\x00", min_size=1, max_size=4)
names = st.tuples(text, text, text, text)
deliveries = st.tuples(st.sampled_from(["0" * 32, "1" * 32]), st.sampled_from(Channel), text)
happenings = st.tuples(
    st.sampled_from(["0" * 32, "1" * 32]),
    st.none() | st.sampled_from(Channel),
    st.sampled_from(Stage),
    st.integers(0, 12),
)


@given(names, names)
def test_notification_ids_differ_where_any_part_does(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    assert (notification_id(*one) == notification_id(*other)) is (one == other)


def test_pieces_that_run_together_are_told_apart() -> None:
    assert notification_id("t", "a", "1:b", "x") != notification_id("t", "a1:b", "", "x")


@given(deliveries, deliveries)
def test_delivery_ids_differ_where_any_part_does(
    one: tuple[str, Channel, str], other: tuple[str, Channel, str]
) -> None:
    assert (delivery_id(*one) == delivery_id(*other)) is (one == other)


@given(happenings, happenings)
def test_delivery_event_ids_differ_where_any_part_does(
    one: tuple[str, Channel | None, Stage, int], other: tuple[str, Channel | None, Stage, int]
) -> None:
    assume(one != other)
    assert delivery_event_id(*one) != delivery_event_id(*other)


def test_ids_stay_what_they_were_in_every_process_and_version() -> None:
    name = notification_id("default", "e1", "ann", "thing")
    assert name == "f77be8bfb53289e90468574d8b9950ab"
    assert delivery_id(name, Channel.PUSH, "phone") == "7feeabb4f1ebb24d70cb17dfcdc0b819"
    assert delivery_event_id(name, None, Stage.SUPPRESSED, 0) == f"{name}.all.suppressed.0"
