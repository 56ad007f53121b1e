"""Real processes: signals, pipes, and someone else's module."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

HRM = [sys.executable, "-m", "hrmlab"]


def start(*words: object) -> "subprocess.Popen[str]":
    command = [*HRM, *(str(word) for word in words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_an_interrupted_run_is_saved_and_says_how_to_go_on(tmp_path: Path, tiny_options: tuple[str, ...]) -> None:
    out = tmp_path / "r"
    words = ["train", "sudoku-4x4", *tiny_options, "--seconds", "60", "--out", out, "--json", "--threads", "1"]
    process = start(*words)
    deadline = time.monotonic() + 60
    while not (out / "checkpoints").is_dir() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 3, stderr
    answer = json.loads(stdout)
    assert answer["interrupted"] and answer["exact"] is None
    assert answer["resume"] == f"hrm train --resume {out}"
    newest = max(int(path.name) for path in (out / "checkpoints").iterdir())
    assert newest == answer["steps"], "the very last step is saved"


def test_a_reader_that_leaves_is_no_error() -> None:
    process = start("catalog")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


def test_a_part_of_ones_own_is_imported_and_listed(tmp_path: Path) -> None:
    (tmp_path / "my_parts.py").write_text(
        "from dataclasses import dataclass\n"
        "from typing import Literal\n"
        "from hrmlab.halting import HALTING, Fixed\n"
        "@HALTING.register(source='me')\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Patient(Fixed):\n"
        "    '''Takes its time.'''\n"
        "    kind: Literal['patient'] = 'patient'\n"
    )
    done = subprocess.run(
        [*HRM, "catalog", "halting", "--import", "my_parts", "--json"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert {"kind": "halting", "name": "patient", "summary": "Takes its time.", "source": "me"} in json.loads(
        done.stdout
    )["items"]
