"""A catalogue that is changed is taken up; one that can't be used changes nothing."""

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from pipeline.catalogue_folder import FixedCatalogue, read_catalogue
from pipeline.catalogue_reload import EMPTY_SECONDS, CatalogueFolder
from policy.catalogue.catalogue import parse
from schemas.errors import BadCatalogue
from tests.patience import ended, until
from tests.policy.samples import TYPE

OTHER = TYPE.replace("thing", "other")
SETTLE = 0.02


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "thing.toml").write_text(TYPE)
    return tmp_path


@pytest.fixture
async def catalogues(folder: Path) -> AsyncIterator[CatalogueFolder]:
    found = CatalogueFolder(folder, look=0.01, settle=SETTLE)
    yield found
    await found.close()


def refused() -> float:
    return REGISTRY.get_sample_value("tocsin_catalogues_refused_total") or 0


def in_use(catalogues: CatalogueFolder) -> bool:
    labels = {"version": catalogues.current.version}
    return REGISTRY.get_sample_value("tocsin_catalogue_info", labels) == 1


async def test_a_file_that_is_added_is_taken_up(
    folder: Path, catalogues: CatalogueFolder, caplog: pytest.LogCaptureFixture
) -> None:
    before = catalogues.current
    assert before.types.keys() == {"thing"}
    await catalogues.watch()
    (folder / "other.toml").write_text(OTHER)
    await until(lambda: catalogues.current is not before)
    assert catalogues.current.types.keys() == {"thing", "other"}
    assert catalogues.current.version == read_catalogue(folder).version
    assert in_use(catalogues)
    (record,) = caplog.records
    assert before.version in record.getMessage()
    assert catalogues.current.version in record.getMessage()


async def test_a_file_that_is_deleted_takes_its_types_along(
    folder: Path, catalogues: CatalogueFolder
) -> None:
    (folder / "other.toml").write_text(OTHER)
    await catalogues.refresh()
    (folder / "thing.toml").unlink()
    await catalogues.refresh()
    assert catalogues.current.types.keys() == {"other"}


async def test_a_broken_catalogue_changes_nothing_and_is_told_once(
    folder: Path, catalogues: CatalogueFolder, caplog: pytest.LogCaptureFixture
) -> None:
    before, count = catalogues.current, refused()
    broken = TYPE.replace('"normal"', '"asap"')
    (folder / "thing.toml").write_text(broken)
    await catalogues.refresh()
    os.utime(folder / "thing.toml", ns=(1, 1))  # touched, and not mended
    await catalogues.refresh()
    assert catalogues.current is before
    assert in_use(catalogues)
    assert refused() == count + 1
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "thing.toml:6: types.thing.priority: Invalid enum value 'asap'" in record.getMessage()
    assert before.version in record.getMessage()

    (folder / "thing.toml").write_text(broken + "users = 3")
    await catalogues.refresh()
    assert refused() == count + 2
    (folder / "thing.toml").write_text(TYPE + "# mended")
    await catalogues.refresh()
    assert catalogues.current.version == read_catalogue(folder).version != before.version


async def test_the_same_mistake_again_is_told_again(
    folder: Path, catalogues: CatalogueFolder
) -> None:
    count = refused()
    for text in ("no TOML", TYPE, "no TOML", TYPE + "# new", "no TOML"):
        (folder / "thing.toml").write_text(text)
        await catalogues.refresh()
    assert refused() == count + 3


@pytest.mark.parametrize("gone", [False, True])
async def test_a_folder_without_files_changes_nothing(
    folder: Path, catalogues: CatalogueFolder, gone: bool, caplog: pytest.LogCaptureFixture
) -> None:
    before = catalogues.current
    (folder / "thing.toml").unlink()
    if gone:
        shutil.rmtree(folder)
    await catalogues.refresh()
    assert catalogues.current is before
    assert "There is no *.toml file in" in caplog.text


async def test_a_file_that_is_no_text_changes_nothing(
    folder: Path, catalogues: CatalogueFolder, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "more.toml").write_bytes(b"\xff\xfe\x00")
    await catalogues.refresh()
    assert catalogues.current.types.keys() == {"thing"}
    assert "can't be read" in caplog.text


async def test_what_parsing_did_not_foresee_changes_nothing(
    folder: Path,
    catalogues: CatalogueFolder,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(files: object) -> None:
        raise ZeroDivisionError("never thought of")

    monkeypatch.setattr("pipeline.catalogue_reload.parse", fail)
    (folder / "other.toml").write_text(OTHER)
    await catalogues.refresh()
    assert catalogues.current.types.keys() == {"thing"}
    assert "never thought of" in caplog.text


async def test_an_error_that_says_nothing_is_told_as_well(
    folder: Path,
    catalogues: CatalogueFolder,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("pipeline.catalogue_reload.read_files", fail)
    before, count = catalogues.current, refused()
    (folder / "other.toml").write_text(OTHER)
    await catalogues.refresh()
    assert (catalogues.current, refused() - count) == (before, 1)
    assert "MemoryError()" in caplog.text


async def test_a_half_written_file_is_not_taken_for_all_there_is(folder: Path) -> None:
    now = 0.0
    catalogues = CatalogueFolder(folder, settle=1.0, monotonic=lambda: now)
    versions = {catalogues.current.version}
    # Without its second half, it would be a catalogue as well.
    text = OTHER + TYPE[TYPE.index("[types") :].replace("types.thing", "types.more")
    with (folder / "other.toml").open("w") as file:
        for start in range(0, len(text), len(text) // 10):
            file.write(text[start : start + len(text) // 10])
            file.flush()
            now += 0.9
            await catalogues._look()
            versions.add(catalogues.current.version)
    assert len(versions) == 1
    now += 1.0
    await catalogues._look()
    assert "more" in catalogues.current.types


@pytest.mark.parametrize("name", ["other.toml", "thing.toml"])
async def test_a_file_with_nothing_in_it_is_waited_for(
    folder: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As a shell has it from `tocsin sources infer orders > catalogue/other.toml`, also where that
    replaces one that is there."""
    now, count = 0.0, refused()
    catalogues = CatalogueFolder(folder, settle=1.0, monotonic=lambda: now)
    before = catalogues.current
    (folder / name).write_text("")
    for _ in range(2):
        await catalogues._look()
        now += EMPTY_SECONDS - 1
        assert await catalogues._look()  # and whoever asks is not kept waiting
        (folder / name).touch()
    assert (caplog.records, refused(), catalogues.current) == ([], count, before)
    (folder / name).write_text(OTHER)
    await catalogues._look()
    now += 1.0
    await catalogues._look()
    assert "other" in catalogues.current.types


async def test_a_file_that_stays_empty_is_told_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now, count = 0.0, refused()
    catalogues = CatalogueFolder(folder, settle=1.0, monotonic=lambda: now)
    (folder / "other.toml").write_text("")
    (folder / "more.json").write_text("")
    for _ in range(3):
        await catalogues._look()
        now += EMPTY_SECONDS
    assert refused() == count + 1
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "Nothing is in more.json, other.toml of" in record.getMessage()
    assert catalogues.current.types.keys() == {"thing"}


async def test_files_that_never_settle_keep_nobody_waiting_for_ever(folder: Path) -> None:
    catalogues = CatalogueFolder(folder, settle=SETTLE)

    async def write() -> None:
        for number in range(10_000):
            (folder / "thing.toml").write_text(f"{TYPE}# {number}")
            await asyncio.sleep(0)

    writing = asyncio.create_task(write())
    await ended(catalogues.refresh())
    writing.cancel()


async def test_many_may_ask_at_once(folder: Path, catalogues: CatalogueFolder) -> None:
    (folder / "other.toml").write_text(OTHER)
    await asyncio.gather(*(catalogues.refresh() for _ in range(20)))
    assert "other" in catalogues.current.types


def test_a_worker_does_not_begin_with_a_broken_catalogue(folder: Path) -> None:
    (folder / "thing.toml").write_text(TYPE.replace('"normal"', '"asap"'))
    (folder / "other.toml").write_text("[layouts.news]\nhtm = 1")
    with pytest.raises(BadCatalogue) as caught:
        CatalogueFolder(folder)
    assert [line.split(": ")[0] for line in caught.value.problems] == [
        "other.toml:2",
        "thing.toml:6",
    ]


async def test_a_fixed_catalogue_stays_what_it_is() -> None:
    catalogue = parse({"thing.toml": TYPE})
    fixed = FixedCatalogue(catalogue)
    await fixed.refresh()
    assert fixed.current is catalogue
