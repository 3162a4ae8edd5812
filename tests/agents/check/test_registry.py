"""What is said of the schema registry before anything needs it."""

from pathlib import Path

import pytest

from agents.check.findings import Finding, State
from agents.check.registry import check_registry
from pipeline.settings import Settings
from tests.agents.stage import CATALOGUE
from tests.pipeline.registry.door import Door


async def found(settings: Settings) -> list[Finding]:
    return [each async for each in check_registry(settings)]


@pytest.mark.parametrize("answer", [None, {"schema": '"string"'}])
async def test_one_that_answers(answer: object) -> None:
    async with Door() as door:
        if answer is not None:
            door.answers["schemas/ids/1"] = answer
        (said,) = await found(Settings(schema_registry=door.url))
    assert (said.state, said.todo) == (State.OK, "")
    assert door.url in said.found


async def test_one_that_refuses_us_or_is_away() -> None:
    async with Door() as door:
        door.answers["schemas/ids/1"] = 401, b""
        (said,) = await found(Settings(schema_registry=door.url))
    assert said.state is State.FAILED
    assert "TOCSIN_SCHEMA_REGISTRY_USER" in said.found
    (said,) = await found(Settings(schema_registry=door.url))
    assert (said.state, bool(said.todo)) == (State.FAILED, True)
    (said,) = await found(Settings(schema_registry="nowhere"))
    assert said.state is State.FAILED


async def test_sources_that_wait_for_one(tmp_path: Path) -> None:
    for path in CATALOGUE.glob("*.toml"):
        (tmp_path / path.name).write_text(path.read_text())
    assert await found(Settings(catalogue=tmp_path)) == []
    source = '[sources.{}]\ntopics = "a"\ninto = "contacts"\n{}\n[sources.{}.set]\nuser = "u"\n'
    lines = {"plain": "", "rows": 'format = "debezium+avro"', "keyed": 'key_format = "avro"'}
    text = "".join(source.format(name, line, name) for name, line in lines.items())
    (tmp_path / "sources.toml").write_text(text)
    (said,) = await found(Settings(catalogue=tmp_path))
    assert said.state is State.FAILED
    assert said.found.endswith("wait for one: keyed, rows")
    (tmp_path / "sources.toml").write_text("nothing =")
    assert await found(Settings(catalogue=tmp_path)) == []
