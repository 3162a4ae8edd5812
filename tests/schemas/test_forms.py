"""What this version writes to topics, the last release reads; and the other way round.

So workers of both can run side by side, in any order, and either can be gone back to. What is new
is first read and only a release later written: `schemas.vocabulary.UNWRITTEN` has such words;
those of `BY_CATALOGUE` no version writes whose catalogue the last release can read.
"""

import json
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from msgspec import Struct

import schemas
from schemas.kinds import STRUCTS, encode_in
from schemas.topics import TOPICS
from schemas.vocabulary import UNWRITTEN
from tests.fuzz.records import plain_records
from tests.schemas import form_reader
from tests.schemas.test_examples import FOLDER, KINDS, example_of

EXAMPLES = 60
"""Of each struct."""


@cache
def written(kind: type[Struct]) -> tuple[bytes, ...]:
    """Records of this kind as this version may write them, with each word among them."""
    found: list[bytes] = []

    @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
    @given(plain_records(kind))
    def collect(record: dict[str, Any]) -> None:
        value = msgspec.json.decode(msgspec.json.encode(record), type=kind)
        found.append(msgspec.json.encode(value))

    collect()
    return tuple(found)


def read_by(code: Path, records: list[tuple[str, bytes]]) -> list[str]:
    """What the version whose code is in this folder makes of records, see `form_reader`."""
    lines = [json.dumps([KINDS[name].__name__, value.hex()]) for name, value in records]
    run = subprocess.run(
        [sys.executable, "-P", form_reader.__file__],
        input="\n".join(lines),
        env={"PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.split("\n")[:-1]


def test_each_version_reads_what_the_other_writes(release: Path) -> None:
    records = [(name, value) for name in sorted(KINDS) for value in written(KINDS[name])]
    assert {name for name, _ in records} == KINDS.keys()
    for (name, ours), theirs in zip(records, read_by(release, records), strict=True):
        assert not theirs.startswith("!"), f"{name}: {ours!r}: {theirs}"
        if theirs:
            msgspec.json.decode(bytes.fromhex(theirs), type=KINDS[name])


LOOK = """
import sys
import msgspec
from schemas.kinds import STRUCTS, kind_of
from schemas.topics import TOPICS
kinds = {topic.name: topic.kinds for topic in TOPICS}
for line in sys.stdin:
    topic, value = line.split()
    kind = kind_of(bytes.fromhex(value))
    assert kind in kinds[topic], (kind, topic)
    msgspec.json.decode(bytes.fromhex(value), type=STRUCTS[kind])
    print(kind)
"""


def test_the_last_release_tells_the_kinds_of_records_in_one_topic(release: Path) -> None:
    sent = [(topic.name, name) for topic in TOPICS for name in topic.kinds]
    records = [
        f"{topic} {encode_in(topic, _example_of(STRUCTS[name])).hex()}" for topic, name in sent
    ]
    run = subprocess.run(
        [sys.executable, "-P", "-c", LOOK],
        input="\n".join(records),
        env={"PYTHONPATH": str(release)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == [name for _, name in sent]


def _example_of(struct: type[Struct]) -> Struct:
    text = (FOLDER / f"{example_of(struct)}.json").read_bytes()
    return msgspec.json.decode(text, type=struct)


def test_a_name_tells_a_struct() -> None:
    """As releases have them in other modules."""
    declared = [
        name
        for each in iter_modules(schemas.__path__, "schemas.")
        for name, value in vars(import_module(each.name)).items()
        if isinstance(value, type) and value.__module__ == each.name
    ]
    assert len(declared) == len(set(declared))


def test_what_the_last_release_can_not_read_is_told(tmp_path: Path) -> None:
    """Tests the test: a version with a word less does not read the record that holds it."""
    module = tmp_path / "schemas" / "block.py"
    module.parent.mkdir()
    module.write_text(
        "from typing import Literal\nfrom msgspec import Struct\n\n"
        "class Block(Struct):\n    user: Literal['bob']\n    actor: str\n"
    )
    records = [
        ("blocks", b'{"user":"ada","actor":"x","new":1}'),
        ("blocks", b'{"user":"bob","actor":"x","new":1}'),
        ("owners", b"{}"),
    ]
    told = read_by(tmp_path, records)
    assert told[0].startswith("! ")
    assert bytes.fromhex(told[1]) == b'{"user":"bob","actor":"x"}'
    assert told[2] == ""


def test_no_example_holds_what_is_not_written_yet() -> None:
    words = {str(word) for word in UNWRITTEN}
    for name, kind in KINDS.items():
        for record in written(kind):
            assert not words & set(_texts(msgspec.json.decode(record))), name


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []
