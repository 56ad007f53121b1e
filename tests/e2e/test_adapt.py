"""`hrm adapt` and `hrm solve --vector`: a rule that the model was not trained on."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from hrmlab import api
from hrmlab.core.weights import read_weights

Hrm = Callable[..., Any]
TINY = (
    "model.size.width=16",
    "model.size.layers=1",
    "model.size.heads=2",
    "model.size.round_to=8",
    "model.puzzle.width=16",
    "model.puzzle.slots=1",
    "model.schedule.high_cycles=1",
    "model.schedule.low_cycles=1",
    "training.batch_size=8",
    "halting.max_segments=2",
    "evaluation.max_segments=2",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of six rules, hardly trained; not to be changed."""
    path = tmp_path_factory.mktemp("rules")
    inputs = ["".join(cells) for cells in product("abc", repeat=6)]
    rows = [f"{inputs[20 * rule + n]},{'abc'[rule % 3] * 6},rule{rule}" for rule in range(6) for n in range(4)]
    (path / "rules.csv").write_text("\n".join(["input,output,id", *rows]) + "\n")
    api.data_build("table", [f"train_file={path / 'rules.csv'}"], out=path / "data", quiet=True)
    api.train("hrm-sudoku-extreme", [f"data.path={path / 'data'}", *TINY], out=path / "run", steps=3, quiet=True)
    return path / "run"


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    file = tmp_path / "shown.csv"
    file.write_text("input,output\nababab,cccccc\nbababa,cccccc\n")
    return file


def test_a_vector_is_fitted_and_used(hrm: Hrm, run: Path, shown: Path, tmp_path: Path) -> None:
    vector = tmp_path / "vector.safetensors"
    words = ("--examples", shown, "--test", shown, "--steps", 200, "--lr", 0.5, "--out", vector)
    found = hrm("adapt", run, *words, "--json").json
    assert set(found) >= {"before", "after", "seconds", "vector"}
    assert found["demonstrations"] == found["test"] == 2 and found["steps"] == 200
    assert found["loss_after"] < found["loss_before"] and found["after"]["cell"] > found["before"]["cell"]
    assert found["after"]["test_cell"] == found["after"]["cell"]
    plain = hrm("solve", run, "ababab", "--json").json["results"][0]
    told = hrm("solve", run, "ababab", "--vector", vector, "--json").json["results"][0]
    assert told["output"] != plain["output"]


def test_it_is_kept_beside_the_run_and_shown(hrm: Hrm, run: Path, shown: Path) -> None:
    called = hrm("adapt", run, "--examples", shown, "--steps", 4)
    assert called.code == 0 and "fitted vector" in called.out and "--vector" in called.out
    assert (run / "vectors" / "shown.safetensors").is_file()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ((), "wanted --examples FILE"),
        (("--examples", "nothing.csv"), "cannot read nothing.csv"),
        (("--examples", "SHOWN", "--steps", "0"), "--steps 0 came"),
        (("--examples", "SHOWN", "--steps", "4", "--out", "/proc/none/vector"), "choose another --out"),
    ],
)
def test_mistakes_are_one_line(hrm: Hrm, run: Path, shown: Path, words: tuple[str, ...], hint: str) -> None:
    called = hrm("adapt", run, *(str(shown) if word == "SHOWN" else word for word in words))
    assert called.code == 2 and hint in called.err and called.err.count("\n") == 1


def test_vectors_belong_to_their_weights(hrm: Hrm, run: Path, shown: Path, tmp_path: Path) -> None:
    called = hrm("adapt", "sudoku-4x4", "--examples", shown)
    assert called.code == 2 and "no puzzle vectors to adapt" in called.err
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"none")
    called = hrm("solve", run, "ababab", "--vector", other)
    assert called.code == 2 and "holds no vector" in called.err


def test_a_model_that_reads_demonstrations_is_told_them(hrm: Hrm, run: Path, shown: Path, tmp_path: Path) -> None:
    """Nothing is fitted: the demonstrations themselves stand in the vector's place."""
    reader, vector = tmp_path / "run", tmp_path / "vector.safetensors"
    changes = [f"data.path={run.parent / 'data'}", *TINY, "model.puzzle.examples=2", "training.warmup_steps=0"]
    api.train("hrm-sudoku-extreme", changes, out=reader, steps=30, quiet=True)
    found = hrm("adapt", reader, "--examples", shown, "--out", vector, "--json").json
    assert found["steps"] == 0 and found["loss_after"] != found["loss_before"] and found["seconds"] < 2
    plain, told = (
        hrm("solve", reader, "ababab", *words, "--json").json["results"][0] for words in ([], ["--vector", vector])
    )
    assert told["confidence"] != plain["confidence"]


def test_a_reader_that_takes_weights_over_is_told_its_own_demonstrations(run: Path, tmp_path: Path) -> None:
    changes = [f"data.path={run.parent / 'data'}", *TINY, "model.puzzle.examples=2"]
    api.train("hrm-sudoku-extreme", changes, out=tmp_path / "one", steps=1, quiet=True)
    more = [*changes[:-1], "model.puzzle.examples=3"]
    api.transfer(tmp_path / "one", "hrm-sudoku-extreme", more, out=tmp_path / "other", quiet=True)
    (weights,) = (tmp_path / "other" / "checkpoints").glob("*/weights.safetensors")
    rows = read_weights(weights)["puzzles.rows"]
    assert rows.shape[1] == 3 and rows[1:].any(-1).all(), "a puzzle has no demonstrations"
