"""The confirming study pairs preset and found run on fresh seeds, and is judged by its scores."""

from dataclasses import replace

import pytest

from hrmlab.config import override
from hrmlab.errors import ConfigError
from hrmlab.presets import preset
from hrmlab.studies.outcome import conclude
from hrmlab.studies.store import Status
from hrmlab.studies.tuning.confirm import FIRST_SEED, confirmation, verdict_of

BASE = override(preset("sudoku-4x4").make(), ["training.steps=5", "training.seconds=null"])
FOUND = override(
    BASE, ["model.schedule=hrm", "model.size.width=16", "training.optimiser=adamw", "training.batch_size=8"]
)


def test_both_runs_get_the_same_fresh_seeds_and_nothing_else_differs() -> None:
    plan = confirmation(BASE, FOUND, 2)
    for cell in plan.cells:
        wanted = FOUND if cell.arm == "found=found" else BASE
        training = replace(wanted.training, seed=cell.seed)
        assert cell.config == replace(wanted, training=training, evaluation=wanted.evaluation_in_training)
    assert [(cell.arm, cell.seed) for cell in plan.cells] == [
        (arm, FIRST_SEED + at) for at in (0, 1) for arm in ("base", "found=found")
    ]


@pytest.mark.parametrize(
    ("gains", "decision"),
    [
        ([0.1, 0.2, 0.1, 0.3, 0.1], "accept"),  # p = 1 / 32
        ([0.1, 0.2, 0.1, 0.3, -0.2], "inconclusive"),
        ([0.1, 0.2, 0.1, 0.3], "inconclusive"),  # four pairs cannot show it
        ([-0.1, -0.2, -0.1, -0.3, -0.1], "reject"),
    ],
)
def test_the_verdict_is_over_the_pairs(gains: list[float], decision: str) -> None:
    plan = confirmation(BASE, FOUND, len(gains))
    done = {}
    for cell in plan.cells:
        gain = gains[cell.seed - FIRST_SEED] if cell.arm != "base" else 0.0
        done[cell.id] = Status(state="done", results={"own": {"exact": 0.5 + gain}})
    verdict = verdict_of(conclude(plan, done))
    assert verdict is not None and verdict.decision == decision


def test_a_confirmation_without_runs_says_nothing() -> None:
    plan = confirmation(BASE, FOUND, 5)
    assert verdict_of(conclude(plan, {cell.id: Status() for cell in plan.cells})) is None
    with pytest.raises(ConfigError, match="5 or more"):
        confirmation(BASE, FOUND, 0)
