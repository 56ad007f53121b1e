"""Subjects that the probes' tests share: small fresh models, and a shipped one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from hrmlab.analysis.probes import Subject
from hrmlab.api.diagnosing import examined
from hrmlab.blocks import PostNorm, Size
from hrmlab.core.heads import HaltingHeadConfig
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.schedules import HRMSchedule
from hrmlab.embeddings import Rotary, Tokens
from hrmlab.halting import QLearning
from hrmlab.losses import SoftmaxCrossEntropy
from hrmlab.tasks.sudoku import Sudoku

TASK = Sudoku(box_rows=2, box_cols=2)
SMALL = Size(width=16, layers=2, heads=2, round_to=8)


@pytest.fixture(scope="session")
def puzzles() -> Any:
    """Training and held-out 4x4 puzzles."""
    return TASK.generate(24, 12, 0)


@pytest.fixture
def subject(puzzles: Any) -> Callable[..., Subject]:
    """A fresh HRM with attention on 4x4 Sudoku; parts of the model and fields of the subject can be given."""

    def make(model: HRM | None = None, *, segments: int = 4, seed: int = 0, **parts: Any) -> Subject:
        fields = {name: parts.pop(name) for name in list(parts) if name in Subject.__dataclass_fields__}
        torch.manual_seed(seed)
        standard = {
            "schedule": HRMSchedule(),
            "block": PostNorm(),
            "embedding": Tokens(),
            "positions": Rotary(),
            "halting_head": HaltingHeadConfig(),
            "size": SMALL,
        }
        model = model or HRM(ModelConfig(**standard | parts), TASK.spec())
        policy = QLearning(max_segments=segments)
        given = {
            "task": TASK,
            "examples": puzzles.test,
            "train": puzzles.train,
            "loss": SoftmaxCrossEntropy(),
            "halting": policy,
            "evaluation": policy,
            "segments": segments,
        }
        return Subject(model=model.eval(), **given | fields)

    return make


@pytest.fixture(scope="session")
def shipped() -> Callable[..., Subject]:
    """A model that comes with the package, on its own held-out puzzles; made once for each name and size."""
    made: dict[Any, Subject] = {}

    def load(name: str = "sudoku-6x6", n: int = 24, segments: int | None = 8) -> Subject:
        key = (name, n, segments)
        if key not in made:
            made[key] = examined(name, (), n, segments, 0, "cpu", True)[0]
        return replace(made[key])

    return load
