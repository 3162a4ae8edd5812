"""What a registry may answer, and what that means for the records that wait for it."""

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.registry import client
from pipeline.registry.client import Registry, Schema, registry_of
from pipeline.registry.decoder import RegistryDecoder
from pipeline.settings import Settings
from pipeline.variables import settings_of
from policy.source.decoding import RegistryUnavailable, Undecodable
from policy.source.entry import ReadAsEntry
from schemas.errors import Misconfigured
from tests.certificates import Authority
from tests.patience import in_time, until
from tests.pipeline.registry.door import Door
from tests.pipeline.registry.framed import HEAD

STRING = {"schema": '"string"'}


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with Door() as door:
        yield door


@pytest.fixture
async def registry(door: Door, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Registry]:
    monkeypatch.setattr(client, "QUIET", 0.0)
    monkeypatch.setattr(client, "AGAIN", 0.0)
    registry = Registry(door.url)
    yield registry
    await registry.close()


async def test_a_schema_is_asked_for_once(door: Door, registry: Registry) -> None:
    door.answers["schemas/ids/1"] = STRING
    found = await asyncio.gather(*(registry.by_id(1) for _ in range(20)))
    assert set(found) == {Schema("AVRO", '"string"')}
    assert door.asked == ["schemas/ids/1"]
    decoder = RegistryDecoder(registry, "avro")
    await door.close()
    assert await decoder.decode(HEAD + b"\x02a", "t") == "a"


async def test_all_that_a_schema_refers_to_comes_before_it(door: Door, registry: Registry) -> None:
    def refers(text: str, *names: str) -> dict[str, Any]:
        listed = [{"name": each, "subject": f"a/{each}", "version": 2} for each in names]
        return {"schema": text, "schemaType": "PROTOBUF", "references": listed}

    door.answers |= {
        "schemas/ids/1": refers("main", "top", "low"),
        "subjects/a/top/versions/2": refers("top's", "mid"),
        "subjects/a/mid/versions/2": refers("mid's", "low", "top"),
        "subjects/a/low/versions/2": refers("low's"),
    }
    found = await registry.by_id(1)
    assert found == Schema(
        "PROTOBUF", "main", (("low", "low's"), ("mid", "mid's"), ("top", "top's"))
    )
    assert "subjects/a%2Ftop/versions/2?deleted=true" in door.asked
    assert len(door.asked) == 4


async def test_references_are_bounded(
    door: Door, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MOST_REFERENCES", 10)
    for at in range(12):
        refers = [{"name": f"n{at + 1}", "subject": f"s{at + 1}", "version": 1}]
        door.answers[f"subjects/s{at}/versions/1"] = {"schema": "x", "references": refers}
    with pytest.raises(Undecodable, match="refers to more than 10 schemas"):
        await registry.by_version("s0", 1)
    refers = [{"name": "same", "subject": f"s{at}", "version": 1} for at in (20, 21)]
    door.answers["subjects/s20/versions/1"] = {"schema": "x"}
    door.answers["schemas/ids/2"] = {"schema": "x", "references": refers}
    with pytest.raises(Undecodable, match="two different schemas as 'same'"):
        await registry.by_id(2)


@pytest.mark.parametrize("code", [40401, 40402, 40403])
async def test_what_is_unknown_stays_so_for_a_while(
    door: Door, registry: Registry, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.answers["schemas/ids/1"] = 404, {"error_code": code, "message": "not found"}
    for _ in range(3):
        with pytest.raises(Undecodable, match=f"no schema 1 .{code}"):
            await registry.by_id(1)
    assert len(door.asked) == 2
    with pytest.raises(Undecodable, match="no schema 2"):
        await registry.by_id(2)
    assert len(door.asked) == 3, "whoever makes up ids would have all others wait"
    later = time.monotonic() + 11
    monkeypatch.setattr(time, "monotonic", lambda: later)
    door.answers["schemas/ids/1"] = STRING
    assert (await registry.by_id(1)).text == '"string"'


async def test_what_a_replica_has_not_heard_of_yet(door: Door, registry: Registry) -> None:
    missing = 404, {"error_code": 40403, "message": "not found"}
    door.answers["schemas/ids/1"] = [missing, STRING]
    assert (await registry.by_id(1)).text == '"string"'
    assert len(door.asked) == 2


@pytest.mark.parametrize("answer", [None, {"schema": "x", "schemaType": "PROTOBUF"}])
async def test_nothing_to_read_records_as_is_no_fault_of_theirs(
    door: Door, registry: Registry, answer: object
) -> None:
    door.answers["schemas/ids/1"] = STRING
    if answer is not None:
        door.answers["subjects/t-value/versions/3"] = answer
    decoder = RegistryDecoder(registry, "avro", read_as=ReadAsEntry(version=3))
    with pytest.raises(RegistryUnavailable, match="version 3 of t-value"):
        await decoder.decode(HEAD + b"\x02a", "t")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((500, {"error_code": 50001, "message": "store is away"}), "500 .store is away"),
        ((503, b"<html>"), "answers 503"),
        ((429, b""), "answers 429"),
        ((401, b""), "TOCSIN_SCHEMA_REGISTRY_USER"),
        ((403, {"error_code": 40301, "message": "no"}), "TOCSIN_SCHEMA_REGISTRY_USER"),
        ((404, b"<html>"), "path of its API"),
        ((404, {"error_code": 404, "message": "HTTP 404 Not Found"}), "path of its API"),
        ((302, b""), "answers 302"),
        ((200, b"<html>"), "something else than a schema"),
        ((200, {"status": "ok"}), "something else than a schema"),
        ((200, b"[" * 100_000), "something else than a schema"),
    ],
)
async def test_what_tells_nothing_of_the_record(
    door: Door, registry: Registry, answer: Any, said: str
) -> None:
    """The record must not be a dead letter, as the same one may be read tomorrow."""
    door.answers["schemas/ids/1"] = answer
    with pytest.raises(RegistryUnavailable, match=said) as raised:
        await RegistryDecoder(registry, "avro").decode(HEAD + b"\x02a", "t")
    assert str(raised.value).endswith("Records wait in Kafka.")
    assert "elsewhere" not in door.asked
    door.answers["schemas/ids/1"] = STRING
    assert await RegistryDecoder(registry, "avro").decode(HEAD + b"\x02a", "t") == "a"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"schema": "x" * (client.MOST_BYTES + 1)}, "more than 2097152 bytes"),
        ((200, b" " * (client.MOST_BYTES * 3)), "more than 2097152 bytes"),
        ({"schema": "x", "schemaType": "XML"}, "of type 'XML'"),
    ],
)
async def test_what_is_no_schema_of_ours(
    door: Door, registry: Registry, answer: Any, said: str
) -> None:
    door.answers["schemas/ids/1"] = answer
    with pytest.raises(Undecodable, match=said):
        await registry.by_id(1)


async def test_nobody_is_there(door: Door, registry: Registry) -> None:
    await door.close()
    with pytest.raises(RegistryUnavailable, match="can't be asked for schema 1"):
        await registry.by_id(1)
    await door.open()
    door.answers["schemas/ids/1"] = STRING
    await registry.by_id(1)


async def test_one_that_hangs(
    door: Door, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "TIMEOUT", 0.2)
    never = asyncio.Event()
    door.answers["schemas/ids/1"] = never
    async with in_time():
        with pytest.raises(RegistryUnavailable, match=r"no answer within 0\.2 s"):
            await registry.by_id(1)
    monkeypatch.setattr(client, "WHOLE_TIMEOUT", 0.2)
    monkeypatch.setattr(client, "TIMEOUT", 100)
    await registry.close()
    async with in_time():
        with pytest.raises(RegistryUnavailable, match=r"no answer within 0\.2 s"):
            await registry.by_id(1)
    never.set()


async def test_all_that_wait_ask_once_in_a_while(
    door: Door, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "QUIET", 1000.0)
    door.answers["schemas/ids/1"] = 500, b""
    for schema in range(1, 20):
        with pytest.raises(RegistryUnavailable):
            await registry.by_id(schema)
    assert len(door.asked) == 1


async def test_of_several_another_answers(door: Door) -> None:
    async with Door() as other:
        other.answers["schemas/ids/1"] = STRING
        door.answers["schemas/ids/1"] = 500, b""
        registry = Registry(f"{door.url}/, {other.url}")
        assert (await registry.by_id(1)).text == '"string"'
        await registry.close()


async def test_who_we_are_and_who_it_is(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with Door(certificate=authority.issue("registry")) as door:
        door.answers["schemas/ids/1"] = STRING
        (tmp_path / "secret").write_text("pä:ss\n")
        settings = settings_of(
            {
                "TOCSIN_SCHEMA_REGISTRY": door.url,
                "TOCSIN_SCHEMA_REGISTRY_USER": "us",
                "TOCSIN_SCHEMA_REGISTRY_PASSWORD_FILE": str(tmp_path / "secret"),
                "TOCSIN_SCHEMA_REGISTRY_CA_FILE": str(authority.file),
            }
        )
        registry = registry_of(settings)
        assert registry is not None
        await registry.by_id(1)
        await registry.close()
        (headers,) = door.headers
        kind, pair = headers["Authorization"].split()
        assert (kind, base64.b64decode(pair).decode()) == ("Basic", "us:pä:ss")
        stranger = Registry(door.url)
        with pytest.raises(RegistryUnavailable, match="TOCSIN_SCHEMA_REGISTRY_CA_FILE"):
            await stranger.by_id(1)
        await stranger.close()
        lost = Registry(door.url, ca_file=tmp_path / "none")
        with pytest.raises(RegistryUnavailable, match="TOCSIN_SCHEMA_REGISTRY_CA_FILE"):
            await lost.by_id(1)


async def test_one_that_knows_us_by_our_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with Door(certificate=authority.issue("registry"), known_by=authority.file) as door:
        door.answers["schemas/ids/1"] = STRING
        reach = {"schema_registry": door.url, "schema_registry_ca_file": authority.file}
        ours = {"schema_registry_certificate_file": authority.issue("us")}
        missing = {"schema_registry_certificate_file": tmp_path / "none"}
        for more, refused in ((ours, ""), ({}, "can't be asked"), (missing, "CERTIFICATE_FILE")):
            registry = registry_of(Settings.model_validate(reach | more))
            assert registry is not None
            if refused:
                with pytest.raises(RegistryUnavailable, match=refused):
                    await registry.by_id(1)
            else:
                await registry.by_id(1)
            await registry.close()


@pytest.mark.parametrize(
    "url",
    ["registry:8081", "ftp://registry", "http://", "http://h:0", "http://h:x", "http://h?a=b",
     "http://h,", "http://us:secret@h"],
)  # fmt: skip
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(Misconfigured, match="TOCSIN_SCHEMA_REGISTRY") as raised:
        registry_of(Settings(schema_registry=url))
    assert "secret" not in str(raised.value)


def test_without_one() -> None:
    assert registry_of(Settings()) is None


async def test_no_more_is_kept_than_fits(
    door: Door, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MOST_CACHED", 200)
    for schema in range(1, 6):
        door.answers[f"schemas/ids/{schema}"] = {"schema": "x" * 100}
        await registry.by_id(schema)
    await registry.by_id(5)
    assert len(door.asked) == 5
    await registry.by_id(1)
    assert len(door.asked) == 6


async def test_no_more_is_kept_ready_than_fits(
    door: Door, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def reader(schema: Schema, _: object) -> object:
        made.append(schema.text)
        return lambda value: None

    monkeypatch.setattr("pipeline.registry.decoder.avro_reader", reader)
    monkeypatch.setattr("pipeline.registry.decoder.MOST_COMPILED", 250)
    decoder = RegistryDecoder(registry, "avro")
    for schema in (1, 2, 3):
        door.answers[f"schemas/ids/{schema}"] = {"schema": str(schema) * 100}
    for schema in (1, 2, 2, 3, 3, 2, 1):
        await decoder.decode(b"\x00" + schema.to_bytes(4, "big"), "t")
    assert [each[0] for each in made] == ["1", "2", "3", "1"]


async def test_a_schema_that_can_not_be_used_is_looked_at_once(
    door: Door, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.answers["schemas/ids/1"] = {"schema": json.dumps("nothing")}
    decoder = RegistryDecoder(registry, "avro")
    with pytest.raises(Undecodable, match="schema 1: its Avro schema can't be used"):
        await decoder.decode(HEAD, "t")
    monkeypatch.setattr("pipeline.registry.decoder.avro_reader", None)
    with pytest.raises(Undecodable, match="schema 1"):
        await decoder.decode(HEAD, "t")


@pytest.mark.parametrize(("long", "turns"), [(-1.0, 6), (1000.0, 0)])
async def test_others_have_their_turn_after_each_record_that_took_long(
    door: Door, registry: Registry, monkeypatch: pytest.MonkeyPatch, long: float, turns: int
) -> None:
    door.answers["schemas/ids/1"] = STRING
    decoder = RegistryDecoder(registry, "avro")
    await decoder.decode(HEAD + b"\x02a", "t")
    monkeypatch.setattr("pipeline.registry.decoder.LONG", long)
    seen = 0

    async def others() -> None:
        nonlocal seen
        while True:
            await asyncio.sleep(0)
            seen += 1

    turning = asyncio.create_task(others())
    for value in [HEAD + b"\x02a", HEAD] * 4:
        with contextlib.suppress(Undecodable):
            await decoder.decode(value, "t")
    found = seen
    turning.cancel()
    assert min(found, 6) == turns


async def test_a_loop_goes_on_while_a_schema_is_prepared(door: Door, registry: Registry) -> None:
    fields = [
        {"name": f"f{at}", "type": {"type": "record", "name": f"R{at}", "fields": []}}
        for at in range(5_000)
    ]
    schema = {"type": "record", "name": "T", "fields": fields}
    door.answers["schemas/ids/1"] = {"schema": json.dumps(schema)}
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    turning = asyncio.create_task(turn())
    await until(lambda: turns > 0)
    await RegistryDecoder(registry, "avro").decode(HEAD, "t")
    seen = turns
    turning.cancel()
    assert seen > 10
