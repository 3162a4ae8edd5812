"""What reading a Protobuf record may cost, seen before it is parsed.

An empty message inside of another takes two bytes on the wire, and in memory what all its fields
take. Where a record is so small that this can't be much, nothing is looked at.
"""

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from policy.source.decoding import Undecodable

MOST_VALUES = 200_000
"""Of one record, with the fields that were not written."""
DEEPEST = 100
"""Levels of a record; protobuf's own parser has the same limit."""
UNSEEN = 20 * MOST_VALUES
"""Fields for which a parser may have to make room before anything is looked at; some 64 MiB."""
LEAST_MESSAGE = 2
"""Bytes that a message inside of another takes at least."""
MOST_TYPES = 2_000
"""Messages that one may refer to, near or far: how to read each is worked out at once."""
VARINT, EIGHT_BYTES, LENGTH, BEGIN, END, FOUR_BYTES = range(6)
"""How a field is written."""


class Limits:
    """Of records that are this message."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor
        self._widest = max(len(each.fields) for each in _within(descriptor)) + 1

    def check(self, data: bytes) -> None:
        """Raise Undecodable for a record that would cost too much."""
        if len(data) // LEAST_MESSAGE * self._widest > UNSEEN:
            _Walk(data).over(self._descriptor, 0, len(data), 0)


class _Walk:
    """Over the bytes of one record, with a count of the fields of all messages in it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = MOST_VALUES

    def over(
        self, descriptor: Descriptor | None, at: int, end: int, depth: int, group: int = 0
    ) -> int:
        """Where a message ends that begins at `at`: at `end`, or with the end of its group."""
        if depth > DEEPEST:
            raise Undecodable(f"it is more than {DEEPEST} levels deep")
        # What the schema doesn't know is kept as it is, in one piece.
        self._left -= 1 + (len(descriptor.fields) if descriptor is not None else 0)
        if self._left < 0:
            raise Undecodable(f"it stands for more than {MOST_VALUES} values")
        while at < end:
            tag, at = self._number(at, end)
            number, how = tag >> 3, tag & 7
            if how == END:
                if number != group:
                    break
                return at
            at = self._over_field(descriptor, number, how, at, end, depth)
        if group or at > end:
            raise Undecodable("it ends in the middle of a message")
        return at

    def _over_field(
        self, descriptor: Descriptor | None, number: int, how: int, at: int, end: int, depth: int
    ) -> int:
        if how == VARINT:
            return self._number(at, end)[1]
        if how in (EIGHT_BYTES, FOUR_BYTES):
            return at + (8 if how == EIGHT_BYTES else 4)
        inner = _message_at(descriptor, number)
        if how == BEGIN:
            return self.over(inner, at, end, depth + 1, number)
        if how != LENGTH:
            raise Undecodable("a field in it is written as none is")
        length, at = self._number(at, end)
        if length > end - at:
            raise Undecodable(f"it ends before {length} bytes that it says are there")
        if inner is not None:
            self.over(inner, at, at + length, depth + 1)
        return at + length

    def _number(self, at: int, end: int) -> tuple[int, int]:
        found = 0
        for shift in range(0, 70, 7):
            if at >= end:
                raise Undecodable("it ends in the middle of a number")
            byte = self._data[at]
            at += 1
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return found, at
        raise Undecodable("a number has more than ten bytes")


def _message_at(descriptor: Descriptor | None, number: int) -> Descriptor | None:
    field: FieldDescriptor | None = None
    if descriptor is not None:
        field = descriptor.fields_by_number.get(number)
    return None if field is None else field.message_type


def _within(descriptor: Descriptor) -> list[Descriptor]:
    """The message and all that may be in it."""
    found = {descriptor.full_name: descriptor}
    open_ = [descriptor]
    while open_:
        for field in open_.pop().fields:
            inner = field.message_type
            if inner is not None and inner.full_name not in found:
                if len(found) == MOST_TYPES:
                    raise Undecodable(f"{descriptor.full_name} refers to over {MOST_TYPES} types")
                found[inner.full_name] = inner
                open_.append(inner)
    return list(found.values())
