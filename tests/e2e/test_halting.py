"""`hrm halting` and `hrm halting tune`, as they are typed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Hrm = Callable[..., Any]
RULE = {
    "name", "rule", "threshold", "accuracy", "mean_segments", "p50_segments", "p95_segments", "max_segments",
    "precision", "recall", "premature", "overrun", "unsolvable", "difficulty", "curve",
}  # fmt: skip


def test_rules_are_compared_and_the_report_is_on_disk_with_its_figure(hrm: Hrm, tmp_path: Path) -> None:
    out = tmp_path / "report"
    mine = "any_of(verifier, residual(tau=0.01))"
    found = hrm("halting", "sudoku-4x4", "--n", 60, "--segments", 6, "--also", mine, "--out", out, "--json").json
    assert mine in {rule["name"] for rule in found["rules"]}
    assert (found["validation"], found["test"], found["segments"]) == (30, 30, 6)
    assert {"verifier", "confidence", "answer_stability", "correctness"} <= {rule["name"] for rule in found["rules"]}
    assert all(set(rule) == RULE for rule in found["rules"])
    for rule in found["rules"]:
        assert rule["mean_segments"] >= 1 and rule["rule"]["max_segments"] == 6
        assert rule["accuracy"] <= found["oracle"]["accuracy"]
    verifier = next(rule for rule in found["rules"] if rule["name"] == "verifier")
    assert verifier["precision"] == 1.0
    assert [at["segments"] for at in found["fixed"]] == [1, 2, 3, 4, 5, 6]
    assert {"of", "ece", "ece_mass", "brier", "auroc", "reliability", "by_segment"} == set(found["calibration"])
    assert found["calibration"]["of"] == "halting head"
    assert [row["segment"] for row in found["calibration"]["by_segment"]] == [1, 2, 4]
    assert set(found["overthinking"]) == {"lost", "relapses", "never", "after"}
    assert found["protocol"]["task"]["kind"] == "sudoku"
    assert {Path(file).name for file in found["files"]} == {path.name for path in out.iterdir()}
    assert json.loads((out / "halting.json").read_text()) == found
    assert (out / "halting.svg").read_text().startswith("<?xml")
    assert len((out / "halting.csv").read_text().splitlines()) == len(found["rules"]) + 1
    table = (out / "halting.md").read_text()
    assert "Oracle (reads the labels" in table and table.count("\n| ") == len(found["rules"]) + 1


def test_the_table_is_printed(hrm: Hrm, tmp_path: Path) -> None:
    called = hrm("halting", "sudoku-4x4", "--n", 20, "--segments", 3, "--out", tmp_path)
    assert called.code == 0
    assert "oracle" in called.out and "mean segments" in called.out and "ECE" in called.out


def test_tuning_changes_what_eval_and_solve_do(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(run, mine)
    chosen = hrm("halting", "tune", mine, "--segments", 4, "--rule", "answer_stability", "--json").json
    assert chosen["rule"]["kind"] == "answer_stability"
    assert chosen["before"] == json.loads((run / "config.json").read_text())["evaluation"]
    evaluated = hrm("eval", mine, "--json").json
    assert evaluated["protocol"]["halting"] == chosen["rule"]


def test_a_rule_may_be_tuned_by_its_text(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(run, mine)
    chosen = hrm("halting", "tune", mine, "--segments", 3, "--rule", "all_of(confidence,residual)", "--json").json
    assert [rule["kind"] for rule in chosen["rule"]["rules"]] == ["confidence", "residual"]
    assert json.loads((mine / "config.json").read_text())["evaluation"] == chosen["rule"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["halting", "sudoku-4x4", "--n", "3"], "wanted 4 or more"),
        (["halting", "sudoku-4x4", "--segments", "1"], "wanted 2 segments or more"),
        (["halting", "sudoku-4x4", "--target-accuracy-loss", "much"], "wanted a share"),
        (["halting", "sudoku-4x4", "--also", "confidense"], "confidense"),
        (["halting", "tune", "sudoku-4x4"], "comes with the package"),
    ],
)
def test_mistakes(hrm: Hrm, words: list[str], said: str) -> None:
    called = hrm(*words)
    assert called.code == 2 and said in called.err and len(called.err.splitlines()) == 1
