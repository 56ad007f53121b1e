"""A trial is trained on most puzzles and asked no deeper, nor more, than evaluations in training are."""

from typing import Any

import pytest

from hrmlab.api import trials
from hrmlab.presets import preset
from hrmlab.studies.tuning.halving import Score
from hrmlab.training.overrides import override_run

SMALL = (
    "model.size.width=8", "model.schedule.cycles=1", "training.batch_size=4", "training.engine=eager",
    "training.steps=8", "training.seconds=none", "halting.max_segments=2", "evaluation.max_segments=64",
    "training.evaluate_segments=3", "training.evaluate_puzzles=12",
)  # fmt: skip


@pytest.mark.parametrize("stop", [False, True])
def test_what_a_trial_is_asked(monkeypatch: pytest.MonkeyPatch, stop: bool) -> None:
    config = override_run(preset("sudoku-4x4").make(), SMALL)
    split = trials.held_back(config.task.generate(200, 4, 0))
    assert len(split.train) == 180 and len(split.test) == 20
    asked: list[tuple[int, int]] = []
    original = trials.evaluate

    def evaluate(model: Any, task: Any, puzzles: Any, policy: Any) -> Any:
        asked.append((len(puzzles), policy.max_segments))
        return original(model, task, puzzles, policy)

    monkeypatch.setattr(trials, "evaluate", evaluate)
    monkeypatch.setattr(trials, "GLANCE", 5)
    rungs: list[int] = []

    def go_on(rung: int, score: Score) -> bool:
        rungs.append(rung)
        assert 0 <= score.exact <= 1 and score.cost > 0
        return not stop

    score = trials.measured(config, split, go_on)
    if stop:
        assert score is None and asked == [(5, 3)] and rungs == [0]
    else:
        assert score is not None and asked == [(5, 3), (5, 3), (12, 3)] and rungs == [0, 1]
