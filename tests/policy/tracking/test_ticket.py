"""Tickets: what was issued is read, for what it was issued, and nothing else is."""

import hmac
from base64 import b64encode, urlsafe_b64decode
from hashlib import blake2b
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack, structs

from policy.notification_type import YEAR_MS
from policy.tracking.ticket import (
    LIFE_MS,
    MOST_TEXT,
    SIGNATURE,
    Purpose,
    Stub,
    Ticket,
    is_over,
    is_too_long,
    issue_stub,
    issue_ticket,
    read_stub,
    read_ticket,
    stub_of,
    ticket_of,
)
from schemas.delivery import Content, Delivery
from schemas.trace import TraceContext
from schemas.vocabulary import Channel, Priority

KEY = b"a key of thirty-two bytes or so."
OPEN = Purpose.OPEN
PURPOSES = [purpose for purpose in Purpose if purpose is not Purpose.ANY]
DAY_MS = 86_400_000
SPAN = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")


def delivery(user: str, category: str = "orders") -> Delivery:
    return Delivery(
        delivery_id="1f" * 16,
        notification_id="2e" * 16,
        event_id="order-7-shipped",
        type="order_shipped",
        category=category,
        user=user,
        channel=Channel.EMAIL,
        priority=Priority.HIGH,
        address="ada@example.com",
        content=Content(body="On its way"),
        occurred_at=1_700_000_000_000,
        accepted_at=1_700_000_000_100,
        expires_at=1_700_003_600_000,
        tenant="acme",
    )


@given(st.text(min_size=1, max_size=200), st.text(max_size=50))
def test_what_was_issued_is_read(user: str, category: str) -> None:
    text = issue_ticket(delivery(user, category), OPEN, KEY)
    assert text.replace("-", "").replace("_", "").isalnum()
    ticket = read_ticket(text, OPEN, KEY)
    assert ticket is not None
    assert (ticket.user, ticket.category, ticket.tenant) == (user, category, "acme")
    assert (ticket.channel, ticket.priority) == (Channel.EMAIL, Priority.HIGH)
    assert ticket.delivery_id.hex() == "1f" * 16
    assert ticket.notification_id.hex() == "2e" * 16


def test_a_ticket_tells_no_address() -> None:
    assert "ada@example.com" not in repr(
        read_ticket(issue_ticket(delivery("ada"), OPEN, KEY), OPEN, KEY)
    )


@given(st.data())
def test_a_changed_ticket_is_none(data: st.DataObject) -> None:
    text = issue_ticket(delivery("ada"), OPEN, KEY)
    # The last letter holds bits that no byte has.
    place = data.draw(st.integers(0, len(text) - 2))
    letter = data.draw(st.sampled_from("abcdefgh01234567-_").filter(lambda c: c != text[place]))
    assert read_ticket(text[:place] + letter + text[place + 1 :], OPEN, KEY) is None


@given(st.text(max_size=60))
def test_no_text_reads_as_a_ticket(text: str) -> None:
    assert read_ticket(text, OPEN, KEY) is None


def test_an_empty_key_reads_nothing_though_everybody_can_sign_with_it() -> None:
    assert read_ticket(issue_ticket(delivery("ada"), OPEN, b""), OPEN, b"") is None


def test_another_key_reads_none() -> None:
    assert read_ticket(issue_ticket(delivery("ada"), OPEN, KEY), OPEN, b"another") is None


def test_a_ticket_is_its_signature_and_the_delivery() -> None:
    """HMAC-SHA256 over `ticket:` and the fields in MessagePack, of which the first 16 bytes."""
    said = structs.replace(delivery("ada"), catalogue="c1")
    fields = [
        bytes.fromhex("1f" * 16),
        bytes.fromhex("2e" * 16),
        "order-7-shipped",
        "acme",
        "ada",
        "order_shipped",
        "orders",
        "email",
        "high",
        1_700_000_000_000,
        1_700_000_000_100,
        "c1",
        "open",
        b"",
    ]
    body = msgpack.encode(fields)
    signature = hmac.new(KEY, b"ticket:" + body, "sha256").digest()[:16]
    text = issue_ticket(said, OPEN, KEY)
    assert text == b64encode(signature + body, b"-_").decode().rstrip("=")
    assert read_ticket(text, OPEN, KEY) == Ticket(*fields) == ticket_of(said, OPEN)  # type: ignore[arg-type]


@pytest.mark.parametrize("of_category", range(1, 9))
def test_a_ticket_of_any_length_is_read(of_category: int) -> None:
    """Its padding is left out, and there are four lengths of it."""
    text = issue_ticket(delivery("ada", "x" * of_category), OPEN, KEY)
    assert "=" not in text
    ticket = read_ticket(text, OPEN, KEY)
    assert ticket is not None
    assert ticket.category == "x" * of_category


def test_what_is_signed_but_no_ticket_is_none() -> None:
    for body in (b"", b"\x93\x01\x02\x03", msgpack.encode({"user": "ada"})):
        signature = hmac.new(KEY, b"ticket:" + body, "sha256").digest()[:16]
        assert read_ticket(b64encode(signature + body, b"-_").decode(), OPEN, KEY) is None
    assert read_ticket("é", OPEN, KEY) is None


def test_what_has_more_than_there_is_room_for_is_too_long() -> None:
    """640 characters are 480 bytes."""
    fitting = next(n for n in range(600) if is_too_long(delivery("u" * n))) - 1
    assert len(issue_ticket(delivery("u" * fitting), Purpose.REPORT, KEY)) <= MOST_TEXT
    assert len(issue_ticket(delivery("u" * (fitting + 1)), Purpose.REPORT, KEY)) > MOST_TEXT
    # Names count by their bytes.
    assert not is_too_long(delivery("ж" * (fitting // 2)))
    assert is_too_long(delivery("ж" * (fitting // 2 + 1)))


def test_a_stub_is_short_whatever_names_are() -> None:
    long = structs.replace(delivery("🦊" * 200, "c" * 200), tenant="🐙" * 200, event_id="🐝" * 200)
    text = issue_stub(long, 4095, OPEN, KEY)
    assert len(text) < 100
    assert text.replace("-", "").replace("_", "").isalnum()
    assert read_stub(text, OPEN, KEY) == stub_of(long, 4095)
    other = structs.replace(long, user="🦊" * 199 + "🐢")
    assert stub_of(other, 4095).owner != stub_of(long, 4095).owner


def test_a_stub_says_where_the_ticket_is_kept() -> None:
    """HMAC-SHA256 over `stub:`, what it is for, and the fields in MessagePack; the owner is BLAKE2b
    over `u`, the tenant after its length, and the user."""
    owner = blake2b(b"u4:acmeada", digest_size=16).digest()
    fields = [7, owner, 1_700_003_600_000, bytes.fromhex("1f" * 16)]
    body = msgpack.encode(fields)
    signature = hmac.new(KEY, b"stub:open:" + body, "sha256").digest()[:16]
    text = issue_stub(delivery("ada"), 7, OPEN, KEY)
    assert text == b64encode(signature + body, b"-_").decode().rstrip("=")
    assert read_stub(text, OPEN, KEY) == Stub(*fields)  # type: ignore[arg-type]


def test_neither_a_stub_nor_a_ticket_passes_for_the_other() -> None:
    assert read_ticket(issue_stub(delivery("ada"), 7, OPEN, KEY), OPEN, KEY) is None
    assert read_stub(issue_ticket(delivery("ada"), OPEN, KEY), OPEN, KEY) is None
    assert read_stub(issue_stub(delivery("ada"), 7, OPEN, b""), OPEN, b"") is None


@given(
    st.sampled_from(Channel),
    st.sampled_from(Priority),
    st.lists(st.integers(0, 200), min_size=5, max_size=5),
    st.sampled_from("a1ж🦊"),
    st.sampled_from(["", str(SPAN)]),
)
def test_what_is_not_too_long_has_room(
    channel: Channel, priority: Priority, lengths: list[int], sign: str, trace: str
) -> None:
    names = [sign * length for length in lengths]
    said = structs.replace(
        delivery(names[0], names[1]),
        **dict(zip(("event_id", "tenant", "type"), names[2:], strict=True)),
        channel=channel,
        priority=priority,
        occurred_at=1 << 62,
        accepted_at=1 << 62,
        catalogue="0123456789ab",
        trace=trace,
    )
    assert is_too_long(said) is (
        max(len(issue_ticket(said, purpose, KEY)) for purpose in Purpose) > MOST_TEXT
    )


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize(("trace", "span"), [("", None), (str(SPAN), SPAN), ("nonsense", None)])
def test_a_ticket_says_of_which_trace_its_message_is(
    purpose: Purpose, trace: str, span: TraceContext | None
) -> None:
    text = issue_ticket(structs.replace(delivery("ada"), trace=trace), purpose, KEY)
    ticket = read_ticket(text, purpose, KEY)
    assert ticket is not None
    assert ticket.context == span
    body = urlsafe_b64decode(text + "=" * (-len(text) % 4))[SIGNATURE:]
    fields = msgpack.decode(body)
    # As the last release reads it, which knows of no trace.
    assert fields[12] == purpose
    assert len(fields) == 14
    of_then = read_ticket(signed(fields[:13]), purpose, KEY)
    assert of_then == structs.replace(ticket, span=b"")


def signed(fields: list[object]) -> str:
    body = msgpack.encode(fields)
    signature = hmac.new(KEY, b"ticket:" + body, "sha256").digest()[:16]
    return b64encode(signature + body, b"-_").decode().rstrip("=")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_ticket_is_good_for_one_thing(purpose: Purpose) -> None:
    text = issue_ticket(delivery("ada"), purpose, KEY)
    assert [other for other in PURPOSES if read_ticket(text, other, KEY)] == [purpose]
    stub = issue_stub(delivery("ada"), 7, purpose, KEY)
    assert [other for other in PURPOSES if read_stub(stub, other, KEY)] == [purpose]


LAST_FIELDS = list(structs.astuple(ticket_of(delivery("ada"))))[:-1]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_the_last_release_issued_is_good_for_what_it_was(purpose: Purpose) -> None:
    if purpose is Purpose.PREFERENCES:
        assert read_ticket(signed(LAST_FIELDS), purpose, KEY) is None
        return
    assert read_ticket(signed(LAST_FIELDS), purpose, KEY) == ticket_of(delivery("ada"))


def test_a_purpose_of_a_later_release_is_none_of_ours() -> None:
    text = signed([*LAST_FIELDS, "tomorrow"])
    assert not any(read_ticket(text, purpose, KEY) for purpose in Purpose)


def test_the_last_release_reads_what_is_issued_now() -> None:
    """It knew these twelve fields, and signed and read them in the same way."""
    names = [field.name for field in structs.fields(Ticket)][:-1]
    last = msgspec.defstruct("Last", [(n, Any) for n in names], frozen=True, array_like=True)
    body = urlsafe_b64decode(issue_ticket(delivery("ada"), OPEN, KEY) + "==")[16:]
    assert structs.astuple(msgpack.decode(body, type=last))[4] == "ada"


def test_a_ticket_ends_a_year_and_the_laws_sixty_days_after_its_message_at_the_earliest() -> None:
    """A message leaves a year after its event at the latest (`policy.notification_type.YEAR_MS`).

    CAN-SPAM: "for no less than 30 days after the transmission", 15 U.S.C. 7704(a)(3)(A)(ii).
    Canada: "for a minimum of 60 days after the message has been sent", S.C. 2010, c. 23, 11(2).
    """
    ticket = ticket_of(delivery("ada"))
    assert LIFE_MS >= YEAR_MS + 60 * DAY_MS
    assert not is_over(ticket, ticket.accepted_at + LIFE_MS - 1)
    assert is_over(ticket, ticket.accepted_at + LIFE_MS)


@pytest.mark.parametrize("length", [1, 32, 63, 64, 65, 200])
def test_it_is_signed_by_the_librarys_hmac(length: int) -> None:
    key = b"k" * length
    signed = urlsafe_b64decode(issue_ticket(delivery("ann"), OPEN, key) + "==")
    body = msgpack.encode(ticket_of(delivery("ann"), OPEN))
    assert signed[SIGNATURE:] == body
    assert signed[:SIGNATURE] == hmac.digest(key, b"ticket:" + body, "sha256")[:SIGNATURE]
