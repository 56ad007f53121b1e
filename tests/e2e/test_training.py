"""Training from the command line: what is written, what is repeatable, how one goes on."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hrmlab.core.weights import read_weights
from hrmlab.training.checkpoint import checkpoints

Hrm = Callable[..., Any]


def records(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def same_weights(one: Path, other: Path) -> bool:
    a, b = (read_weights(checkpoints(run / "checkpoints")[-1] / "weights.safetensors") for run in (one, other))
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_run_folder_holds_everything(run: Path) -> None:
    assert {path.name for path in run.iterdir()} == {
        "config.json", "provenance.json", "metrics.jsonl", "results.json", "checkpoints",
    }  # fmt: skip
    results = json.loads((run / "results.json").read_text())
    assert results["protocol"]["weights"].endswith("step 10")
    assert [path.name for path in checkpoints(run / "checkpoints")] == ["00000005", "00000010"]
    lines = records(run)
    assert lines[-1]["step"] == 10
    assert all("loss" in line and "seconds" in line for line in lines)


def test_eval_repeats_the_numbers_of_training(hrm: Hrm, run: Path) -> None:
    stored = json.loads((run / "results.json").read_text())
    again = hrm("eval", run, "--json").json
    for key in ("n", "exact", "cell", "valid", "by_segment", "mean_segments"):
        assert again[key] == stored[key]
    for key in ("task", "data", "seed", "halting", "weights"):
        assert again["protocol"][key] == stored["protocol"][key]


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(
    hrm: Hrm, tmp_path: Path, tiny_options: tuple[str, ...]
) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = tmp_path / name
        assert (
            hrm("train", "sudoku-4x4", *tiny_options, "--steps", 4, "--seed", seed, "--out", out, "--quiet").code == 0
        )
    assert same_weights(tmp_path / "a", tmp_path / "b")
    assert not same_weights(tmp_path / "a", tmp_path / "c")


def test_a_killed_run_goes_on_to_the_very_same_weights(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(run, broken)
    shutil.rmtree(broken / "checkpoints" / "00000010")
    (broken / "results.json").unlink()
    called = hrm("train", "--resume", broken, "--json", "--device", "cpu")
    assert called.code == 0
    assert called.json["steps"] == 10
    assert "going on from step 5" in called.err
    assert same_weights(run, broken)
    assert [line["step"] for line in records(broken)] == sorted({line["step"] for line in records(broken)})


def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(run, broken)
    file = broken / "checkpoints" / "00000010" / "training.pt"
    file.write_bytes(file.read_bytes()[:100])
    (broken / "results.json").unlink()
    assert hrm("train", "--resume", broken, "--quiet", "--device", "cpu").code == 0
    assert same_weights(run, broken)


def test_so_many_checkpoints_are_kept(hrm: Hrm, tmp_path: Path, tiny_options: tuple[str, ...]) -> None:
    words = ["sudoku-4x4", *tiny_options, "training.checkpoint_every=2", "--steps", 9, "--quiet", "--device", "cpu"]
    assert hrm("train", *words, "--keep", 3, "--out", tmp_path / "r").code == 0
    assert [path.name for path in checkpoints(tmp_path / "r" / "checkpoints")] == ["00000006", "00000008", "00000009"]
    called = hrm("train", *words, "--keep", 0, "--out", tmp_path / "none")
    assert called.code == 2 and "--keep 0 came; wanted 1 or more" in called.err
    assert not (tmp_path / "none").exists()


def test_a_complete_run_is_not_trained_again_unless_given_more(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    refused = hrm("train", "--resume", copy)
    assert refused.code == 2
    assert "is complete at step 10" in refused.err and "--steps" in refused.err
    extended = hrm("train", "--resume", copy, "--steps", 12, "--json", "--quiet")
    assert extended.json["steps"] == 12
    assert json.loads((copy / "config.json").read_text())["training"]["steps"] == 12


def test_without_out_the_run_is_named_after_preset_and_time(hrm: Hrm, tiny_options: tuple[str, ...]) -> None:
    first = hrm("train", "sudoku-4x4", *tiny_options, "--steps", 1, "--quiet", "--json").json["run"]
    second = hrm("train", "sudoku-4x4", *tiny_options, "--steps", 1, "--quiet", "--json").json["run"]
    assert first.startswith("runs/sudoku-4x4-") and first != second
    assert Path(second, "config.json").is_file()


def test_a_configuration_file_trains_as_its_preset_does(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    assert hrm("train", run / "config.json", "--out", tmp_path / "again", "--quiet", "--device", "cpu").code == 0
    assert same_weights(run, tmp_path / "again")


def test_a_data_set_brings_its_own_task(hrm: Hrm, data: Path, tmp_path: Path, tiny_options: tuple[str, ...]) -> None:
    called = hrm(
        "train", "sudoku-9x9", *tiny_options, f"data.path={data}", "--steps", 2, "--out", tmp_path / "r", "--quiet",
        "--json",
    )  # fmt: skip
    protocol = called.json["evaluation"]["protocol"]
    assert called.json["evaluation"]["n"] == 10
    assert (protocol["task"]["box_rows"], protocol["task"]["box_cols"], protocol["seed"]) == (2, 2, None)


def test_seconds_limit_a_run(hrm: Hrm, tmp_path: Path, tiny_options: tuple[str, ...]) -> None:
    called = hrm("train", "sudoku-4x4", *tiny_options, "--seconds", 0.2, "--out", tmp_path / "r", "--quiet", "--json")
    assert called.json["steps"] >= 1
    assert 0.2 <= called.json["seconds"] < 5


def test_evaluations_on_the_way_are_recorded(hrm: Hrm, tmp_path: Path, tiny_options: tuple[str, ...]) -> None:
    hrm(
        "train", "sudoku-4x4", *tiny_options, "training.evaluate_every=0.01", "training.evaluate_puzzles=4",
        "--steps", 3, "--out", tmp_path / "r", "--quiet",
    )  # fmt: skip
    found = [line["evaluation"] for line in records(tmp_path / "r") if "evaluation" in line]
    assert found and all(set(f) == {"n", "exact", "cell", "mean_segments", "by_segment"} and f["n"] == 4 for f in found)


def test_augmentation_and_hrm_proper_train(hrm: Hrm, tmp_path: Path, tiny_options: tuple[str, ...]) -> None:
    options = [option for option in tiny_options if "schedule" not in option]
    out = tmp_path / "r"
    assert (
        hrm("train", "hrm-sudoku-4x4", *options, "data.augment=true", "--steps", 4, "--out", out, "--quiet").code == 0
    )


def test_mazes_train_and_solve(hrm: Hrm, tmp_path: Path, tiny_options: tuple[str, ...]) -> None:
    out = tmp_path / "r"
    sized = ("task.rows=3", "task.columns=3", "data.train=8", "data.test=2")
    assert hrm("train", "maze-9x9", *tiny_options, *sized, "--steps", 2, "--out", out, "--quiet").code == 0
    maze = "#######\n#S#...#\n#.#.#.#\n#.#.#.#\n#.#.#.#\n#...#G#\n#######"
    called = hrm("solve", out, maze, "--json")
    assert called.code == 0
    assert called.json["results"][0]["input"].startswith("########S#")


def test_a_loss_that_is_no_number_stops_the_run(hrm: Hrm, tmp_path: Path, tiny_options: tuple[str, ...]) -> None:
    called = hrm(
        "train", "sudoku-4x4", *tiny_options, "training.optimiser.lr=1e38", "training.optimiser.rest.lr=1e38",
        "training.clip=none", "--steps", 30, "--out", tmp_path / "r", "--quiet",
    )  # fmt: skip
    assert called.code == 2
    assert "the loss became" in called.err and "lower training.optimiser.lr" in called.err


@pytest.mark.parametrize("words", [("--seconds", 0), ("--steps", -1)])
def test_a_budget_of_nothing_is_refused(hrm: Hrm, words: tuple[str, object]) -> None:
    assert "wanted more than 0" in hrm("train", "sudoku-4x4", *words).err
