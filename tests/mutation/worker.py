"""A process that runs mutants' tests in its own copy of the tree, a fork for each mutant.

`python -m tests.mutation.worker RECORDING DESELECTED TESTS…`, with jobs on its standard input and
answers on its standard output, a line of JSON each.

Most forks come from a process that has imported the package and collected its tests already, and
exchange one function there (`exchange.py`): that takes the time of the tests and little more.
Where a change acts at import, the fork comes from a process that has imported other people's
modules only, finds the changed file on disk, and starts pytest anew.
"""

import contextlib
import gc
import importlib
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.mutation.exchange import Functions, exchange, functions_below
from tests.mutation.job import Answer, Job, Outcome
from tests.mutation.pytest_arguments import BASE, Chosen, Deselected
from tests.mutation.recording import Recording
from tests.mutation.shared import renew_names, use_shared

SURVIVED, KILLED, IMPOSSIBLE = 0, 1, 77
MOST_BYTES = 6 << 30
POLL_SECONDS = 0.02


class Worker:
    """Answers jobs one after the other; `warm` is asked first where that is possible."""

    def __init__(self, deselected: tuple[str, ...], tests: list[str]) -> None:
        self._deselected = deselected
        self._tests = tests
        self._warm = self._start_warm()

    def answer(self, job: Job) -> Answer:
        """Change the file, run the tests, and change it back."""
        path = Path(job.path)
        original, times = path.read_bytes(), path.stat()
        path.write_bytes(job.source.encode())
        # Another time than the clean file's, so that what was compiled for that one is not taken.
        os.utime(path, (times.st_atime, times.st_mtime + 10_000))
        try:
            found = None if job.is_cold else self._ask_warm(job)
            found = found or answered(partial(self._run_cold, job), job)
            assert found is not None, "it was to run in a process of its own"
            return found
        finally:
            path.write_bytes(original)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _ask_warm(self, job: Job) -> Answer | None:
        self._warm.sendall(msgspec.json.encode(job) + b"\n")
        line = self._replies.readline()
        if not line:
            sys.exit("The process that holds the imported package ended.")
        return msgspec.json.decode(line, type=Answer | None)

    def _run_cold(self, job: Job, write: Callable[[str], None]) -> int:
        chosen = Chosen(job.tests, write)
        plugins = [Deselected(self._deselected), chosen]
        use_shared()
        # All are collected, though few run: a change may show as a test module is imported.
        code = pytest.main([*BASE, "-x", *self._tests], plugins=plugins)
        if code == pytest.ExitCode.NO_TESTS_COLLECTED:
            write("no test was left")
        return SURVIVED if code == 0 else KILLED

    def _start_warm(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            ours.close()
            use_shared()
            plugins = [Deselected(self._deselected), Warm(theirs)]
            os._exit(pytest.main([*BASE, *self._tests], plugins=plugins))
        theirs.close()
        self._replies = ours.makefile("rb")
        if self._replies.readline() != b"ready\n":
            sys.exit("The tests can't be collected.")
        return ours


class Warm:
    """A plugin that takes jobs in the place of running the collected tests."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        functions = functions_below(str(Path.cwd()))
        items = {item.nodeid: item for item in session.items}
        gc.collect()
        gc.freeze()
        self._connection.sendall(b"ready\n")
        for line in self._connection.makefile("rb"):
            job = msgspec.json.decode(line, type=Job)
            chosen = [items[name] for name in job.tests]
            found = answered(partial(_run_warm, job, chosen, functions), job)
            self._connection.sendall(msgspec.json.encode(found) + b"\n")
        return True


def _run_warm(
    job: Job, items: list[pytest.Item], functions: Functions, write: Callable[[str], None]
) -> int:
    if job.where and not exchange(str(Path(job.path).absolute()), job.source, job.where, functions):
        return IMPOSSIBLE
    renew_names()
    session = items[0].session
    for item, following in zip(items, [*items[1:], None], strict=True):
        write(item.nodeid)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return KILLED
    return SURVIVED


def answered(run: Callable[[Callable[[str], None]], int], job: Job) -> Answer | None:
    """What a fork that runs it comes to; None if it can't be run there."""
    begin = time.monotonic()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(run, job, writing)
    os.close(writing)
    status = _wait(pid, job.seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if status is None:
        os.waitpid(pid, 0)
    with os.fdopen(reading) as pipe:
        told = pipe.read().split("\n")
    test = told[-2] if len(told) > 1 else ""
    took = round(time.monotonic() - begin, 2)
    if status is None or os.WIFSIGNALED(status):
        return Answer(Outcome.TIMED_OUT, test, took)
    code = os.WEXITSTATUS(status)
    if code == IMPOSSIBLE:
        return None
    return Answer(Outcome.SURVIVED if code == SURVIVED else Outcome.KILLED, test, took)


def _child(run: Callable[[Callable[[str], None]], int], job: Job, writing: int) -> None:
    code = KILLED
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (job.cpu, job.cpu))
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
        code = run(lambda text: void(os.write(writing, f"{text}\n".encode())))
    finally:
        # What tests left open is of no interest, and would take its time to close.
        os._exit(code)


def void(_: object) -> None:
    """Nothing, of anything."""


def _wait(pid: int, seconds: float) -> int | None:
    """The status that a process ended with; None if it still runs after so long.

    What it only waited for a core does not count: on a busy machine every test takes long.
    """
    begin = time.monotonic()
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return status
        passed = time.monotonic() - begin
        if passed > seconds and passed - _waited_for_a_core(pid) > seconds:
            return None
        time.sleep(POLL_SECONDS)


def _waited_for_a_core(pid: int) -> float:
    """Seconds, as Linux tells; 0 where no system does."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def main() -> None:
    """Run from the command line."""
    recording, deselected, *tests = sys.argv[1:]
    # Ctrl-C is for the process that gives the jobs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Jobs and answers have the standard streams for themselves.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    jobs = os.fdopen(os.dup(0), "rb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    sys.dont_write_bytecode = True
    for name in msgspec.json.decode(Path(recording).read_bytes(), type=Recording).modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    worker = Worker(tuple(filter(None, deselected.split(","))), tests)
    answers.write(b"ready\n")
    for line in jobs:
        answer = worker.answer(msgspec.json.decode(line, type=Job))
        answers.write(msgspec.json.encode(answer) + b"\n")


if __name__ == "__main__":
    main()
