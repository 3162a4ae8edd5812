"""Run with another version's code: reads records as that version does, and writes them anew.

Each line of the input is the name of a struct's module, its own name, and a record in hex; each
line of the output is the record as this version writes it, in hex, or why it can't be read. A
struct that the version does not have is read by nobody there, and its line stays empty.
"""

import json
import sys
from importlib import import_module

import msgspec


def answer(module: str, name: str, record: str) -> str:
    """The line of the output for one of the input."""
    try:
        kind = getattr(import_module(module), name)
    except (ImportError, AttributeError):
        return ""
    try:
        value = msgspec.json.decode(bytes.fromhex(record), type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        return f"! {error}"
    return msgspec.json.encode(value).hex()


if __name__ == "__main__":
    # What is installed for development is this version again, and would lend modules to the other.
    sys.meta_path[:] = [each for each in sys.meta_path if "editable" not in repr(each)]
    for line in sys.stdin:
        print(answer(*json.loads(line)))  # noqa: T201
