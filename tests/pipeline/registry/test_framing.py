import pytest

from pipeline.registry.framing import message_path, schema_id
from policy.source.decoding import Undecodable
from tests.pipeline.registry.framed import HEAD, number


def test_a_record_names_its_schema() -> None:
    assert schema_id(b"\x00\x01\x02\x03\x04") == 0x01020304
    assert schema_id(b"\x00\xff\xff\xff\xff rest") == 2**32 - 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"", "no bytes"),
        (b'{"id": 1}', "0x7b.*looks like JSON without a schema"),
        (b"\x01\x00\x00\x00\x01", "0x01"),
        (b"\x00\x00\x00\x01", "4 bytes are too few"),
    ],
)
def test_what_names_no_schema(value: bytes, said: str) -> None:
    with pytest.raises(Undecodable, match=said):
        schema_id(value)


@pytest.mark.parametrize(
    ("written", "path"),
    [
        (b"\x00", (0,)),
        (number(1) + number(0), (0,)),
        (number(1) + number(3), (3,)),
        (number(2) + number(1) + number(300), (1, 300)),
    ],
)
def test_which_message_it_is(written: bytes, path: tuple[int, ...]) -> None:
    assert message_path(HEAD + written + b"rest") == (path, len(HEAD + written))


@pytest.mark.parametrize(
    "written",
    [b"", b"\x80", number(2) + number(1), number(-1), number(33) * 40, b"\xff" * 6],
)
def test_what_is_no_message(written: bytes) -> None:
    with pytest.raises(Undecodable):
        message_path(HEAD + written)
