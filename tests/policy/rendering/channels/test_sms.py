import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.rendering.channels.sms import BASIC, EXTENDED, Segments, SmsRoom, segments_of

texts = st.text() | st.text(alphabet="aé€^…ж😀 \n\xa0", min_size=30, max_size=900)


@pytest.mark.parametrize(
    ("text", "encoding", "count"),
    [
        ("", "GSM-7", 1),
        ("x" * 160, "GSM-7", 1),
        ("x" * 161, "GSM-7", 2),
        ("é" * 306, "GSM-7", 2),
        ("x" * 307, "GSM-7", 3),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        ("€" * 152, "GSM-7", 2),
        ("€" * 153, "GSM-7", 3),  # 153 septets hold 76 pairs, and no half one
        ("ж" * 70, "UCS-2", 1),
        ("ж" * 71, "UCS-2", 2),
        ("ж" * 134, "UCS-2", 2),
        ("ж" * 135, "UCS-2", 3),
        ("😀" * 35, "UCS-2", 1),
        ("😀" * 36, "UCS-2", 2),
        ("😀" * 66, "UCS-2", 2),
        ("😀" * 67, "UCS-2", 3),
        ("`", "UCS-2", 1),
        ("x" * 69 + "…", "UCS-2", 1),
    ],
)
def test_segments(text: str, encoding: str, count: int) -> None:
    found = segments_of(text)
    assert (found.encoding, found.count) == (encoding, count)


def test_the_alphabet() -> None:
    assert len(BASIC) == len(set(BASIC)) == 127  # and the escape to the other ten
    assert len(EXTENDED) == 10


@given(texts, st.integers(1, 10), st.sampled_from(["", "\n+12"]))
def test_a_text_never_has_more_than_its_segments(text: str, limit: int, tail: str) -> None:
    found = SmsRoom(limit).fitted("", text, {}, tail)
    assert segments_of(found).count <= limit
    assert found.endswith(tail)


@given(texts, st.integers(1, 10))
def test_only_what_does_not_fit_is_cut(text: str, limit: int) -> None:
    room = SmsRoom(limit)
    found = room.fitted("", text, {})
    plain = text.replace("\xa0", " ").replace("\u202f", " ").replace("\u2009", " ")
    if room.holds("", text, {}):
        assert found in (text, plain)
    else:
        assert found.endswith(("...", "…"))
        assert plain.startswith(found.rstrip("….").rstrip("."))


def test_the_mark_keeps_the_encoding() -> None:
    room = SmsRoom(2)
    assert room.fitted("", "x" * 999, {}) == "x" * 303 + "..."
    assert segments_of(room.fitted("", "x" * 999, {})) == Segments("GSM-7", 2)
    assert room.fitted("", "ж" * 999, {}) == "ж" * 133 + "…"


def test_a_space_does_not_cost_half_the_message() -> None:
    found = SmsRoom(1).fitted("", "1.299,00\xa0€ um 3:00\u202fPM", {})
    assert found == "1.299,00 € um 3:00 PM"
    assert segments_of(found).encoding == "GSM-7"
