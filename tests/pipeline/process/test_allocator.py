"""Large buffers that come and go take no new pages from the kernel, in every worker."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROUNDS, BUFFERS, SIZE, PAGE = 20, 3, 7 << 20, 4096
"""Requests of a few batches: the buffers of one round are all there before any is freed."""
COUNT = f"""
import resource

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def rounds(count):
    for _ in range(count):
        buffers = [b"x" * {SIZE} for _ in range({BUFFERS})]
        del buffers

rounds(3)
before = faults()
rounds({ROUNDS})
print(faults() - before)
"""
WORKER = """
import pipeline.process.worker
from pipeline.settings import Settings

async def work(settings, build_role):
    pass

pipeline.process.worker.work = work
pipeline.process.worker.os._exit = lambda code: None
pipeline.process.worker.run_worker(Settings(), {})
"""
CONTESTANT = "from bench.contestants.equipment import equip; equip()"


def faults_after(prepare: str) -> int:
    """How many pages a process takes for the rounds, after it ran this."""
    argv = [sys.executable, "-c", prepare + "\n" + COUNT]
    said = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True)
    return int(said.stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="has another allocator")
@pytest.mark.parametrize("prepare", [WORKER, CONTESTANT], ids=["worker", "contestant"])
def test_large_buffers_reuse_memory(prepare: str) -> None:
    needed = ROUNDS * BUFFERS * SIZE // PAGE
    assert faults_after("") > needed / 2, "this test shows nothing here"
    assert faults_after(prepare) < needed / 100
