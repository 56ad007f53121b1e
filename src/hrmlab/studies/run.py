"""Running the cells of a study, each in a process of its own, some at a time, here or on other machines."""

import os
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hrmlab.errors import HrmLabError
from hrmlab.studies.engines import Engine, Job, Launcher, Local, Outcome
from hrmlab.studies.store import Process, Status, StudyFolder
from hrmlab.terminal import Meter, note

PATIENCE = 30.0
"""Seconds that a cell is given to save and end when the study is interrupted."""
LOOK = 0.2
"""Seconds between looks at who has ended."""
STARTS = 3
"""So often a cell is started whose machine goes away."""


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
    jobs: int | None = None,
    modules: Sequence[str] = (),
    engine: Engine | None = None,
    quiet: bool = False,
) -> Ran:
    """Run the cells that are not done. Where none is, the first runs alone, so that a broken study fails at once.

    A later cell that crashes is recorded with its reason and the others go on; it is tried again the next time. One
    whose machine went away is started again at once, three times at most. When interrupted, cells that were at work
    save what they can and are planned again.

    Args:
        cells: ids, all of them prepared in the folder.
        function: `module:function`, called with the cell's folder, giving results by evaluation and measure.
        jobs: processes at a time, of one thread each; None is the engine's own choice.
        modules: that every process imports first.
        engine: where they run; None is this machine.

    Raises:
        ConfigError: jobs below 1, or the engine cannot be used here.
        MissingExtraError: a package that the engine needs is not installed.
        HrmLabError: the first cell failed; nothing else was run.
    """
    engine = engine or Local()
    jobs = engine.jobs(jobs, len(cells))
    waiting = [id for id in cells if folder.status(id).state != "done"]
    reused, total = len(cells) - len(waiting), len(cells)
    launcher = engine.launcher(function, modules, folder.path) if waiting else None
    with Meter(f"running {total} cells", quiet) as meter:
        crew = _Crew(folder, launcher, meter, reused, total)
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
    """A job at work on a cell. status: what the folder says of it."""

    id: str
    job: Job
    status: Status
    since: float


class _Crew:
    """Jobs at work, and how far they have come."""

    def __init__(self, folder: StudyFolder, launcher: Launcher | None, meter: Meter, done: int, total: int) -> None:
        self.folder, self.launcher, self.meter = folder, launcher, meter
        self.reused, self.total, self.done = done, total, 0
        self.failed: dict[str, str] = {}
        self.workers: list[_Worker] = []
        self.took: list[float] = []
        self.starts: dict[str, int] = {}

    def run(self, cells: Iterable[str], jobs: int) -> None:
        """Until all these cells are done or failed."""
        waiting = deque(cells)
        try:
            while waiting or self.workers:
                while waiting and len(self.workers) < jobs:
                    self.workers.append(self._started(waiting.popleft()))
                ended = [(worker, outcome) for worker in self.workers if (outcome := worker.job.outcome()) is not None]
                for worker, outcome in ended:
                    self.workers.remove(worker)
                    worker.job.close(5)  # it has said its last word, and gets a moment to leave by itself
                    if outcome.lost and self.starts[worker.id] < STARTS:
                        self._mark_lost(worker, outcome)
                        waiting.append(worker.id)
                    else:
                        self._finish(worker, outcome)
                self._show(len(waiting), jobs)
                if not ended:
                    time.sleep(LOOK)
        finally:
            self._stop()

    def _started(self, id: str) -> _Worker:
        assert self.launcher is not None, "there is one where a cell waits"
        before = self.folder.status(id)
        job = self.launcher.start(self.folder.cell(id))
        status = Status(state="running", attempts=before.attempts + 1, process=job.process or Process.of(os.getpid()))
        self.folder.mark(id, status)
        self.starts[id] = self.starts.get(id, 0) + 1
        return _Worker(id, job, status, time.monotonic())

    def _mark_lost(self, worker: _Worker, outcome: Outcome) -> None:
        self.folder.mark(worker.id, replace(worker.status, state="planned", process=None, reason=outcome.reason))

    def _finish(self, worker: _Worker, outcome: Outcome) -> None:
        seconds = time.monotonic() - worker.since
        status = replace(worker.status, process=None, seconds=round(seconds, 3))
        if outcome.results is not None:
            self.folder.mark(worker.id, replace(status, state="done", results=outcome.results))
            self.done += 1
        else:
            self.folder.mark(worker.id, replace(status, state="failed", reason=outcome.reason))
            self.failed[worker.id] = outcome.reason
        self.took.append(seconds)

    def _stop(self) -> None:
        """End what is still at work, politely at first; it will be taken up again from its last checkpoint."""
        for worker in self.workers:
            worker.job.stop()
        deadline = time.monotonic() + PATIENCE
        for worker in self.workers:
            worker.job.close(max(deadline - time.monotonic(), 0))
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
