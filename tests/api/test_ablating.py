"""A real cell: trained, measured, and gone on with after it was killed."""

import json
import shutil
from pathlib import Path

import pytest

from hrmlab.api.ablating import run_cell
from hrmlab.presets import preset
from hrmlab.studies.plan import Allowance, Study, expand
from hrmlab.studies.run import run_cells
from hrmlab.studies.store import StudyFolder

RUN_CELL = "hrmlab.api.ablating:run_cell"


@pytest.fixture
def study(tmp_path: Path) -> tuple[StudyFolder, list[str]]:
    study = Study(
        name="trial",
        base="sudoku-4x4",
        overrides=(
            "model.size.width=8",
            "model.schedule.cycles=2",
            "training.batch_size=4",
            "training.checkpoint_every=1",
            "data.train=20",
            "data.test=6",
            "halting.max_segments=2",
            "evaluation.max_segments=2",
        ),
        evaluations={
            "one": ("evaluation=fixed", "evaluation.max_segments=1"),
            "three votes": ("voting.attempts=3", "evaluation=fixed", "evaluation.max_segments=2"),
        },
        budget=Allowance(steps=3),
        seeds=(0,),
    )
    plan = expand(study, preset("sudoku-4x4").make())
    folder = StudyFolder(tmp_path / "study")
    folder.prepare({"name": study.name}, [cell.plain() for cell in plan.cells])
    return folder, [cell.id for cell in plan.cells]


def test_a_cell_gives_its_measures_and_every_answer(study: tuple[StudyFolder, list[str]]) -> None:
    folder, ids = study
    ran = run_cells(folder, ids, RUN_CELL, quiet=True)
    assert (ran.done, ran.failed) == (1, {})
    results = folder.status(ids[0]).results
    assert set(results) == {"own", "one", "three votes"}
    assert results["one"]["mean_segments"] == 1
    assert results["three votes"]["mean_segments"] == 6
    for found in results.values():
        assert found["steps"] == 3
        assert len(found["right"]) == 6
        assert found["exact"] == found["right"].count("1") / 6
    run = folder.cell(ids[0]) / "run"
    assert (run / "provenance.json").is_file() and (run / "metrics.jsonl").is_file()


def test_a_cell_that_was_killed_goes_on_from_its_checkpoint(study: tuple[StudyFolder, list[str]]) -> None:
    folder, ids = study
    cell = folder.cell(ids[0])
    whole = run_cell(cell)
    weights = (cell / "run" / "checkpoints" / "00000003" / "weights.safetensors").read_bytes()
    (cell / "run" / "results.json").unlink()
    shutil.rmtree(cell / "run" / "checkpoints" / "00000003")
    assert run_cell(cell) == whole
    assert (cell / "run" / "checkpoints" / "00000003" / "weights.safetensors").read_bytes() == weights
    steps = [json.loads(line)["step"] for line in (cell / "run" / "metrics.jsonl").read_text().splitlines()]
    assert steps[-1] == 3 and steps == sorted(steps)
