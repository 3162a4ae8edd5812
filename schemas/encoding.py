"""Values as they are encoded in the records of topics."""

import msgspec

UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises: for another form, text that is no UTF-8, and depths of brackets."""
_encode_into = msgspec.json.Encoder().encode_into
_buffer = bytearray()


def encode(value: object) -> bytes:
    """A value as JSON; not for threads beside the event loop's."""
    # A new buffer grows many times from its few first bytes; this one is as long as the last value.
    _encode_into(value, _buffer)
    return bytes(_buffer)
