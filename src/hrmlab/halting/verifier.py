"""Stop when the task's own rules say that the answer is valid. Training-free, and not label-free by accident."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView


@HALTING.register(source="hrm-lab; the exact checkers of Sudoku and mazes")
@dataclass(frozen=True, kw_only=True)
class Verifier(HaltingConfig):
    """Halt when the answer obeys the task's rules: givens kept, every row, column and box complete; a shortest path.

    Reads no labels. The best that any rule can do where an answer can be checked.

    Needs: a task that can check its answers, known to the caller. Starts: nothing to set.
    Fails: there is no verifier for tasks like ARC, whose rule is the question; asks the host after every segment, so
    that it waits for the device; a puzzle that is never solved takes all its segments.
    """

    kind: Literal["verifier"] = "verifier"

    def readiness(self, view: HaltingView) -> Tensor:
        if view.check is None:
            raise ConfigError("halting=verifier came where no task checks the answers; wanted another rule")
        answers = view.logits.detach().argmax(-1)
        valid = view.check(view.inputs.cpu().numpy(), answers.cpu().numpy())
        return torch.from_numpy(np.asarray(valid, dtype=np.float32)).to(answers.device)

    @property
    def cutoff(self) -> float:
        return 0.5
