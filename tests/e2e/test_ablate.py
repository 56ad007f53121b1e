"""A study from the command line: two arms, two seeds, three steps; killed on the way and gone on with."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

Hrm = Callable[..., Any]

FILES = {"report.json", "report.md", "report.html", "table.csv", "arms.csv", "curves.csv", "forest.svg", "pareto.svg"}


@pytest.fixture
def study(tmp_path: Path, tiny_options: tuple[str, ...]) -> Path:
    file = tmp_path / "trial.json"
    about = {
        "name": "trial",
        "base": "sudoku-4x4",
        "overrides": [*tiny_options, "training.engine=eager", "training.checkpoint_every=1"],
        "factors": {"cycles": {"3": ["model.schedule.cycles=3"]}},
        "evaluations": {"one": ["evaluation=fixed,max_segments=1"]},
        "budget": {"steps": 3},
        "seeds": [0, 1],
    }
    file.write_text(json.dumps(about))
    return file


def test_a_study_that_is_killed_goes_on_and_answers_in_tables_figures_and_words(
    hrm: Hrm, study: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "hrmlab", "ablate", study, "--out", out, "--quiet"]
    first = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    while not [file for file in out.glob("cells/*/status.json") if '"done"' in file.read_text()]:
        assert first.poll() is None
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    time.sleep(2)  # its workers end with it
    called = hrm("ablate", study, "--out", out, "--json", "--quiet")
    answer = called.json
    assert called.code == 0 and not called.err
    assert {"study", "cells", "table", "conclusion"} <= set(answer)
    assert answer["reused"] >= 1
    assert [(c["arm"], c["seed"], c["state"]) for c in answer["cells"]] == [
        ("base", 0, "done"), ("cycles=3", 0, "done"), ("base", 1, "done"), ("cycles=3", 1, "done"),
    ]  # fmt: skip
    assert {Path(file).name for file in answer["files"]} >= FILES
    judged = [row for row in answer["table"] if row["arm"] == "cycles=3"]
    assert [row["evaluation"] for row in judged] == ["own", "one"]
    assert all(row["decision"] == "inconclusive" and row["pairs"] == 2 for row in judged)
    assert "So few seeds can show nothing" in answer["conclusion"]
    assert "optimiser steps" in answer["conclusion"] and answer["matched"] == ["parameters", "steps"]
    with (out / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["mean"]) for row in rows] == pytest.approx([row["mean"] for row in answer["table"]], rel=1e-5)
    assert answer["conclusion"] in (out / "report.md").read_text()
    for name in ("forest.svg", "pareto.svg"):
        ElementTree.parse(out / name)
    again = hrm("ablate", out / "study.json", "--out", out, "--json", "--quiet").json
    assert again["reused"] == 4 and again["table"] == answer["table"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("arc-price",), "did you mean 'arc-prize'"),
        (("nothing.json", "--quick"), "only shipped studies have a reduced form"),
        (("os:getcwd",), "gave no study"),
        (("act", "--seeds", 0), "--seeds 0"),
        (("act", "--quick", "--steps", 3, "--seconds", 3), "wanted one of steps, seconds, flops"),
    ],
)
def test_what_cannot_be_a_study_is_said_in_one_line(hrm: Hrm, words: tuple[object, ...], said: str) -> None:
    called = hrm("ablate", *words)
    assert called.code == 2 and said in called.err


def test_the_catalogue_lists_studies(hrm: Hrm) -> None:
    names = [item["name"] for item in hrm("catalog", "study", "--json").json["items"]]
    assert names == ["arc-prize", "trm-table-1", "urm-loops", "act", "embedding", "variations", "variations-maze"]
