"""Models of a few numbers, for tests that need one but do not ask which."""

from typing import Any

import torch

from hrmlab.blocks import PostNorm, Size
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.schedules import HRMSchedule
from hrmlab.embeddings import Rotary, Tokens
from hrmlab.embeddings.puzzle import PuzzleConfig
from hrmlab.tasks.base import Task


def small_model(task: Task, *, slots: bool = False, **parts: Any) -> HRM:
    """A fresh HRM of two levels of two blocks, with attention unless another block is given.

    Args:
        slots: with one leading position for the puzzle's vector.
    """
    torch.manual_seed(0)
    standard = {
        "schedule": HRMSchedule(),
        "block": PostNorm(),
        "embedding": Tokens(),
        "positions": Rotary(),
        "puzzle": PuzzleConfig(width=16) if slots else None,
        "size": Size(width=16, layers=2, heads=2, round_to=8),
    }
    return HRM(ModelConfig(**standard | parts), task.spec()).eval()
