import os
from pathlib import Path

import pytest

from bench.whole.other_load import Elsewhere


def told(proc: Path, machine: str, processes: dict[int, tuple[int, int]]) -> None:
    """Write the machine's ticks, and for each process its parent and its own ticks."""
    (proc / "stat").write_text(f"cpu  {machine} 0 0\ncpu0 {machine} 0 0\n")
    for process, (parent, ticks) in processes.items():
        (proc / str(process)).mkdir(exist_ok=True)
        fields = f"S {parent} " + "0 " * 9 + f"{ticks} 5 0 0"
        (proc / str(process) / "stat").write_text(f"{process} (a name) (in brackets) {fields}\n")


def test_what_we_and_our_children_did_is_not_done_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bench.whole.other_load.PROC", tmp_path)
    me = os.getpid()
    # user, nice, system, idle, waiting, interrupts (both kinds), stolen
    told(tmp_path, "100 0 100 800 0 0 0 0", {me: (1, 10), 7: (me, 20), 8: (7, 30), 9: (1, 40)})
    elsewhere = Elsewhere()
    told(tmp_path, "400 0 200 1400 0 0 0 0", {me: (1, 60), 7: (me, 70), 8: (7, 130), 9: (1, 240)})
    assert elsewhere.share() == 0.2  # of 1,000 ticks 400 were worked, and 200 of those by us


def test_nothing_is_told_without_proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("bench.whole.other_load.PROC", tmp_path)
    assert Elsewhere().share() == 0.0
