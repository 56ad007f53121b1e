"""Long work as processes of its own: started, looked at, cancelled; what came of it survives whoever asked."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from hrmlab.config import load_json
from hrmlab.errors import DataError
from hrmlab.reading import is_name, read_json
from hrmlab.registry import Strict

State = Literal["running", "done", "failed", "cancelled", "lost"]
TAIL = 20
GRACE = 5.0
"""Seconds from the request to end until the end is made."""


@dataclass(frozen=True)
class Job:
    """A verb at work. words: what follows `hrm`. log: the last lines of what it says. result: its JSON when it is done;
    error: why it is not."""

    id: str
    words: list[str]
    state: State
    seconds: float
    log: list[str]
    result: dict[str, Any] | None = None
    error: str | None = None


@dataclass(frozen=True)
class _Begun(Strict):
    words: list[str]
    pid: int
    began: float
    started: float


@dataclass(frozen=True)
class _Ended(Strict):
    state: Literal["done", "failed", "cancelled"]
    ended: float
    code: int | None = None


class Jobs:
    """Verbs of the command line in processes of their own, each with a folder below `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mine: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, words: Sequence[str]) -> Job:
        """Run `hrm WORDS --json` in a new session, so that it can be ended with all that it starts."""
        id = f"job_{uuid.uuid4().hex[:10]}"
        folder = self.path / id
        folder.mkdir(parents=True)
        command = [sys.executable, "-m", "hrmlab", *words, "--json"]
        with (folder / "out").open("wb") as out, (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True
            )
        about = {"words": list(words), "pid": process.pid, "began": _began(process.pid), "started": time.time()}
        _write(folder / "job.json", about)
        self._mine[id] = process
        threading.Thread(target=self._await, args=(id, process), daemon=True).start()
        return self.look(id)

    def look(self, id: str, wait: float = 0.0) -> Job:
        """A job as it stands, or as it stands after at most `wait` seconds.

        Raises:
            DataError: there is no such job, with those there are.
        """
        folder = self.path / id
        if not is_name(id) or not (folder / "job.json").is_file():
            known = ", ".join(sorted(place.name for place in self.path.glob("job_*"))) or "none"
            raise DataError(
                f"no job '{id}'; there are: {known}. Start another with hrm_train, hrm_ablate or hrm_verify"
            )
        until = time.monotonic() + wait
        while (job := self._job(folder)).state == "running" and time.monotonic() < until:
            time.sleep(0.1)
        return job

    def cancel(self, id: str) -> Job:
        """End a job with all its processes; one that is over stays as it is."""
        job, folder = self.look(id), self.path / id
        if job.state == "running":
            _write(folder / "end.json", {"state": "cancelled", "ended": time.time()})
            _end(load_json(folder / "job.json", _Begun).pid)
        return self.look(id)

    def close(self) -> None:
        """End every job that this process started and that is still running."""
        for id, process in self._mine.items():
            if process.poll() is None:
                self.cancel(id)

    def _await(self, id: str, process: "subprocess.Popen[bytes]") -> None:
        code = process.wait()
        end = self.path / id / "end.json"
        if not end.is_file():
            done = code in (0, 1) and _result(self.path / id / "out") is not None
            _write(end, {"state": "done" if done else "failed", "code": code, "ended": time.time()})

    def _job(self, folder: Path) -> Job:
        about = load_json(folder / "job.json", _Begun)
        ended = load_json(folder / "end.json", _Ended) if (folder / "end.json").is_file() else None
        said = folder / "log"
        text = said.read_text(encoding="utf-8", errors="replace").replace("\r", "\n") if said.is_file() else ""
        log = [line for line in text.splitlines() if line.strip()][-TAIL:]
        result = _result(folder / "out")
        if ended is not None:
            state: State = ended.state
        elif _alive(about.pid, about.began):
            state = "running"
        elif result is None:
            state = "lost"
        else:
            state = "failed" if "error" in result else "done"
        error = None
        if state == "failed":
            error = str((result or {}).get("error") or (log[-1] if log else "it ended without a word"))
        elif state == "lost":
            error = "its process is gone and left no result; start it again"
        until = ended.ended if ended is not None else time.time()
        finished = result if state == "done" else None
        return Job(folder.name, about.words, state, round(until - about.started, 1), log, finished, error)


def plain(job: Job) -> dict[str, Any]:
    """As JSON-like data."""
    return asdict(job)


def _result(file: Path) -> dict[str, Any] | None:
    try:
        found = read_json(file)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _write(file: Path, data: dict[str, Any]) -> None:
    temporary = file.with_suffix(".tmp")
    temporary.write_text(json.dumps(data), encoding="utf-8")
    temporary.replace(file)


def _began(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())  # type: ignore[no-untyped-call]
    except psutil.NoSuchProcess:
        return 0.0


def _alive(pid: int, began: float) -> bool:
    try:
        process: Any = psutil.Process(pid)  # type: ignore[no-untyped-call]
        return bool(process.create_time() == began and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.NoSuchProcess, ValueError, OverflowError):  # what is no number of a process
        return False


def _end(pid: int) -> None:
    """A process and its descendants: asked first, then made to."""
    try:
        root: Any = psutil.Process(pid)  # type: ignore[no-untyped-call]
        family = [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return
    for process in family:
        _signal(process.pid, signal.SIGTERM)
    _, left = psutil.wait_procs(family, timeout=GRACE)  # type: ignore[no-untyped-call]
    for process in left:
        _signal(process.pid, signal.SIGKILL)
    psutil.wait_procs(left, timeout=GRACE)  # type: ignore[no-untyped-call]


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
