"""The paragraph claims what the verdicts say, and no more."""

from hrmlab.halting import Fixed
from hrmlab.presets import preset
from hrmlab.studies.measuring import Measuring
from hrmlab.studies.outcome import conclude
from hrmlab.studies.plan import Allowance, Cell, Plan, Study
from hrmlab.studies.store import Status
from hrmlab.studies.words import paragraph
from hrmlab.studies.work import Work

RIGHT = {"base": 0.5, "good": 0.7, "bad": 0.2, "open": 0.5}
"""Mean accuracy by arm; runs of "open" lie on both sides of the base's."""


def told(seeds: int, *arms: str, lost: int | None = None) -> str:
    study = Study(name="trial", base="x", budget=Allowance(steps=5), seeds=tuple(range(seeds)))
    config, own = preset("sudoku-4x4").make(), {"own": Measuring(halting=Fixed())}
    names = ["base", *arms]
    cells = [Cell(f"{arm}{seed}", arm, seed, config, own) for seed in range(seeds) for arm in names]
    works = {arm: Work(100 + 50 * (arm == "good"), 1, 10, 5, None, 50) for arm in names}
    plan = Plan(study, works, ["segment_flops", "step_flops", "steps", "flops"], cells)
    statuses = {cell.id: status(cell) for cell in cells}
    if lost is not None:
        statuses[f"{arms[0]}{lost}"] = Status(state="failed", reason="the loss became nan")
    return paragraph(plan, conclude(plan, statuses))


def status(cell: Cell) -> Status:
    wobble = 0.01 * cell.seed + (0.1 * (-1) ** cell.seed if cell.arm == "open" else 0.0)
    return Status(state="done", results={"own": {"exact": RIGHT[cell.arm] + wobble}})


def test_better_worse_and_open_are_kept_apart() -> None:
    said = told(10, "good", "bad", "open")
    assert said.startswith("3 arms compared with 'base' by exact, higher being better, over 10 seeds.")
    assert "Better: good (+0.2, 95% +0.2 to +0.2, adjusted p 0.0059)." in said
    assert "Worse, or not better by enough: bad (-0.3," in said
    assert "Nothing shown, which is no proof that nothing is there: open (" in said
    assert (
        "Alike in all arms: operations of a segment, operations of a step, optimiser steps, operations of training."
        in said
    )
    assert "Not alike, so that a difference may come from it: parameters (up to 1.50 times)." in said


def test_few_seeds_describe_and_claim_nothing() -> None:
    said = told(3, "good", "bad")
    assert "over 3 seeds. So few seeds can show nothing at the level 0.05" in said
    assert "Better" not in said and "Worse" not in said and "adjusted p" not in said


def test_what_is_missing_is_named_with_its_reason() -> None:
    said = told(10, "good", lost=4)
    assert "Better" not in said
    assert said.endswith("Missing, 1 of 20 runs: good, seed 4 (the loss became nan).")


def test_one_of_each_is_said_in_the_singular() -> None:
    assert told(1, "good").startswith("1 arm compared with 'base' by exact, higher being better, over 1 seed.")
