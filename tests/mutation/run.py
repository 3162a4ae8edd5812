"""Runs the sampled mutants of one package: services, workers, results."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.mutation.benign import Entry
from tests.mutation.choice import choose, runs_at_import
from tests.mutation.job import Answer, Job, Outcome
from tests.mutation.judge import judged
from tests.mutation.mutant import Mutant
from tests.mutation.packages import Package
from tests.mutation.recording import Recording
from tests.mutation.results import Results
from tests.mutation.shared import VARIABLE
from tests.mutation.snapshot import Snapshot

ALIVE = (Outcome.SURVIVED, Outcome.UNTESTED)
LINE_BYTES = 64 << 20
STOP_SECONDS = 30.0

Tell = Callable[[str], None]


class Plan(Struct, frozen=True, kw_only=True):
    """What to run."""

    package: Package
    snapshot: Snapshot
    mutants: list[Mutant]
    benign: list[Entry]
    results: Results
    workers: int

    def outcome(self, mutant: Mutant) -> Outcome | None:
        """What became of a mutant; None if it was not tried yet."""
        if any(entry.matches(mutant) for entry in self.benign):
            return Outcome.BENIGN
        answer = self.results.get(mutant)
        return None if answer is None else answer.outcome

    def outcomes(self) -> list[Outcome]:
        """Of all that are known."""
        return [found for mutant in self.mutants if (found := self.outcome(mutant))]

    def alive(self) -> list[Mutant]:
        """What no test found."""
        return [mutant for mutant in self.mutants if self.outcome(mutant) in ALIVE]


class Progress:
    """What is done so far, and which tests failed although nothing was changed."""

    def __init__(self, plan: Plan, tell: Tell) -> None:
        self._plan, self.tell = plan, tell
        self.distrusted: list[str] = []

    def add(self, mutant: Mutant, answer: Answer) -> None:
        """Keep a result and say it."""
        plan = self._plan
        plan.results.add(mutant, answer)
        self.tell(
            f"{plan.package.name} {len(plan.outcomes())}/{len(plan.mutants)}, "
            f"{len(plan.alive())} alive: "
            f"{answer.outcome} {mutant.path}:{mutant.lines[0]} in {answer.took:.1f} s"
        )
        if answer.outcome in ALIVE:
            write_survivors(plan)

    def distrust(self, test: str) -> None:
        """Keep a test that failed without a change."""
        self.distrusted.append(test)
        self.tell(f"{test} failed without a change, so its kill does not count")


async def run(plan: Plan, progress: Progress) -> None:
    """Try all mutants that have no result yet."""
    pending = [mutant for mutant in plan.mutants if plan.outcome(mutant) is None]
    if not pending:
        return
    async with _services(plan) as environment:
        recording = await _recording(plan, environment)
        for test in recording.failed:
            progress.tell(f"{test} fails without a mutant, so it is asked about none")
        queue = [(mutant, job_of(mutant, recording, plan.snapshot.clean)) for mutant in pending]
        queue.reverse()
        workers = [
            _work(plan, number, queue, environment, progress)
            for number in range(min(plan.workers, len(queue)))
        ]
        await asyncio.gather(*workers)


def job_of(mutant: Mutant, recording: Recording, clean: Path) -> Job:
    """How a mutant is tried; without tests where none executes it."""
    choice = choose(mutant, recording, cache(lambda test: test_source(clean, test)))
    is_python = mutant.path.endswith(".py")
    return Job(
        path=mutant.path,
        source=mutant.source,
        tests=choice.tests,
        cpu=choice.cpu,
        seconds=choice.seconds,
        is_cold=is_python and runs_at_import(mutant, recording),
        where=mutant.where if is_python else "",
    )


def test_source(root: Path, test: str) -> str:
    """A test function's text, with its parameters' names as in its node id; or a module's."""
    file, _, name = test.partition("::")
    text = (root / file).read_text()
    if not name:
        return text
    begin = text.find(f"def {name.partition('[')[0].rpartition('::')[2]}(")
    end = text.find("\n\n\n", begin)
    return text[begin : end if end > 0 else len(text)] + name


def write_survivors(plan: Plan) -> Path:
    """Write the survivors as diffs; returns the file."""
    file = plan.results.file.with_suffix(".diff")
    parts = []
    for mutant in plan.alive():
        original = (plan.snapshot.clean / mutant.path).read_text()
        place = f"{mutant.path}:{mutant.lines[0]} {mutant.where}".rstrip()
        parts.append(f"# {place} ({plan.outcome(mutant)})\n{mutant.diff(original)}")
    file.write_text("\n".join(parts))
    return file


async def _recording(plan: Plan, environment: dict[str, str]) -> Recording:
    """As kept for this state of the tree, or made now; exits where no test can be used."""
    package, folder = plan.package, plan.snapshot.folder
    file = folder / f"{package.name.replace('/', '-')}.recording.json"
    if not file.exists():
        made = file.with_suffix(".partial")
        command = [
            sys.executable, "-m", "tests.mutation.recording", str(made),
            ",".join(package.sources), ",".join(package.deselected),
            *package.tests_in(plan.snapshot.clean),
        ]  # fmt: skip
        log = file.with_suffix(".log")
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *command, cwd=plan.snapshot.clean, env=environment, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
            async with _ending(process):
                if await process.wait():
                    sys.exit(f"The tests of {package.name} can't be recorded: see {log}.")
        made.rename(file)
    return msgspec.json.decode(file.read_bytes(), type=Recording)


async def _work(
    plan: Plan,
    number: int,
    queue: list[tuple[Mutant, Job]],
    environment: dict[str, str],
    progress: Progress,
) -> None:
    package = plan.package
    name = package.name.replace("/", "-")
    tree = plan.snapshot.copy(f"{name}-{number}")
    recording = plan.snapshot.folder / f"{name}.recording.json"
    command = [
        sys.executable, "-m", "tests.mutation.worker", str(recording),
        ",".join(package.deselected), *package.tests_in(plan.snapshot.clean),
    ]  # fmt: skip
    log = plan.snapshot.folder / f"{name}-{number}.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=tree, env=environment, stdin=PIPE, stdout=PIPE, stderr=errors,
            limit=LINE_BYTES, start_new_session=True,
        )  # fmt: skip
    async with _ending(process):
        jobs, answers = process.stdin, process.stdout
        assert jobs and answers
        if await answers.readline() != b"ready\n":
            sys.exit(f"A worker for {package.name} ended: see {log}.")

        async def ask(job: Job) -> Answer:
            jobs.write(msgspec.json.encode(job) + b"\n")
            line = await answers.readline()
            if not line:
                sys.exit(f"A worker for {package.name} ended: see {log}.")
            return msgspec.json.decode(line, type=Answer)

        while queue:
            mutant, job = queue.pop()
            if not job.tests:
                progress.add(mutant, Answer(Outcome.UNTESTED))
                continue
            clean = (plan.snapshot.clean / job.path).read_text()
            progress.add(mutant, await judged(job, clean, ask, progress.distrust))


@asynccontextmanager
async def _services(plan: Plan) -> AsyncIterator[dict[str, str]]:
    """The environment for workers, with what they share while this is open."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    environment.pop("PYTHONPATH", None)
    if not plan.package.services:
        yield environment
        return
    folder = plan.snapshot.folder / f"services-{plan.package.name.replace('/', '-')}-{os.getpid()}"
    folder.mkdir(parents=True)
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.mutation.services", str(folder), *plan.package.services,
            cwd=plan.snapshot.clean, env=environment, stdin=PIPE, stdout=PIPE, stderr=log,
        )  # fmt: skip
    async with _ending(process):
        assert process.stdout
        line = await process.stdout.readline()
        if not line:
            sys.exit(f"What the tests of {plan.package.name} need can't start: see {folder}/log.")
        yield {**environment, VARIABLE: line.decode()}


@asynccontextmanager
async def _ending(process: Process) -> AsyncIterator[None]:
    """End a process by closing its standard input, and by force if that does not help."""
    try:
        yield
    finally:
        if process.stdin:
            process.stdin.close()
        else:
            with suppress(ProcessLookupError):
                process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
