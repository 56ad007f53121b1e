"""`hrm bench` in its smallest form: two engines, no compiling."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hrmlab.analysis.machine import Machine
from hrmlab.api import benchmarking, measuring

Hrm = Callable[..., Any]
SHORT = ("--engines", "reference,eager", "--seconds", 0, "--threads", 1, "--json", "--quiet")
KEYS = {
    "name", "engines", "ratio_to_reference", "noisy", "why", "machine", "roofline", "regressions", "explanation",
    "protocol", "files",
}  # fmt: skip


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine at rest, whatever else runs beside the tests; and no process for the memory alone."""
    machine = Machine({512: 1e11}, 1e10, 1, own=1.0, spread=0.0, speed_up=None)
    monkeypatch.setattr(benchmarking, "look", lambda device: machine)
    monkeypatch.setattr(measuring, "peak_mb", lambda config, engine, device: 1.0)


def test_a_run_is_measured_in_training_and_in_answering(hrm: Hrm, run: Path, calm: None) -> None:
    answer = hrm("bench", run, *SHORT).json
    assert set(answer) == KEYS and not answer["noisy"] and not answer["why"]
    rows = {(row["mode"], row["name"]): row for row in answer["engines"]}
    assert set(rows) == {(mode, name) for mode in ("train", "infer") for name in ("reference", "eager")}
    for row in rows.values():
        assert {"name", "mode", "step_ms", "tokens_per_s", "flops_share", "peak_mb"} <= set(row)
        assert row["step_ms"]["median"] > 0 and row["step_ms"]["mad"] >= 0 and row["flops_share"] > 0
    assert set(answer["ratio_to_reference"]) == {"train", "train_one_forward", "infer"}
    assert answer["ratio_to_reference"]["train"] == pytest.approx(
        rows["train", "reference"]["step_ms"]["median"] / rows["train", "eager"]["step_ms"]["median"]
    )
    assert answer["ratio_to_reference"]["train_one_forward"] is None  # correctness halting looks at nothing ahead
    assert rows["infer", "reference"]["mean_segments"] == 3.0  # evaluation.max_segments, for everyone
    assert 0 <= rows["infer", "eager"]["exact"] <= 1


def test_one_forward_is_measured_where_a_second_is_looked_at(hrm: Hrm, calm: None) -> None:
    small = ("model.size.width=8", "training.batch_size=4", "model.size.heads=1")
    answer = hrm("bench", "hrm-sudoku-4x4", *small, *SHORT, "--explain").json
    modes = {(row["mode"], row["name"]) for row in answer["engines"]}
    assert ("train_one_forward", "eager") in modes and ("train_one_forward", "reference") not in modes
    assert answer["ratio_to_reference"]["train_one_forward"] > 0
    assert any("eager segment in" in line for line in answer["explanation"])
    assert answer["protocol"]["trained"] is False


def test_history_is_kept_and_compared(hrm: Hrm, run: Path, calm: None, tmp_path: Path) -> None:
    answer = hrm("bench", run, *SHORT, "--out", tmp_path / "history").json
    (file,) = (tmp_path / "history").glob("*.json")
    assert str(file) in answer["files"] and json.loads(file.read_text())["engines"] == answer["engines"]
    faster = json.loads(file.read_text())
    for row in faster["engines"]:
        row["flops_share"] *= 1000 if row["mode"] == "train" else 0.001
    file.write_text(json.dumps(faster))
    again = hrm("bench", run, *SHORT, "--against", file)
    assert again.code == 1
    assert {(row["name"], row["mode"]) for row in again.json["regressions"]} == {
        ("reference", "train"), ("eager", "train"),
    }  # fmt: skip


def test_on_a_restless_machine_nothing_is_claimed(
    hrm: Hrm, run: Path, calm: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    restless = Machine({512: 1e11}, 1e10, 2, own=0.4, spread=0.0, speed_up=0.1)
    monkeypatch.setattr(benchmarking, "look", lambda device: restless)
    answer = hrm("bench", run, *SHORT, "--out", tmp_path / "h").json
    assert answer["noisy"] and len(answer["why"]) == 2
    assert set(answer["ratio_to_reference"].values()) == {None}
    (file,) = (tmp_path / "h").glob("*.json")
    again = hrm("bench", run, *SHORT, "--against", file)
    assert again.code == 0 and again.json["regressions"] == [] and "not compared" in again.json["why"][-1]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--engines", "quick"), "known: captured, compiled, eager, reference"),
        (("--engines", ","), "came empty"),
        (("--seconds", "-1"), "wanted 0 or more"),
        (("--against", "nothing.json"), "hrm bench --out"),
    ],
)
def test_mistakes_are_one_line(hrm: Hrm, run: Path, words: tuple[str, ...], hint: str) -> None:
    called = hrm("bench", run, *words)
    assert called.code == 2 and hint in called.err and called.err.count("\n") == 1


@pytest.mark.slow
def test_the_memory_of_a_step_is_measured_in_its_own_process() -> None:
    import torch

    from hrmlab.api.peak import peak_mb
    from hrmlab.presets import preset

    most = peak_mb(preset("sudoku-4x4").make(), "eager", torch.device("cpu"))
    assert most is not None and 50 < most < 5000
