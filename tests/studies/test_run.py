"""Cells in processes: reused, retried, recorded, and never dropped."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from study_folders import plan, planned

from hrmlab.errors import ConfigError, DataError, HrmLabError
from hrmlab.studies.run import run_cells
from hrmlab.studies.store import Process, StudyFolder

TESTS = Path(__file__).parent.parent


def test_every_cell_is_run_once_in_a_process_of_one_thread(tmp_path: Path) -> None:
    folder, ids = planned(tmp_path)
    first = run_cells(folder, ids, "study_cells:good", jobs=2, quiet=True)
    assert (first.done, first.reused, first.failed) == (3, 0, {})
    again = run_cells(folder, ids, "study_cells:good", jobs=2, quiet=True)
    assert (again.done, again.reused, again.failed) == (0, 3, {})
    for seed, id in enumerate(ids):
        status = folder.status(id)
        assert (status.state, status.attempts, status.process) == ("done", 1, None)
        assert status.results == {"own": {"exact": seed, "calls": 1, "threads": "1"}}


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("bad", "no puzzles came"),
        ("bug", "ZeroDivisionError: division by zero"),
        ("not_a_number", "not JSON compliant"),
        ("missing", "has no attribute 'missing'"),
    ],
)
def test_a_broken_study_ends_with_its_first_cell(tmp_path: Path, function: str, reason: str) -> None:
    folder, ids = planned(tmp_path)
    with pytest.raises(HrmLabError, match=r"the first cell \(base, seed 0\) failed.*" + reason):
        run_cells(folder, ids, f"study_cells:{function}", jobs=2, quiet=True)
    assert [folder.status(id).state for id in ids] == ["failed", "planned", "planned"]
    assert reason in str(folder.status(ids[0]).reason)
    if function == "bug":
        log = (folder.cell(ids[0]) / "log.txt").read_text()
        assert "about to fail" in log and "1 / 0" in log


def test_later_cells_that_fail_or_are_killed_are_recorded_and_tried_again(tmp_path: Path) -> None:
    folder, ids = planned(tmp_path, seeds=4)
    ran = run_cells(folder, ids, "study_cells:mixed", jobs=2, quiet=True)
    assert ran.done == 2
    assert ran.failed == {ids[1]: "seed 1 has a bad day", ids[2]: folder.status(ids[2]).reason}
    assert "killed by SIGKILL" in ran.failed[ids[2]]
    again = run_cells(folder, ids, "study_cells:mixed", jobs=2, quiet=True)
    assert (again.done, again.reused, again.failed) == (2, 2, {})
    assert [folder.status(id).attempts for id in ids] == [1, 2, 2, 1]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as a terminal has it: a suite that is started in the background may have been told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_a_study_that_is_interrupted_plans_its_cells_again(tmp_path: Path) -> None:
    folder, ids = planned(tmp_path)

    def interrupt() -> None:
        until((folder.cell(ids[0]) / "began").exists)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run_cells(folder, ids, "study_cells:slow", quiet=True)
    status = folder.status(ids[0])
    assert (status.state, status.reason, status.attempts) == ("planned", "interrupted", 1)
    assert run_cells(folder, ids[:1], "study_cells:good", quiet=True).done == 1
    assert folder.status(ids[0]).attempts == 2


@pytest.mark.slow
def test_a_study_that_is_killed_leaves_no_process_and_is_gone_on_with(tmp_path: Path) -> None:
    folder, ids = planned(tmp_path)
    study = started(folder, ids)
    process = folder.status(ids[0]).process
    assert process is not None and process.alive
    with pytest.raises(DataError, match=f"process {process.number} still works on"):
        folder.prepare({"name": "trial"}, [plan(0)])
    study.send_signal(signal.SIGKILL)
    study.wait(20)
    until(lambda: not process.alive)
    folder.prepare({"name": "trial"}, [plan(0)])
    assert folder.status(ids[0]).state == "running"
    assert run_cells(folder, ids[:1], "study_cells:good", quiet=True).done == 1


def test_a_process_of_the_same_number_that_began_later_is_another(tmp_path: Path) -> None:
    own = Process.of(os.getpid())
    assert own.alive and own.began == psutil.Process().create_time()
    assert not Process(own.number, own.began - 1).alive


def test_it_takes_a_job(tmp_path: Path) -> None:
    folder, ids = planned(tmp_path)
    with pytest.raises(ConfigError, match="--jobs 0 came"):
        run_cells(folder, ids, "study_cells:good", jobs=0)


def started(folder: StudyFolder, ids: list[str]) -> "subprocess.Popen[bytes]":
    """A study whose first cell is at work, in a process of its own."""
    code = (
        "from pathlib import Path\n"
        "from hrmlab.studies.run import run_cells\n"
        "from hrmlab.studies.store import StudyFolder\n"
        f"run_cells(StudyFolder(Path({str(folder.path)!r})), {json.dumps(ids)}, 'study_cells:slow', quiet=True)\n"
    )
    path = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
    study = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path})
    until(lambda: (folder.cell(ids[0]) / "began").exists())
    return study


def until(true: Any) -> None:
    deadline = time.monotonic() + 120
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
