"""Running the cells of a study, each in a process of its own, some at a time."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing import connection, get_context
from signal import Signals
from typing import Any

import psutil

from hrmlab.errors import ConfigError, HrmLabError
from hrmlab.studies.store import Process, Status, StudyFolder
from hrmlab.studies.worker import work
from hrmlab.terminal import Meter, note

PATIENCE = 30.0
"""Seconds that a cell is given to save and end when the study is interrupted."""


@dataclass(frozen=True)
class Ran:
    """What came of the cells. reused: done before. failed: by cell, why."""

    done: int
    reused: int
    failed: dict[str, str]


def run_cells(
    folder: StudyFolder,
    cells: Sequence[str],
    function: str,
    *,
    jobs: int = 1,
    modules: Sequence[str] = (),
    quiet: bool = False,
) -> Ran:
    """Run the cells that are not done. Where none is, the first runs alone, so that a broken study fails at once.

    A later cell that crashes is recorded with its reason and the others go on; it is tried again the next time. When
    interrupted, cells that were at work save what they can and are planned again.

    Args:
        cells: ids, all of them prepared in the folder.
        function: `module:function`, called with the cell's folder, giving results by evaluation and measure.
        jobs: processes at a time, of one thread each.
        modules: that every process imports first.

    Raises:
        ConfigError: jobs below 1.
        HrmLabError: the first cell failed; nothing else was run.
    """
    if jobs < 1:
        raise ConfigError(f"--jobs {jobs} came; wanted 1 or more")
    waiting = [id for id in cells if folder.status(id).state != "done"]
    reused, total = len(cells) - len(waiting), len(cells)
    with Meter(f"running {total} cells", quiet) as meter:
        crew = _Crew(folder, function, modules, meter, reused, total)
        if waiting and not reused:
            first = waiting.pop(0)
            note(f"the first cell alone: {folder.about(first)}", quiet)
            crew.run([first], 1)
            if (status := folder.status(first)).state == "failed":
                raise HrmLabError(
                    f"the first cell ({folder.about(first)}) failed, and the others were not started: {status.reason} "
                    f"(see {folder.cell(first) / 'log.txt'})"
                )
        crew.run(waiting, jobs)
    return Ran(crew.done, reused, crew.failed)


@dataclass(frozen=True)
class _Worker:
    """A process at work on a cell. status: what the folder says of it."""

    id: str
    process: Any
    channel: Any
    status: Status
    since: float


class _Crew:
    """Processes at work, and how far they have come."""

    def __init__(
        self, folder: StudyFolder, function: str, modules: Sequence[str], meter: Meter, done: int, total: int
    ) -> None:
        self.folder, self.function, self.modules, self.meter = folder, function, modules, meter
        self.reused, self.total, self.done = done, total, 0
        self.failed: dict[str, str] = {}
        self.workers: list[_Worker] = []
        self.took: list[float] = []

    def run(self, cells: Sequence[str], jobs: int) -> None:
        """Until all these cells are done or failed."""
        waiting = list(cells)
        try:
            while waiting or self.workers:
                while waiting and len(self.workers) < jobs:
                    self.workers.append(self._started(waiting.pop(0)))
                ready = connection.wait([worker.channel for worker in self.workers], timeout=1.0)
                for worker in [worker for worker in self.workers if worker.channel in ready]:
                    self._finish(worker)
                self._show(len(waiting), jobs)
        finally:
            self._stop()

    def _started(self, id: str) -> _Worker:
        spawn = get_context("spawn")
        reader, writer = spawn.Pipe(duplex=False)
        before, cell = self.folder.status(id), str(self.folder.cell(id))
        process = spawn.Process(target=work, args=(self.function, cell, self.modules, writer), daemon=True)
        process.start()
        writer.close()
        status = Status(state="running", attempts=before.attempts + 1, process=_identity(process.pid))
        self.folder.mark(id, status)
        return _Worker(id, process, reader, status, time.monotonic())

    def _finish(self, worker: _Worker) -> None:
        seconds = time.monotonic() - worker.since
        try:
            outcome = json.loads(worker.channel.recv())
        except (EOFError, OSError):  # it ended without a word
            worker.process.join()
            outcome = {"reason": _death(worker.process.exitcode)}
        self.workers.remove(worker)
        _end(worker)
        status = replace(worker.status, process=None, seconds=round(seconds, 3))
        if "results" in outcome:
            self.folder.mark(worker.id, replace(status, state="done", results=outcome["results"]))
            self.done += 1
        else:
            self.folder.mark(worker.id, replace(status, state="failed", reason=outcome["reason"]))
            self.failed[worker.id] = outcome["reason"]
        self.took.append(seconds)

    def _stop(self) -> None:
        """End what is still at work, politely at first; it will be taken up again from its last checkpoint."""
        for worker in self.workers:
            worker.process.terminate()
        deadline = time.monotonic() + PATIENCE
        for worker in self.workers:
            worker.process.join(max(deadline - time.monotonic(), 0))
            _end(worker)
            self.folder.mark(worker.id, replace(worker.status, state="planned", process=None, reason="interrupted"))
        self.workers = []

    def _show(self, waiting: int, jobs: int) -> None:
        finished = self.reused + self.done + len(self.failed)
        facts = f"{finished} of {self.total}" + (f", {len(self.failed)} failed" if self.failed else "")
        if self.took:
            mean, now = sum(self.took) / len(self.took), time.monotonic()
            last = max((mean - (now - worker.since) for worker in self.workers), default=0.0)
            facts += f", {(waiting * mean / jobs + max(last, 0.0)) / 60:.1f} min left"
        self.meter.update(finished / max(self.total, 1), facts)


def _identity(number: int | None) -> Process | None:
    try:
        return None if number is None else Process.of(number)
    except psutil.NoSuchProcess:
        return None


def _end(worker: _Worker) -> None:
    """A process that has said its last word gets a moment to leave by itself."""
    worker.process.join(5)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()
    worker.process.close()
    worker.channel.close()


def _death(exitcode: int | None) -> str:
    if exitcode is None or exitcode >= 0:
        return f"its process ended with exit code {exitcode} and no result"
    name = Signals(-exitcode).name
    return f"its process was killed by {name}" + ("; perhaps the memory ran out" if name == "SIGKILL" else "")
