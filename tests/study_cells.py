"""What a cell may do to a study: functions that the runner's processes call. They need no torch."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from hrmlab.errors import DataError


def good(folder: Path) -> dict[str, Any]:
    """Gives the cell's seed, and how often it was called."""
    print("at work")
    calls = folder / "calls"
    calls.write_text(f"{calls.read_text() if calls.is_file() else ''}x")
    seed = json.loads((folder / "cell.json").read_text())["seed"]
    return {"own": {"exact": float(seed), "calls": len(calls.read_text()), "threads": os.environ["OMP_NUM_THREADS"]}}


def bad(folder: Path) -> dict[str, Any]:
    raise DataError("no puzzles came")


def bug(folder: Path) -> dict[str, Any]:
    print("about to fail")
    return {"own": {"exact": 1 / 0}}


def not_a_number(folder: Path) -> dict[str, Any]:
    return {"own": {"exact": float("nan")}}


def mixed(folder: Path) -> dict[str, Any]:
    """Seed 1 fails, seed 2 is killed as if out of memory; both succeed the second time."""
    seed = json.loads((folder / "cell.json").read_text())["seed"]
    again = (folder / "again").exists()
    (folder / "again").touch()
    if seed == 1 and not again:
        raise DataError("seed 1 has a bad day")
    if seed == 2 and not again:
        os.kill(os.getpid(), signal.SIGKILL)
    return good(folder)


def slow(folder: Path) -> dict[str, Any]:
    """Never ends by itself."""
    (folder / "began").touch()
    while True:
        time.sleep(0.05)


def patient(folder: Path) -> dict[str, Any]:
    """Says that it began, and takes its time."""
    (folder / f"began-{os.getpid()}").touch()
    time.sleep(5)
    return good(folder)
