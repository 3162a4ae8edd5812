"""Kafka starts with its classes from a file if there is one that fits, and without it otherwise."""

import subprocess
from pathlib import Path

import pytest

from embedded import java, kafka
from embedded.kafka import java_for_kafka


async def version(*options: str) -> subprocess.CompletedProcess[str]:
    """What Java says of itself, as it would run Kafka."""
    return said([*await java_for_kafka(*options), "-version"])


def said(argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=False)


async def test_java_takes_what_was_made_for_it() -> None:
    if not java.class_archive().exists():
        pytest.skip("Kafka's classes were not archived here; make test does it.")
    java_says = await version("-Xshare:on")
    assert java_says.returncode == 0, java_says.stdout
    assert "sharing" in java_says.stderr


async def test_without_one_java_starts_as_it_always_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "class_archive", lambda: tmp_path / "none")
    assert not any("SharedArchive" in word for word in await java_for_kafka())
    assert (await version()).returncode == 0


async def test_one_that_does_not_fit_keeps_nobody_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"of another Java")
    monkeypatch.setattr(kafka, "class_archive", lambda: broken)
    assert any(str(broken) in word for word in await java_for_kafka())
    java_says = await version()
    assert java_says.returncode == 0
    assert "sharing" not in java_says.stderr
