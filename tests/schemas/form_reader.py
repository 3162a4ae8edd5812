"""Run with another version's code: reads records as that version does, and writes them anew.

Each line of the input is the name of a struct of `schemas` and a record in hex; each line of the
output is the record as this version writes it, in hex, or why it can't be read. A struct that the
version does not have is read by nobody there, and its line stays empty.
"""

import json
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import msgspec


def structs() -> dict[str, Any]:
    """What `schemas` of this version declares, by name, whichever module it is in."""
    found: dict[str, Any] = {}
    for each in iter_modules(import_module("schemas").__path__, "schemas."):
        module = import_module(each.name)
        found |= {
            name: value
            for name, value in vars(module).items()
            if getattr(value, "__module__", "") == each.name
        }
    return found


def answer(kind: Any, record: str) -> str:
    """The line of the output for one of the input."""
    if kind is None:
        return ""
    try:
        value = msgspec.json.decode(bytes.fromhex(record), type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        return f"! {error}"
    return msgspec.json.encode(value).hex()


if __name__ == "__main__":
    # What is installed for development is this version again, and would lend modules to the other.
    sys.meta_path[:] = [each for each in sys.meta_path if "editable" not in repr(each)]
    known = structs()
    for line in sys.stdin:
        name, record = json.loads(line)
        print(answer(known.get(name), record))  # noqa: T201
