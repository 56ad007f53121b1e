"""Whatever a user gets wrong is one line: what came, what was wanted, what to type; exit code 2."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Hrm = Callable[..., Any]


def mistake(called: Any, *parts: str) -> None:
    assert called.code == 2, called
    assert called.out == ""
    assert called.err.startswith("hrm: ") and len(called.err.splitlines()) == 1, called.err
    for part in parts:
        assert part in called.err


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["trian"], ["unknown verb 'trian'", "did you mean 'train'"]),
        (["data"], ["data build", "data check"]),
        (["data", "chek"], ["did you mean 'data check'"]),
        (["--quiet"], ["a verb was wanted"]),
        (["train", "sudoku4x4"], ["unknown preset", "did you mean 'sudoku-4x4'"]),
        (["train"], ["wanted a preset"]),
        (["train", "runs/none"], ["no file or run"]),
        (["train", "none.json"], ["no file or run"]),
        (["train", "sudoku-4x4", "model.blok=post_norm"], ["did you mean 'block'"]),
        (["train", "sudoku-4x4", "model.block=post-norm"], ["unknown block", "did you mean 'post_norm'"]),
        (["train", "sudoku-4x4", "training.batch_size=many"], ["training.batch_size", "many", "integer"]),
        (["train", "sudoku-4x4", "training.batch_size=0"], ["training.batch_size=0"]),
        (["train", "sudoku-4x4", "training.batch_size"], ["'training.batch_size' is not an override"]),
        (["train", "sudoku-4x4", "--stepz", "3"], ["unknown option '--stepz'", "did you mean '--steps'"]),
        (["train", "sudoku-4x4", "--steps", "few"], ["invalid int value: 'few'", "hrm train --help"]),
        (["train", "sudoku-4x4", "--steps"], ["expected one argument"]),
        (["train", "sudoku-4x4", "--device", "gpu"], ["invalid choice: 'gpu'"]),
        (["train", "sudoku-4x4", "--threads", "0"], ["threads=0", "1 or more"]),
        (["train", "sudoku-4x4", "data.path=nowhere"], ["no data set at nowhere", "hrm data build"]),
        (["train", "sudoku-4x4", "data.test=0", "data.train=5", "--quiet"], ["0 held-out puzzles"]),
        (["train", "hrm-sudoku-extreme"], ["no data set", "hrm data build hrm-sudoku-extreme", "--augmentations 1000"]),
        (["train", "--resume", "nowhere"], ["nowhere"]),
        (["train", "sudoku-4x4", "--resume", "nowhere"], ["only --seconds and --steps"]),
        (["eval"], ["RUN is missing"]),
        (["eval", "nowhere"], ["no run at 'nowhere'", "hrm train"]),
        (["eval", "sudoku-6x6x"], ["no run at", "did you mean"]),
        (["eval", "maze-30x30-hard"], ["is a preset", "hrm train maze-30x30-hard"]),
        (["solve", "nowhere", "1"], ["no run at 'nowhere'"]),
        (["inspect", "hrm-sudoku-6x6", "model.schedule.grad_window=9"], ["grad_window=9 is outside 1..6"]),
        (["inspect", "sudoku-4x4", "model.block=post_norm"], ["use block 'relational'"]),
        (["catalog", "blocks"], ["unknown kind 'blocks'", "did you mean 'block'"]),
        (["doctor", "--import", "no_such_module"], ["cannot import 'no_such_module'"]),
        (["doctor", "now"], ["'now' came after all"]),
        (["data", "build", "sudoko", "--out", "x"], ["unknown task or preset 'sudoko'", "did you mean 'sudoku'"]),
        (["data", "build", "sudoku"], ["--out DIR"]),
        (["data", "build", "sudoku", "box_rows=1", "--out", "x"], ["boxes of 1x3"]),
        (["data", "build", "sudoku", "--csv", "a", "--hub", "b/c", "--out", "x"], ["wanted one of them"]),
        (["data", "build", "sudoku", "--augmentations", "3", "--out", "x"], ["--augmentations"]),
        (["data", "build", "table", "--csv", "none.csv", "--out", "x"], ["none.csv"]),
        (["data", "check", "nowhere"], ["no data set at nowhere"]),
        (["data", "show", "nowhere"], ["no data set at nowhere"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_words(hrm: Hrm, words: list[str], parts: list[str]) -> None:
    mistake(hrm(*words), *parts)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--halting", "fixd"], ["unknown halting 'fixd'", "did you mean 'fixed'"]),
        (["--halting", "fixed,max_segments"], ["'max_segments' without a value", "wanted key=value"]),
        (["--halting", "fixed,max_segments=0"], ["wanted 1 or more"]),
        (["--halting", "fixed,threshold=1"], ["threshold"]),
        (["--n", "0"], ["wanted 1 to 16"]),
        (["--n", "17"], ["17 puzzles", "wanted 1 to 16"]),
        (["--data", "nowhere"], ["no data set at nowhere"]),
        (["more"], ["'more' came after all"]),
    ],
)
def test_words_of_eval(hrm: Hrm, run: Path, words: list[str], parts: list[str]) -> None:
    mistake(hrm("eval", run, "--quiet", *words), *parts)


@pytest.mark.parametrize(
    ("puzzles", "parts"),
    [
        ([], ["no puzzle came"]),
        (["123"], ["puzzle 1", "16 cells, 3 came"]),
        (["1234............", "z" * 16], ["puzzle 1", "several solutions"]),
        (["z" * 16], ["'Z' at row 1 column 1"]),
        (["11.............."], ["1 stands twice in row 1"]),
        (["x", "--jobs", "f"], ["one or the other"]),
        (["--jobs", "nowhere.txt"], ["cannot read the jobs nowhere.txt"]),
    ],
)
def test_puzzles(hrm: Hrm, run: Path, puzzles: list[str], parts: list[str]) -> None:
    mistake(hrm("solve", run, *puzzles), *parts)


def test_a_place_that_is_taken(hrm: Hrm, run: Path, data: Path, tmp_path: Path) -> None:
    mistake(hrm("train", "sudoku-4x4", "--out", run), "is not empty", "--resume")
    (tmp_path / "file").write_text("")
    mistake(hrm("train", "sudoku-4x4", "--out", tmp_path / "file"), "is a file")
    mistake(hrm("train", "sudoku-4x4", "--out", tmp_path / "file" / "below"), "cannot make")
    mistake(hrm("data", "build", "sudoku", "--out", data), "holds a data set already")
    mistake(hrm("eval", run, "--quiet", "--out", tmp_path / "no" / "such"), "cannot write")


@pytest.mark.parametrize("damage", ["truncated", "empty", "gone", "noise"])
def test_damaged_weights(hrm: Hrm, run: Path, tmp_path: Path, damage: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    for checkpoint in (copy / "checkpoints").iterdir():
        file = checkpoint / "weights.safetensors"
        content = file.read_bytes()
        if damage == "gone":
            file.unlink()
        else:
            file.write_bytes({"truncated": content[: len(content) // 2], "empty": b"", "noise": b"x" * 999}[damage])
    mistake(hrm("eval", copy), "weights.safetensors", "damaged")
    mistake(hrm("eval", copy / "checkpoints" / "00000010"), "weights.safetensors")
    mistake(hrm("train", "--resume", copy), "weights.safetensors")


def test_a_run_without_checkpoint_or_configuration(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    mistake(hrm("eval", bare), "no config.json")
    shutil.copy(run / "config.json", bare)
    mistake(hrm("eval", bare), "has no checkpoint yet")
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    (copy / "config.json").write_text("{")
    mistake(hrm("eval", copy), "not JSON")
    mistake(hrm("train", "--resume", copy), "not JSON")


def test_weights_of_another_model(hrm: Hrm, run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    config = json.loads((copy / "config.json").read_text())
    config["model"]["size"]["width"] = 16
    (copy / "config.json").write_text(json.dumps(config))
    mistake(hrm("eval", copy), "does not fit the model")
    mistake(hrm("train", "--resume", copy, "--steps", 20), "does not belong to this configuration")


def test_data_whose_arrays_disagree(hrm: Hrm, data: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(data, broken)
    labels = broken / "train" / "all__labels.npy"
    np.save(labels, np.load(labels)[:-1])
    mistake(hrm("train", "sudoku-4x4", f"data.path={broken}", "--steps", 1), "labels", "29 examples, inputs have 30")
    checked = hrm("data", "check", broken, "--json")
    assert checked.code == 1
    assert checked.json["ok"] is False and any("29 examples" in problem for problem in checked.json["problems"])


def test_data_of_another_kind_or_vocabulary(hrm: Hrm, run: Path, data: Path, tmp_path: Path) -> None:
    maze = tmp_path / "maze"
    assert hrm("data", "build", "maze", "rows=3", "columns=3", "--train", 4, "--test", 2, "--out", maze).code == 0
    mistake(hrm("eval", run, "--data", maze), "holds task 'maze'", "trained on 'sudoku'")
    mistake(hrm("train", "sudoku-4x4", f"data.path={maze}", "--steps", 1), "interchangeable symbols", "tokens")


def test_weights_that_depend_on_the_vocabulary(hrm: Hrm, data: Path, tmp_path: Path) -> None:
    six, out = tmp_path / "six", tmp_path / "attention"
    assert hrm("data", "build", "sudoku-6x6", "--train", 2, "--test", 2, "--out", six, "--quiet").code == 0
    words = [
        "model.embedding=tokens", "model.block=post_norm", "model.positions=rotary", "model.size.width=8",
        "model.size.layers=1", "training.batch_size=4", "evaluation.max_segments=2", f"data.path={data}",
    ]  # fmt: skip
    assert hrm("train", "sudoku-4x4", *words, "--steps", 1, "--out", out, "--quiet").code == 0
    mistake(hrm("eval", out, "--data", six), "16 cells and 6 tokens", "36 and 8", "depend on that")


def test_a_part_that_breaks_at_import(hrm: Hrm, tmp_path: Path) -> None:
    (tmp_path / "broken_part.py").write_text("raise RuntimeError('half-written')\n")
    mistake(hrm("doctor", "--import", "broken_part"), "broken_part", "half-written")


LONG = "x" * 300


@pytest.mark.parametrize(
    "words",
    [
        ("inspect", "sudoku-6x6", f"data.path={LONG}"),
        ("eval", LONG),
        ("eval", "sudoku-6x6", "--data", LONG),
        ("evidence", LONG),
        ("data", "check", LONG),
        ("data", "show", LONG),
        ("data", "build", "arc", f"source={LONG}", "--out", "x"),
        ("data", "build", "sudoku-4x4", "--out", LONG),
        ("train", "sudoku-4x4", "--steps", "1", "--out", LONG),
        ("train", "--resume", LONG),
        ("import", LONG),
        ("import-config", LONG),
        ("new", "task", LONG),
        ("parity", LONG),
        ("ablate", LONG),
        ("report", LONG),
    ],
    ids=lambda words: " ".join(words)[:24],
)
def test_names_that_no_file_can_have(hrm: Hrm, words: tuple[str, ...]) -> None:
    mistake(hrm(*words), "x" * 100)


def test_a_file_where_a_folder_is_wanted(hrm: Hrm, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    mistake(hrm("train", "sudoku-4x4", "--steps", "1", "--out", "file/run"), "file")
    mistake(hrm("data", "build", "sudoku-4x4", "--train", "2", "--test", "1", "--out", "file/data"), "file")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="wants a system with /dev/full")
def test_an_output_that_takes_nothing_is_said_once() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "hrmlab", "catalog"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2 and done.stderr.splitlines() == [
        "hrm: No space left on device; make room and type the same command again"
    ]
