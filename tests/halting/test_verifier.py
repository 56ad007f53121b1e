"""The task's own rules decide, on what the answer is now."""

import numpy as np
import pytest
import torch
from views import view_of

from hrmlab.errors import ConfigError
from hrmlab.halting import Verifier
from hrmlab.tasks import Sudoku


def test_it_stops_on_answers_that_obey_the_rules_and_on_no_others():
    task = Sudoku(box_rows=2, box_cols=2)
    examples = task.generate(0, 4, seed=2).test
    answers = examples.labels.copy()
    answers[1, 0] = answers[1, 1]  # twice in a row
    answers[2] = examples.labels[3]  # right for another puzzle
    logits = torch.nn.functional.one_hot(torch.from_numpy(answers).long(), task.spec().vocab_size).float()
    view = view_of(
        torch.ones(4), torch.zeros(4, 2), logits=logits, inputs=torch.from_numpy(examples.inputs), check=task.valid
    )
    assert Verifier().wants_to_halt(view).tolist() == [True, False, False, True]
    assert np.array_equal(answers[3], examples.labels[3])


def test_without_a_task_there_is_no_verifier():
    with pytest.raises(ConfigError, match="no task checks"):
        Verifier().readiness(view_of(torch.ones(1), torch.zeros(1, 2)))
