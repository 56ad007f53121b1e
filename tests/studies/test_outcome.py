"""What a study found, from results that are known."""

import pytest

from hrmlab.halting import Fixed
from hrmlab.presets import preset
from hrmlab.studies.measuring import Measuring
from hrmlab.studies.outcome import Outcome, conclude
from hrmlab.studies.plan import Allowance, Cell, Plan, Study
from hrmlab.studies.store import Status
from hrmlab.studies.verdict import Question
from hrmlab.studies.work import Work

SEEDS = tuple(range(8))
GAINS = {"base": 0, "better": 2, "same": 0}
ITEMS = 20


def plan_of(arms: list[str], questions: tuple[Question, ...]) -> Plan:
    study = Study(name="trial", base="x", budget=Allowance(steps=5), seeds=SEEDS, questions=questions)
    config = preset("sudoku-4x4").make()
    cells = [
        Cell(f"{arm}{seed}", arm, seed, config, {"own": Measuring(halting=Fixed())}) for seed in SEEDS for arm in arms
    ]
    works = {arm: Work(100, 1, 10 + at, 5, None, 50 + 5 * at) for at, arm in enumerate(arms)}
    return Plan(study, works, ["steps"], cells)


def status_of(arm: str, seed: int) -> Status:
    """Right on as many of the items as the seed says, and two more in the better arm."""
    right = 5 + seed + GAINS[arm.rstrip("0123456789")] + (seed % 3 - 1 if arm.startswith("same") else 0)
    answers = "1" * right + "0" * (ITEMS - right)
    return Status(state="done", results={"own": {"exact": right / ITEMS, "cell": right / ITEMS, "right": answers}})


def concluded(arms: list[str], question: Question | None = None, **changes: Status) -> Outcome:
    plan = plan_of(arms, (question or Question(),))
    return conclude(plan, {cell.id: changes.get(cell.id, status_of(cell.arm, cell.seed)) for cell in plan.cells})


def test_every_arm_is_compared_with_the_reference() -> None:
    found = concluded(["base", "better", "same"])
    assert (found.reference, found.missing, found.matched) == ("base", {}, ["steps"])
    better, same = found.comparisons
    assert better.scores[3] == (8 / ITEMS, 10 / ITEMS)
    assert better.verdict is not None and same.verdict is not None
    assert (better.verdict.decision, same.verdict.decision) == ("accept", "inconclusive")
    assert better.verdict.p == 2 / 2**8
    assert better.adjusted_p == 2 * better.verdict.p
    assert better.flops_ratio == 55 / 50
    assert better.over_items is not None and better.over_items[0] <= 2 / ITEMS <= better.over_items[1]


def test_the_more_arms_are_tried_the_less_one_proves() -> None:
    arms = ["base", "better", *(f"same{number}" for number in range(7))]
    better = concluded(arms).comparisons[0]
    assert better.adjusted_p == pytest.approx(8 * 2 / 2**8)
    assert better.verdict is not None and better.verdict.decision == "inconclusive"
    assert better.verdict.reason.startswith("not after Holm's correction for 8 comparisons (p 0.062); alone better")


def test_what_decides_is_a_family_of_its_own() -> None:
    questions = (Question(), Question(measure="cell"))
    plan = plan_of(["base", "better", *(f"same{number}" for number in range(5))], questions)
    statuses = {cell.id: status_of(cell.arm, cell.seed) for cell in plan.cells}
    found = {(one.arm, one.measure): one for one in conclude(plan, statuses).comparisons}
    exact, cell = found["better", "exact"], found["better", "cell"]
    assert exact.verdict is not None and cell.verdict is not None and exact.verdict.p == cell.verdict.p
    assert exact.adjusted_p == cell.adjusted_p == pytest.approx(6 * 2 / 2**8)
    assert (exact.verdict.decision, cell.verdict.decision) == ("accept", "accept")


def test_an_arm_with_missing_cells_is_not_accepted() -> None:
    found = concluded(["base", "better"], better3=Status(state="failed", reason="the loss became nan"), base5=Status())
    assert found.missing == {"better, seed 3": "the loss became nan", "base, seed 5": "planned"}
    verdict = found.comparisons[0].verdict
    assert verdict is not None and (verdict.decision, verdict.pairs) == ("inconclusive", 6)
    assert verdict.reason.startswith("2 of 8 seeds are missing; better")


def test_a_study_without_results_says_so() -> None:
    found = concluded(["base", "better"], **{f"better{seed}": Status() for seed in SEEDS})
    (only,) = found.comparisons
    assert (only.verdict, only.adjusted_p, only.scores, only.over_items) == (None, None, {}, None)
    assert len(found.missing) == 8
